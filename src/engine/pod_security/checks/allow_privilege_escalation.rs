//! `allowPrivilegeEscalation`: every container says that its processes gain no privileges.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    variants: &[since(8, find), since(25, find).unless(|pod| pod.is_windows())],
    reason: |_| "allowPrivilegeEscalation != false",
    detail: |sites| format!("{} must set securityContext.allowPrivilegeEscalation=false", sites.containers()),
    page: include_str!("../../../../docs/checks/allowPrivilegeEscalation.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        let value = match context.and_then(|context| context.allow_privilege_escalation) {
            Some(false) => continue,
            Some(true) => Value::Bool(true),
            None => Value::Missing,
        };
        let fix = "set allowPrivilegeEscalation to false in this container: the pod cannot say it for all";
        findings.container(&container, "securityContext.allowPrivilegeEscalation", value, fix);
    }
}
