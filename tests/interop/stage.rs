//! The pods and the documents, and what the engine makes of one with the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis::engine::Unread;
use portcullis::engine::mutation::document::{Document, Spec};
use portcullis::engine::mutation::{
    Active, Documents, LabelSet, Node, Note, Patch, Rules, World, arrival, mutate, verify,
};
use portcullis::engine::pod_security::{Level, LevelVersion};
use portcullis::manifest::{self, parse};
use serde_json::{Value, json};

/// Labels of pods that ask for every document that wants to be asked.
const ASKING: [&str; 10] = [
    "database.portcullis.dev/inject",
    "edge.portcullis.dev/needs-camera",
    "edge.portcullis.dev/place",
    "logs.portcullis.dev/inject",
    "mesh.portcullis.dev/inject",
    "metrics.portcullis.dev/inject",
    "resources.portcullis.dev/defaults",
    "restricted.portcullis.dev/defaults",
    "wait-for.portcullis.dev/inject",
    "qos.portcullis.dev/priority",
];

/// A document and how it is called.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) is_defaults: bool,
    active: Arc<Active>,
}

/// All ready-made documents and our own.
pub(super) fn documents() -> Vec<Written> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = files(&root.join("policies"), "policy.yaml");
    found.extend(files(&root.join("tests/interop/documents"), ".yaml"));
    found.iter().flat_map(|file| objects(file)).map(|object| written(&object)).collect()
}

/// A SidecarInjection of this spec.
pub(super) fn injection(spec: Value) -> Written {
    written(
        &json!({"apiVersion": "portcullis.dev/v1", "kind": "SidecarInjection", "metadata": {"name": "ours"}, "spec": spec}),
    )
}

fn written(object: &Value) -> Written {
    let document = Document::read(&object.to_string()).expect("a document");
    let active = Arc::new(Active::compile(&document).expect("a document without flaws"));
    Written { name: document.name.clone(), is_defaults: matches!(document.spec, Spec::PodDefaults(_)), active }
}

/// All pods by name, each asking for everything.
pub(super) fn pods() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/pods");
    let mut pods: Vec<Value> = files(&folder, ".yaml").iter().flat_map(|file| objects(file)).collect();
    for pod in &mut pods {
        for key in ASKING {
            pod["metadata"]["labels"][key] = json!(if key.ends_with("priority") { "high" } else { "true" });
        }
    }
    pods.into_iter().map(|pod| (pod["metadata"]["name"].as_str().expect("a name").to_owned(), pod)).collect()
}

pub(super) fn pod(name: &str) -> Value {
    pods().into_iter().find(|(found, _)| found == name).expect("a pod of this name").1
}

/// The files below a folder whose names end so.
pub(super) fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub(super) fn objects(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("a file");
    let object = |document| {
        let mut json = Vec::new();
        parse(&document).expect("YAML").write_json(&mut json);
        serde_json::from_slice(&json).expect("JSON")
    };
    manifest::Documents::new(text.as_bytes()).map(|document| object(document.expect("a document"))).collect()
}

/// The names of a list's elements.
pub(super) fn names(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(|element| element["name"].as_str()).collect()
}

/// A cluster with documents.
pub(super) struct Stage {
    documents: Documents,
    has_defaults: bool,
    enforced: LevelVersion,
    namespace_labels: LabelSet<'static>,
}

/// What became of a pod.
pub(super) struct Outcome {
    pub(super) result: Value,
    pub(super) operations: Value,
    pub(super) notes: Vec<Note>,
}

impl Stage {
    pub(super) fn of(documents: &[&Written]) -> Self {
        Self {
            documents: Documents::new(documents.iter().map(|document| document.active.clone()).collect()),
            has_defaults: documents.iter().any(|document| document.is_defaults),
            enforced: LevelVersion::PRIVILEGED,
            namespace_labels: LabelSet::from([
                ("kubernetes.io/metadata.name", "shop"),
                ("pod-security.kubernetes.io/enforce", "restricted"),
                ("team", "shop"),
            ]),
        }
    }

    pub(super) fn named(names: &[&str]) -> Self {
        let all = documents();
        Self::of(&all.iter().filter(|document| names.contains(&document.name.as_str())).collect::<Vec<_>>())
    }

    pub(super) fn has_defaults(&self) -> bool {
        self.has_defaults
    }

    fn world(&self) -> World<'_> {
        World {
            namespace: "shop",
            namespace_labels: self.namespace_labels.clone(),
            has_native_sidecars: true,
            ..World::default()
        }
    }

    /// The same where this is enforced, which most of the pods violate by what others have added.
    pub(super) fn enforcing(self, level: Level) -> Self {
        Self { enforced: LevelVersion { level, ..LevelVersion::default() }, ..self }
    }

    /// Does something with the rules for a pod.
    fn with_rules<T>(&self, act: impl FnOnce(Rules<'_>) -> T) -> T {
        let world = self.world();
        let candidates = self.documents.candidates(|key| self.namespace_labels.get(key));
        act(Rules { documents: &self.documents, candidates: &candidates, world: &world, enforced: self.enforced })
    }

    /// Carries the documents out, and applies the patch as the API server would.
    pub(super) fn mutate(&self, pod: &Value) -> Outcome {
        let text = pod.to_string();
        let (operations, notes) = self.with_rules(|rules| {
            let mutated = mutate(Unread::of(&text), rules);
            (mutated.patch.as_ref().map_or("[]".to_owned(), |patch| patch.json().to_owned()), mutated.notes)
        });
        let operations: Value = serde_json::from_str(&operations).expect("operations");
        Outcome { result: patched(pod, &operations), operations, notes }
    }

    /// As the API server sends a pod: with its defaults, and with what its plugins set.
    pub(super) fn completed(&self, pod: &Value) -> Value {
        let text = pod.to_string();
        let mut node = Node::new(text.as_str());
        arrival::complete(&mut node, &self.world(), arrival::ServiceAccount::default());
        serde_json::from_str(&node.to_json()).expect("JSON")
    }

    /// What a finished pod lacks.
    pub(super) fn lacks(&self, pod: &Value) -> Vec<String> {
        let text = pod.to_string();
        self.with_rules(|rules| verify(Unread::of(&text), rules)).iter().map(ToString::to_string).collect()
    }

    /// A pod as `uninject` leaves it, and what that tells.
    pub(super) fn taken_back(&self, pod: &Value) -> (Value, Vec<Note>) {
        let text = pod.to_string();
        let mut node = Node::new(text.as_str());
        let notes = self.documents.uninject(&mut node);
        let operations = Patch::of(&node).map_or("[]".to_owned(), |patch| patch.json().to_owned());
        (patched(pod, &serde_json::from_str(&operations).expect("operations")), notes)
    }
}

fn patched(pod: &Value, operations: &Value) -> Value {
    let mut pod = pod.clone();
    let operations: json_patch::Patch = serde_json::from_value(operations.clone()).expect("operations");
    json_patch::patch(&mut pod, &operations).expect("a patch that applies");
    pod
}
