//! A priority class for pods whose class nobody chose.
//!
//! The Priority plugin has given such a pod the number and the policy of no class before we see it, and refuses a class that does not go
//! with them. So the three change together. A cluster with a default class gives every pod its name; then somebody has chosen.

use crate::engine::mutation::defaults::{Conflict, Part, Reason};
use crate::engine::mutation::quoted;

pub(super) fn set(part: &mut Part<'_, '_>, name: &str) -> Result<(), Conflict> {
    let has_class = part
        .pod()
        .at(&["spec", "priorityClassName"])
        .is_some_and(|class| class.string().is_none_or(|class| !class.is_empty()));
    if has_class {
        return Ok(());
    }
    let world = part.plan.world;
    let class = world.priority_classes.get(name);
    // A template gets its numbers as a pod; offline nobody may know the classes.
    let is_told_later = world.is_template && (class.is_some() || world.priority_classes.is_empty());
    let Some(spec) = part.within(&["spec"]) else { return Ok(()) };
    match class {
        _ if is_told_later => {}
        Some(class) => {
            spec.set("priority", class.value.to_string());
            let policy = Some(class.preemption_policy).filter(|policy| !policy.is_empty());
            spec.set("preemptionPolicy", quoted(policy.unwrap_or("PreemptLowerPriority")));
        }
        None => return part.conflict(Reason::PriorityClassMissing, format!("priority class {name:?}")),
    }
    spec.set("priorityClassName", quoted(name));
    Ok(())
}
