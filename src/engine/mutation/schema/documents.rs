//! The places of a document at which there are parts of Kubernetes objects.

use serde_json::Value;

use super::{Inspection, special};
use crate::engine::mutation::document::{Flaw, Parts, PodDefaults, SidecarInjection};

/// What is wrong with the containers, volumes, variables and mounts of a document.
pub(in crate::engine::mutation) fn of_injection(document: &SidecarInjection) -> Vec<Flaw> {
    let mut inspection = Inspection { newer: &document.newer_fields, flaws: Vec::new() };
    inspection.selection(&document.enablement, &document.r#match);
    inspection.parts(&document.add, "spec.add");
    let revisions = document.revisions.iter().flat_map(|revisions| &revisions.items).enumerate();
    for (index, revision) in revisions {
        inspection.parts(&revision.add, &format!("spec.revisions.items[{index}].add"));
    }
    inspection.flaws
}

/// What is wrong with the tolerations, requirements and constraints of a document.
pub(in crate::engine::mutation) fn of_defaults(document: &PodDefaults) -> Vec<Flaw> {
    let mut inspection = Inspection { newer: &document.newer_fields, flaws: Vec::new() };
    inspection.selection(&document.enablement, &document.r#match);
    let pod = &document.pod;
    inspection.metadata((&pod.labels, &pod.annotations), &pod.image_pull_secrets, "spec.pod");
    let automount = document.security.as_ref().and_then(|security| security.automount_service_account_token.as_ref());
    if let Some(automount) = automount {
        let path = "spec.security.automountServiceAccountToken.unlessServiceAccount";
        inspection.selector(&automount.unless_service_account, path);
    }
    if let Some(scheduling) = &document.scheduling {
        let mut all = |values: &[Value], name: &str, field: &str| {
            for (index, value) in values.iter().enumerate() {
                inspection.object(value, name, &format!("spec.scheduling.{field}[{index}]"));
            }
        };
        all(&scheduling.tolerations, "Toleration", "tolerations");
        all(&scheduling.required_node_affinity, "NodeSelectorRequirement", "requiredNodeAffinity");
        all(&scheduling.topology_spread, "TopologySpreadConstraint", "topologySpread");
    }
    inspection.flaws
}

impl Inspection<'_> {
    fn parts(&mut self, parts: &Parts, path: &str) {
        for (list, sidecars) in [("initContainers", &parts.init_containers), ("containers", &parts.containers)] {
            for (index, sidecar) in sidecars.iter().enumerate() {
                self.object(&sidecar.container, "Container", &format!("{path}.{list}[{index}].container"));
            }
        }
        for (index, added) in parts.volumes.iter().enumerate() {
            self.object(&added.volume, "Volume", &format!("{path}.volumes[{index}].volume"));
        }
        for (index, patch) in parts.patch_containers.iter().enumerate() {
            let path = format!("{path}.patchContainers[{index}]");
            for (index, edit) in patch.env.iter().enumerate() {
                if let Some(source) = &edit.value_from {
                    self.object(source, "EnvVarSource", &format!("{path}.env[{index}].valueFrom"));
                }
            }
            for (index, edit) in patch.mounts.iter().enumerate() {
                let path = format!("{path}.mounts[{index}].mount");
                self.object(&edit.mount, "VolumeMount", &path);
                special::mount_is_for_everybody(self, &edit.mount, &path);
            }
        }
        let pod = &parts.pod;
        self.metadata((&pod.labels, &pod.annotations), &pod.image_pull_secrets, &format!("{path}.pod"));
        special::parts_fit(self, parts, path);
    }
}
