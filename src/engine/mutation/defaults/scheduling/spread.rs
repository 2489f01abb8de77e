//! Topology spread constraints for pods that have none for the same topology and action.
//!
//! Which pods are to be spread is what a document cannot know. A controller's pods carry a label that only they have, and a template's labels
//! are those of its pods; a pod with neither gets no constraint.

use serde_json::{Value, json};

use super::text;
use crate::engine::mutation::defaults::{Conflict, Flaw, Part, Reason, flaw};
use crate::engine::mutation::{Node, owner, owner_kind};

/// Labels that the pods of one controller have in common and no others have, as the controllers of Kubernetes set them.
const SHARED: [&str; 4] =
    ["pod-template-hash", "batch.kubernetes.io/controller-uid", "controller-uid", "controller-revision-hash"];

#[derive(Debug)]
pub(super) struct Constraint {
    topology_key: String,
    action: String,
    constraint: Value,
    path: String,
}

impl Constraint {
    pub(super) fn compile(value: &Value, path: String, flaws: &mut Vec<Flaw>) -> Self {
        for field in ["labelSelector", "matchLabelKeys"] {
            if value.get(field).is_some() {
                let problem = "must be left out: the labels that the pods of a workload have in common are taken";
                flaws.push(flaw(format!("{path}.{field}"), problem));
            }
        }
        Self {
            topology_key: text(value, "topologyKey"),
            action: text(value, "whenUnsatisfiable"),
            constraint: value.clone(),
            path,
        }
    }
}

/// The API allows a topology and an action together once.
pub(super) fn check_repeated(constraints: &[Constraint], flaws: &mut Vec<Flaw>) {
    for (index, constraint) in constraints.iter().enumerate() {
        let is_same =
            |other: &Constraint| (&other.topology_key, &other.action) == (&constraint.topology_key, &constraint.action);
        if constraints.iter().take(index).any(is_same) {
            flaws.push(flaw(&*constraint.path, "is for the same topologyKey and whenUnsatisfiable as one before it"));
        }
    }
}

pub(super) fn append(part: &mut Part<'_, '_>, constraints: &[Constraint]) -> Result<(), Conflict> {
    // Each pod of a DaemonSet has a node that it has to be on.
    if owner_kind(part.pod()) == "DaemonSet" {
        return Ok(());
    }
    for constraint in constraints {
        let is_same = |found: &Node<'_>| {
            found.string_at("topologyKey").is_some_and(|key| key == constraint.topology_key.as_str())
                && found.string_at("whenUnsatisfiable").is_some_and(|action| action == constraint.action.as_str())
        };
        if part.spec().is_some_and(|spec| spec.list("topologySpreadConstraints").any(is_same)) {
            continue;
        }
        let Some(labels) = shared_labels(part) else {
            // A pod of its own has nobody to be spread from.
            if part.plan.world.is_template || owner(part.pod()).is_some() {
                part.conflict(Reason::SelectorUnknown, "spec.topologySpreadConstraints")?;
            }
            return Ok(());
        };
        let mut value = constraint.constraint.clone();
        if let Some(members) = value.as_object_mut() {
            members.insert("labelSelector".to_owned(), json!({"matchLabels": labels}));
        }
        if let Some(list) = part.within(&["spec", "topologySpreadConstraints"]) {
            list.push(value.to_string());
        }
    }
    Ok(())
}

/// Labels that select the pods of the same workload; none if there are none.
fn shared_labels(part: &Part<'_, '_>) -> Option<Value> {
    let labels = part.pod().at(&["metadata", "labels"])?;
    let pairs = labels.members().filter_map(|(key, value)| Some((key.to_owned(), Value::from(value.string()?))));
    let all: serde_json::Map<String, Value> = pairs.collect();
    if part.plan.world.is_template {
        return (!all.is_empty()).then_some(Value::Object(all));
    }
    owner(part.pod())?;
    SHARED.iter().find_map(|key| Some(json!({*key: all.get(*key)?})))
}
