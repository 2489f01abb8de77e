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
    /// Compiles what has the shape that the API demands.
    pub(super) fn compile(document: &document::SchedulingDefaults, flaws: &mut Vec<Flaw>) -> Self {
        let spread = document.topology_spread.iter().enumerate();
        let compiled = Self {
            tolerations: document.tolerations.iter().map(tolerations::Toleration::new).collect(),
            affinity: document.required_node_affinity.iter().map(affinity::Requirement::new).collect(),
            spread: spread
                .map(|(index, value)| {
                    let path = format!("spec.scheduling.topologySpread[{index}]");
                    spread::Constraint::compile(value, path, flaws)
                })
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

/// A member that is a string; empty if it is not there.
fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}
