//! PodDefaults, case by case. Each result is held against three things: the patch does the same to the original, a second pass over what the
//! API server makes of it gives no patch, and fields that nobody knows survive.

mod convergence;
mod flaws;
mod resources;
mod scheduling;
mod security;
mod together;
mod writable;

use serde_json::{Value, json};

use super::Defaults;
use crate::engine::mutation::arrival::{self, ServiceAccount};
use crate::engine::mutation::document::{Document, Spec};
use crate::engine::mutation::{Conflict, LimitRange, Node, Note, Patch, Plan, PriorityClass, World};

/// What has become of a pod.
#[derive(Debug)]
struct Outcome {
    pod: Value,
    notes: Vec<Note>,
}

impl Outcome {
    fn spec(&self) -> &Value {
        &self.pod["spec"]
    }

    fn container(&self, index: usize) -> &Value {
        &self.pod["spec"]["containers"][index]
    }

    fn codes(&self) -> Vec<&'static str> {
        self.notes.iter().map(|note| note.reason.code()).collect()
    }
}

fn compiled(spec: &Value) -> Defaults {
    let json =
        json!({"apiVersion": "portcullis.dev/v1", "kind": "PodDefaults", "metadata": {"name": "d"}, "spec": spec});
    let document = Document::read(&json.to_string()).expect("a document");
    let Spec::PodDefaults(document) = document.spec else { panic!("another kind") };
    Defaults::compile("PodDefaults/d", &document).expect("no flaws")
}

fn world() -> World<'static> {
    let class = |value, preemption_policy| PriorityClass { value, preemption_policy };
    World {
        namespace: "team-a",
        priority_classes: [("batch", class(-10, "Never")), ("high", class(100, "PreemptLowerPriority"))].into(),
        ..World::default()
    }
}

/// One pass of the defaults over a pod as it is.
fn pass(
    defaults: &Defaults,
    pod: &Value,
    world: &World<'_>,
    ours: &[&str],
) -> Result<(Outcome, Option<Patch>), Conflict> {
    let text = pod.to_string();
    let own_containers = ours.to_vec();
    let mut plan =
        Plan { pod: Node::new(&*text), world, own_containers, reserved: Default::default(), notes: Vec::new() };
    defaults.apply(&mut plan)?;
    let patch = Patch::of(&plan.pod);
    let edited: Value = serde_json::from_str(&plan.pod.to_json()).expect("JSON");
    let mut patched = pod.clone();
    if let Some(patch) = &patch {
        let operations: json_patch::Patch = serde_json::from_str(patch.json()).expect("operations");
        json_patch::patch(&mut patched, &operations).expect("a patch that applies");
    }
    assert_eq!(patched, edited, "{patch:?}");
    Ok((Outcome { pod: edited, notes: plan.notes }, patch))
}

/// What the API server makes of a pod before it asks.
fn arrived(pod: &Value, world: &World<'_>) -> Value {
    let mut tree = Node::new(pod.to_string());
    arrival::complete(&mut tree, world, ServiceAccount::default());
    serde_json::from_str(&tree.to_json()).expect("JSON")
}

fn with_future_fields(pod: &Value) -> Value {
    let mut pod = pod.clone();
    pod["spec"]["future"] = json!({"a": [1, null]});
    for list in ["containers", "initContainers", "volumes"] {
        for item in pod["spec"].get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            item["future"] = json!([{"b": 1.50}]);
        }
    }
    pod
}

/// Runs the defaults over a pod in this world and holds the result against the three.
fn run_in(spec: &Value, pod: &Value, world: &World<'_>, ours: &[&str]) -> Result<Outcome, Conflict> {
    let defaults = compiled(spec);
    let (outcome, _) = pass(&defaults, pod, world, ours)?;
    let next = if world.is_template { outcome.pod.clone() } else { arrived(&outcome.pod, world) };
    let (again, patch) = pass(&defaults, &next, world, ours)?;
    assert_eq!(patch, None, "a second pass changes {next} into {}", again.pod);
    let (with_future, _) = pass(&defaults, &with_future_fields(pod), world, ours)?;
    let mut expected = outcome.pod.clone();
    expected["spec"]["future"] = json!({"a": [1, null]});
    for list in ["containers", "initContainers", "volumes"] {
        let before = pod["spec"][list].as_array().map_or(0, Vec::len);
        for item in expected["spec"].get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().take(before) {
            item["future"] = json!([{"b": 1.50}]);
        }
    }
    assert_eq!(with_future.pod, expected, "fields that nobody knows survive");
    Ok(outcome)
}

fn run(spec: Value, pod_spec: Value) -> Outcome {
    run_in(&spec, &json!({"metadata": {}, "spec": pod_spec}), &world(), &[]).expect("no conflict")
}

/// The same of a pod that came through the API server.
fn run_online(spec: Value, pod_spec: Value) -> Outcome {
    let pod = arrived(&json!({"metadata": {}, "spec": pod_spec}), &world());
    run_in(&spec, &pod, &world(), &[]).expect("no conflict")
}

/// The same of a workload's template.
fn run_template(spec: Value, template: Value) -> Outcome {
    run_in(&spec, &template, &World { is_template: true, ..world() }, &[]).expect("no conflict")
}
