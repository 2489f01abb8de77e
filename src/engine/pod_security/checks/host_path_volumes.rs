//! `hostPathVolumes`: no volume is a path of the node.

use super::{Check, Findings, Level, Pod, counted, since};
use crate::engine::object::Source;

pub(super) const CHECK: Check = Check {
    id: "hostPathVolumes",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "hostPath volumes",
    detail: |sites| counted("volume", "volumes", &sites.volume_names()),
    page: include_str!("../../../../docs/checks/hostPathVolumes.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for (index, volume) in pod.spec.volumes.iter().enumerate() {
        if volume.has(Source::HOST_PATH) {
            let fix = "use an emptyDir, a configMap, a secret or a persistentVolumeClaim in place of the node's files";
            findings.volume(index, &volume.name, Source::HOST_PATH.0, fix);
        }
    }
}
