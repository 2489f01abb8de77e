//! `procMount`: containers keep the masks over /proc, unless (since 1.35) the pod has a user namespace of its own.

use super::{Check, Findings, Level, Pod, Sites, Value, join_quoted, since};

pub(super) const CHECK: Check = Check {
    id: "procMount",
    level: Level::Baseline,
    variants: &[since(0, find), since(35, find).unless(|pod| pod.has_own_users())],
    reason: |_| "procMount",
    detail,
    page: include_str!("../../../../docs/checks/procMount.md"),
};

pub(super) fn detail(sites: &Sites<'_>) -> String {
    let containers = sites.containers();
    format!("{containers} must not set securityContext.procMount to {}", join_quoted(&sites.value_set()))
}

pub(super) fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        if let Some(proc_mount) = context.and_then(|context| context.proc_mount.as_ref())
            && &**proc_mount != "Default"
        {
            let fix = "remove procMount or set it to Default";
            findings.container(&container, "securityContext.procMount", Value::from(&**proc_mount), fix);
        }
    }
}
