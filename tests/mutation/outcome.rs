//! What becomes of a case: the documents compiled, the pod arrived, and passes over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcullis::engine::Unread;
use portcullis::engine::mutation::arrival::{self, ServiceAccount};
use portcullis::engine::mutation::document::Document;
use portcullis::engine::mutation::{
    Active, Documents, LimitRange, Node, Note, PriorityClass, Rules, World, mutate, verify,
};
use portcullis::engine::pod_security::LevelVersion;
use serde_json::Value;

/// Everything of a case that a pass needs.
pub struct Setting {
    pub documents: Documents,
    limits: Vec<String>,
    labels: BTreeMap<String, String>,
    pub enforced: LevelVersion,
    pub is_template: bool,
    has_native_sidecars: bool,
}

/// What a pass did to a pod.
pub struct Pass {
    pub text: String,
    pub pod: Value,
    /// As it was answered, and as operations.
    pub patch: Option<String>,
    pub operations: Vec<Value>,
    pub notes: Vec<Note>,
    pub denial: Option<Note>,
}

impl Setting {
    /// What is written in the case; an error with the flaws of a document that does not compile.
    pub fn of(case: &Value) -> Result<Self, String> {
        let strings =
            |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().map(Value::to_string).collect() };
        let documents = case["documents"].as_array().into_iter().flatten().map(compiled).collect::<Result<_, _>>()?;
        let labels = case["namespaceLabels"].as_object().into_iter().flatten();
        Ok(Self {
            documents: Documents::new(documents),
            limits: strings(&case["limits"]),
            labels: labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect(),
            enforced: LevelVersion {
                level: case["level"].as_str().unwrap_or_default().parse().map_err(|_| "no level".to_owned())?,
                ..LevelVersion::default()
            },
            is_template: case["isTemplate"] == true,
            has_native_sidecars: case["hasNativeSidecars"] == true,
        })
    }

    fn world(&self) -> World<'_> {
        let class = |value, preemption_policy| PriorityClass { value, preemption_policy };
        let lower = "PreemptLowerPriority";
        let classes = [
            ("high", class(1000, lower)),
            ("steady", class(-5, "Never")),
            ("system-node-critical", class(2_000_001_000, lower)),
        ];
        World {
            namespace: "shop",
            namespace_labels: self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            limit_ranges: self.limits.iter().map(|limits| LimitRange { name: "l", limits }).collect(),
            priority_classes: classes.into(),
            has_native_sidecars: self.has_native_sidecars,
            is_template: self.is_template,
            ..World::default()
        }
    }

    /// The pod as a webhook sees it; a template stays as it is.
    pub fn arrived(&self, pod: &str) -> String {
        if self.is_template { pod.to_owned() } else { self.completed(pod) }
    }

    /// The pod as the API server completes it.
    pub fn completed(&self, pod: &str) -> String {
        let mut tree = Node::new(pod);
        arrival::complete(&mut tree, &self.world(), ServiceAccount::default());
        tree.to_json().into_owned()
    }

    pub fn pass(&self, pod: &str) -> Pass {
        let world = self.world();
        let candidates = self.documents.candidates(|key| self.labels.get(key).map(String::as_str));
        let rules =
            Rules { documents: &self.documents, candidates: &candidates, world: &world, enforced: self.enforced };
        let mutated = mutate(Unread::of(pod), rules);
        let patch = mutated.patch.as_ref().map(|patch| patch.json().to_owned());
        let text = mutated.pod.to_json().into_owned();
        Pass {
            pod: serde_json::from_str(&text).unwrap_or_default(),
            operations: patch.as_ref().and_then(|patch| serde_json::from_str(patch).ok()).unwrap_or_default(),
            denial: mutated.denial().cloned(),
            notes: mutated.notes,
            text,
            patch,
        }
    }

    /// What the validate phase would say of the finished pod.
    pub fn verified(&self, pod: &str) -> Vec<Note> {
        let world = self.world();
        let candidates = self.documents.candidates(|key| self.labels.get(key).map(String::as_str));
        verify(
            Unread::of(pod),
            Rules { documents: &self.documents, candidates: &candidates, world: &world, enforced: self.enforced },
        )
    }

    /// Whether a container of this name is one that a document adds.
    pub fn is_own(&self, name: &str) -> bool {
        self.owners(name) > 0
    }

    /// How many documents add a container of this name.
    pub fn owners(&self, name: &str) -> usize {
        self.documents.iter().filter(|document| document.own_containers().any(|own| own == name)).count()
    }
}

fn compiled(document: &Value) -> Result<Arc<Active>, String> {
    let document = Document::read(&document.to_string());
    let compiled = document.and_then(|document| Active::compile(&document));
    compiled.map(Arc::new).map_err(|flaws| flaws.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}
