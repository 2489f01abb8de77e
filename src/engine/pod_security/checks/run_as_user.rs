//! `runAsUser`: nobody asks for user 0. Since 1.35 a pod with a user namespace of its own is free.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "runAsUser",
    level: Level::Restricted,
    variants: &[since(23, find), since(35, find).unless(|pod| pod.has_own_users())],
    reason: |_| "runAsUser=0",
    detail: |sites| format!("{} must not set runAsUser=0", sites.setters()),
    page: include_str!("../../../../docs/checks/runAsUser.md"),
};

const FIELD: &str = "securityContext.runAsUser";

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    if pod.spec.security_context.as_ref().and_then(|context| context.run_as_user) == Some(0) {
        let fix = "set a user other than 0; the pod's own 0 is refused even if every container overrides it";
        findings.pod(FIELD, Value::Number(0), fix);
    }
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        if context.and_then(|context| context.run_as_user) == Some(0) {
            let fix = "set a user other than 0, or remove it and let the image name one";
            findings.container(&container, FIELD, Value::Number(0), fix);
        }
    }
}
