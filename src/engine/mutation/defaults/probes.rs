//! Readiness probes copied from liveness probes. No probe is ever made up.

use super::{CONTAINERS, Part};
use crate::engine::mutation::Node;
use crate::engine::mutation::document::Names;
use crate::engine::mutation::others::is_of_another;

/// Gives plain containers that have a liveness probe and no readiness probe the same as readiness probe. Native sidecars are left alone:
/// their readiness is the pod's, which they do not know of; so are those that other injectors add.
pub(super) fn copy_liveness(part: &mut Part<'_, '_>) {
    let targets = part.targets(CONTAINERS, &Names::default());
    for target in targets.into_iter().filter(|target| !is_of_another(&target.name)) {
        let Some(container) = part.container(&target) else { continue };
        let (Some(liveness), None) = (container.get("livenessProbe"), container.get("readinessProbe")) else {
            continue;
        };
        let mut copy = Node::new(liveness.to_json().into_owned());
        // The API refuses it in a readiness probe, for nothing is ended by one.
        copy.remove("terminationGracePeriodSeconds");
        let json = copy.to_json().into_owned();
        if let Some(container) = part.edit(&target) {
            container.set("readinessProbe", json);
        }
    }
}
