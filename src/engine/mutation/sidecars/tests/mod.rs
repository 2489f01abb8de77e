//! Every acceptance case that sidecars can show by themselves, each under its id.
//!
//! Whatever a test is about, [`Cluster::admit`] always checks three things: the patch, applied by an independent reader of RFC 6902,
//! gives the tree; a second pass over the result with the API server's defaults changes nothing; unknown fields survive.

mod broken;
mod copies;
mod documents;
mod edits;
mod enablement;
mod order;
mod overrides;
mod probes;
mod random;
mod reinvocation;
mod revisions;
mod security;
mod simulation;
mod uninject;
mod volumes;

use serde_json::{Value, json};

use super::super::document::{Document, Flaw, Spec};
use super::super::plan::{Conflict, LabelSet, Note, Plan, Reason, Reserved, Weight, World};
use super::super::{Node, Patch};
use super::Injection;
use simulation::as_the_api_server_stores;

pub(super) fn document(spec: &Value) -> Result<Injection, Vec<String>> {
    named_document("mesh", spec)
}

pub(super) fn named_document(name: &str, spec: &Value) -> Result<Injection, Vec<String>> {
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": "SidecarInjection", "metadata": {"name": name}, "spec": spec});
    let texts = |flaws: Vec<Flaw>| flaws.iter().map(ToString::to_string).collect::<Vec<_>>();
    let document = Document::read(&json.to_string()).map_err(texts)?;
    let Spec::SidecarInjection(spec) = document.spec else { return Err(Vec::new()) };
    Injection::compile(&format!("SidecarInjection/{name}"), &spec).map_err(texts)
}

/// A document that adds this.
pub(super) fn adding(add: Value) -> Injection {
    document(&json!({"add": add})).expect("a document without flaws")
}

pub(super) fn with_conflicts(add: Value, conflicts: Value) -> Injection {
    document(&json!({"add": add, "conflicts": conflicts})).expect("a document without flaws")
}

/// A sidecar of this name, with further fields beside its container.
pub(super) fn sidecar(name: &str, further: Value) -> Value {
    let mut sidecar = json!({"container": {"name": name, "image": format!("registry.example/{name}:1")}});
    merge(&mut sidecar, further);
    sidecar
}

pub(super) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub(super) fn pod(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "web-"}, "spec": spec})
}

/// A pod with one container, `app`.
pub(super) fn app() -> Value {
    pod(json!({"containers": [{"name": "app", "image": "app:1"}]}))
}

/// What the pod is admitted into.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) has_native_sidecars: bool,
    pub(super) is_template: bool,
    pub(super) namespace_labels: LabelSet<'static>,
    pub(super) namespace_annotations: LabelSet<'static>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            has_native_sidecars: true,
            is_template: false,
            namespace_labels: LabelSet::default(),
            namespace_annotations: LabelSet::default(),
        }
    }
}

/// What became of a pod.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) pod: Value,
    pub(super) operations: Vec<Value>,
    pub(super) notes: Vec<Note>,
}

impl Cluster {
    /// Carries out the documents on a pod once.
    pub(super) fn pass(&self, injections: &[&Injection], pod: &Value) -> Result<Admitted, Conflict> {
        let text = pod.to_string();
        let world = World {
            namespace: "team-a",
            namespace_labels: self.namespace_labels.clone(),
            namespace_annotations: self.namespace_annotations.clone(),
            has_native_sidecars: self.has_native_sidecars,
            is_template: self.is_template,
            ..World::default()
        };
        let own_containers = injections.iter().flat_map(|injection| injection.own_names()).collect();
        let tree = Node::new(text.as_str());
        let mut plan =
            Plan { pod: tree, world: &world, own_containers, notes: Vec::new(), reserved: Reserved::default() };
        plan.reserved.demands = super::demands(injections.iter().copied(), &plan);
        for injection in injections {
            injection.apply(&mut plan)?;
        }
        let patch = Patch::of(&plan.pod);
        let edited: Value = serde_json::from_str(&plan.pod.to_json()).expect("JSON");
        let operations =
            patch.as_ref().map_or_else(|| json!([]), |patch| serde_json::from_str(patch.json()).expect("operations"));
        assert_eq!(patched(pod, &operations), edited, "the patch gives the tree");
        let Value::Array(operations) = operations else { panic!("no list") };
        Ok(Admitted { pod: edited, operations, notes: plan.notes })
    }

    /// The same, with the checks that hold for every pod.
    pub(super) fn admit(&self, injections: &[&Injection], pod: &Value) -> Admitted {
        let mut pod = pod.clone();
        let unknown = add_unknown_fields(&mut pod);
        let mut admitted = self.pass(injections, &pod).expect("no conflict");
        assert_eq!(remove_unknown_fields(&mut admitted.pod.clone()), unknown, "unknown fields survive");
        let stored = as_the_api_server_stores(&admitted.pod);
        let again = self.pass(injections, &stored).expect("no conflict in the second pass");
        assert_eq!(again.operations, Vec::<Value>::new(), "a second pass changes nothing: {stored:#}");
        remove_unknown_fields(&mut admitted.pod);
        admitted
    }

    pub(super) fn conflict(&self, injection: &Injection, pod: &Value) -> Conflict {
        self.pass(&[injection], pod).expect_err("a conflict")
    }
}

pub(super) fn admit(injection: &Injection, pod: &Value) -> Admitted {
    Cluster::default().admit(&[injection], pod)
}

pub(super) fn conflict(injection: &Injection, pod: &Value) -> Conflict {
    Cluster::default().conflict(injection, pod)
}

/// A second pass, after the pod was stored and changed by others.
pub(super) fn readmit(injection: &Injection, pod: &Value) -> Admitted {
    Cluster::default().admit(&[injection], &as_the_api_server_stores(pod))
}

fn patched(pod: &Value, operations: &Value) -> Value {
    let mut pod = pod.clone();
    let operations: json_patch::Patch = serde_json::from_value(operations.clone()).expect("operations");
    json_patch::patch(&mut pod, &operations).expect("a patch that applies");
    pod
}

const UNKNOWN: &str = "fieldOfTheFuture";

/// Puts an unknown field into the pod's spec, every container, every port, every variable and every mount; gives how many.
fn add_unknown_fields(pod: &mut Value) -> usize {
    let mut count = 0;
    let mut mark = |object: &mut Value| {
        if let Some(object) = object.as_object_mut() {
            object.insert(UNKNOWN.to_owned(), json!({"a": [1]}));
            count += 1;
        }
    };
    for list in ["initContainers", "containers"] {
        for container in pod["spec"][list].as_array_mut().into_iter().flatten() {
            for elements in ["ports", "env", "volumeMounts"] {
                container.get_mut(elements).and_then(Value::as_array_mut).into_iter().flatten().for_each(&mut mark);
            }
            mark(container);
        }
        if pod["spec"][list].is_null() {
            pod["spec"].as_object_mut().expect("a spec").remove(list);
        }
    }
    mark(&mut pod["spec"]);
    count
}

fn remove_unknown_fields(value: &mut Value) -> usize {
    match value {
        Value::Object(members) => {
            let here = usize::from(members.remove(UNKNOWN).is_some());
            here + members.values_mut().map(remove_unknown_fields).sum::<usize>()
        }
        Value::Array(elements) => elements.iter_mut().map(remove_unknown_fields).sum(),
        _ => 0,
    }
}

impl Admitted {
    pub(super) fn names(&self, list: &str) -> Vec<&str> {
        let elements = self.pod["spec"][list].as_array().map_or(&[] as &[Value], Vec::as_slice);
        elements.iter().map(|element| element["name"].as_str().expect("a name")).collect()
    }

    /// A container, of either list.
    pub(super) fn container(&self, name: &str) -> &Value {
        container(&self.pod, name)
    }

    pub(super) fn env(&self, container: &str) -> Vec<(String, String)> {
        let env = self.container(container)["env"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or("(elsewhere)").to_owned();
        env.iter().map(|variable| (text(&variable["name"]), text(&variable["value"]))).collect()
    }

    pub(super) fn reasons(&self) -> Vec<(Reason, Weight)> {
        self.notes
            .iter()
            .map(|note| (note.reason, note.weight))
            .filter(|(_, weight)| *weight != Weight::Detail)
            .collect()
    }

    pub(super) fn annotation(&self, key: &str) -> &str {
        self.pod["metadata"]["annotations"][key].as_str().unwrap_or_default()
    }
}

pub(super) fn container<'p>(pod: &'p Value, name: &str) -> &'p Value {
    let lists = ["initContainers", "containers"].into_iter();
    let mut all = lists.flat_map(|list| pod["spec"][list].as_array().map_or(&[] as &[Value], Vec::as_slice));
    all.find(|container| container["name"] == name).unwrap_or_else(|| panic!("no container {name}"))
}

pub(super) fn container_mut<'p>(pod: &'p mut Value, name: &str) -> &'p mut Value {
    let list = if pod["spec"]["containers"].as_array().expect("containers").iter().any(|found| found["name"] == name) {
        "containers"
    } else {
        "initContainers"
    };
    let list = pod["spec"][list].as_array_mut().expect("a list");
    list.iter_mut().find(|container| container["name"] == name).expect("a container")
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
