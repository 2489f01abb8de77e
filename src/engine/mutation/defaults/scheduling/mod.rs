//! Where pods go and what runs them: tolerations, node affinity, topology spread, priority, runtime.

mod affinity;
mod priority;
mod runtime;
mod spread;
mod tolerations;

use serde_json::Value;

use super::{Conflict, Flaw, Part, flaw};
use crate::engine::mutation::document;

#[derive(Debug)]
pub(super) struct SchedulingDefaults {
    tolerations: Vec<tolerations::Toleration>,
    affinity: Vec<affinity::Requirement>,
    spread: Vec<spread::Constraint>,
    priority_class: Option<String>,
    runtime_class: Option<String>,
}

impl SchedulingDefaults {
    pub(super) fn compile(document: &document::SchedulingDefaults, flaws: &mut Vec<Flaw>) -> Self {
        let at = |field: &str, index: usize| format!("spec.scheduling.{field}[{index}]");
        let tolerations = document.tolerations.iter().enumerate();
        let affinity = document.required_node_affinity.iter().enumerate();
        let spread = document.topology_spread.iter().enumerate();
        let compiled = Self {
            tolerations: tolerations
                .filter_map(|(index, value)| tolerations::Toleration::compile(value, &at("tolerations", index), flaws))
                .collect(),
            affinity: affinity
                .filter_map(|(index, value)| {
                    affinity::Requirement::compile(value, &at("requiredNodeAffinity", index), flaws)
                })
                .collect(),
            spread: spread
                .filter_map(|(index, value)| spread::Constraint::compile(value, &at("topologySpread", index), flaws))
                .collect(),
            priority_class: document.priority_class_name.clone(),
            runtime_class: document.runtime_class_name.clone(),
        };
        if compiled.priority_class.as_deref() == Some("") {
            flaws.push(flaw("spec.scheduling.priorityClassName", "must be the name of a priority class"));
        }
        if compiled.runtime_class.as_deref() == Some("") {
            flaws.push(flaw("spec.scheduling.runtimeClassName", "must be the name of a runtime class"));
        }
        spread::check_repeated(&compiled.spread, flaws);
        compiled
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) -> Result<(), Conflict> {
        tolerations::append(part, &self.tolerations);
        affinity::require(part, &self.affinity);
        spread::append(part, &self.spread)?;
        if let Some(class) = &self.priority_class {
            priority::set(part, class)?;
        }
        match &self.runtime_class {
            Some(class) => runtime::set(part, class),
            None => Ok(()),
        }
    }
}

/// A member that is a string; `None` with a flaw if it is something else, empty if it is not there.
fn text<'v>(value: &'v Value, field: &str, path: &str, flaws: &mut Vec<Flaw>) -> Option<&'v str> {
    match value.get(field) {
        None | Some(Value::Null) => Some(""),
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            flaws.push(flaw(format!("{path}.{field}"), format!("must be a string, not {other}")));
            None
        }
    }
}

/// Whether a value is one of these; a flaw if it is not.
fn is_one_of(value: &str, names: &[&str], path: String, flaws: &mut Vec<Flaw>) -> bool {
    let is_known = names.contains(&value);
    if !is_known {
        flaws.push(flaw(path, format!("must be one of {}, not {value:?}", names.join(", "))));
    }
    is_known
}
