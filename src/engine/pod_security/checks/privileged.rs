//! `privileged`: no container runs privileged.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "privileged",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "privileged",
    detail: |sites| format!("{} must not set securityContext.privileged=true", sites.containers()),
    page: include_str!("../../../../docs/checks/privileged.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        if context.and_then(|context| context.privileged) == Some(true) {
            let fix = "set privileged to false or remove it; add the one capability that is needed instead";
            findings.container(&container, "securityContext.privileged", Value::Bool(true), fix);
        }
    }
}
