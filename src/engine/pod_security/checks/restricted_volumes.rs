//! `restrictedVolumes`: every volume has a source that the restricted standard allows.

use super::{Check, Findings, Level, Pod, since, counted, plural};

pub(super) const CHECK: Check = Check {
    id: "restrictedVolumes",
    level: Level::Restricted,
    variants: &[since(0, find).overriding(&["hostPathVolumes"])],
    reason: |_| "restricted volume types",
    detail: |sites| {
        let names = sites.volume_names();
        let types = counted("restricted volume type", "restricted volume types", &sites.value_set());
        format!("{} {} {types}", counted("volume", "volumes", &names), plural("uses", "use", names.len()))
    },
    page: include_str!("../../../../docs/checks/restrictedVolumes.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for (index, volume) in pod.spec.volumes.iter().enumerate().filter(|(_, volume)| !volume.has_allowed_source()) {
        let fix = "use a persistentVolumeClaim, or a configMap, csi, downwardAPI, emptyDir, ephemeral, image, projected or \
                   secret volume";
        findings.volume(index, &volume.name, volume.restricted_source().0, fix);
    }
}
