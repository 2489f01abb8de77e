//! A runtime class for pods whose class nobody chose.
//!
//! The RuntimeClass plugin gives a pod its class's overhead and node selector, and refuses one that has others of its own. It runs again once
//! we have changed a pod, so only the name is set here: numbers of ours could be older than the class. What it would refuse is left out.
//!
//! Source: plugin/pkg/admission/runtimeclass/admission.go of k8s.io/kubernetes v1.37.1. Neither LimitRanges nor a pod's own resources count
//! the overhead; the quota and the scheduler do.

use std::collections::BTreeMap;

use crate::engine::mutation::defaults::{Conflict, Part, Reason, Weight};
use crate::engine::mutation::document::OperatingSystem;
use crate::engine::mutation::resources::quantities;
use crate::engine::mutation::{Node, RuntimeClass, operating_system, quoted};

pub(super) fn set(part: &mut Part<'_, '_>, name: &str) -> Result<(), Conflict> {
    let is_said = |field| part.pod().at(&["spec", field]).is_some();
    if is_said("runtimeClassName") || is_said("overhead") {
        return Ok(());
    }
    let world = part.plan.world;
    let class = world.runtime_classes.and_then(|classes| classes.get(name));
    // Offline nobody may know the classes; they are looked up once there is a pod.
    let is_told_later = world.is_template && world.runtime_classes.is_none_or(BTreeMap::is_empty);
    match class {
        None if !is_told_later => return part.conflict(Reason::RuntimeClassMissing, about(name)),
        Some(class) if !is_fit(class, part.pod()) => return part.conflict(Reason::RuntimeClassUnfit, about(name)),
        _ => {}
    }
    if let Some(spec) = part.within(&["spec"]) {
        spec.set("runtimeClassName", quoted(name));
    }
    if let Some(grown) = class.and_then(overhead) {
        part.note(Reason::EffectiveRequests, Weight::Detail, format!("{}, {grown}", about(name)));
    }
    Ok(())
}

fn about(name: &str) -> String {
    format!("runtime class {name:?}")
}

/// Whether the class is for nodes that the pod can be on, as far as the plugin looks, and for its operating system.
fn is_fit(class: &RuntimeClass, pod: &Node<'_>) -> bool {
    class.node_selector.iter().all(|(key, value)| {
        let chosen = pod.at(&["spec", "nodeSelector", key]).and_then(Node::string);
        let is_of_other_system = || {
            let is_windows = operating_system(pod) == OperatingSystem::Windows;
            &**key == "kubernetes.io/os" && (&**value == "windows") != is_windows
        };
        chosen.is_none_or(|chosen| chosen == **value) && !is_of_other_system()
    })
}

/// What the pods of the class ask for beside their containers.
fn overhead(class: &RuntimeClass) -> Option<String> {
    let amounts = quantities(&Node::new(class.overhead.as_deref()?));
    let grown: Vec<String> =
        amounts.iter().map(|(resource, amount)| format!("{resource} +{}", amount.written_for(resource))).collect();
    (!grown.is_empty()).then(|| grown.join(", "))
}
