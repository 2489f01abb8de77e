//! `runAsNonRoot`: the pod or each of its containers says that it runs as a user other than root, and nobody says otherwise.
//! Since 1.35 a pod with a user namespace of its own is free.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "runAsNonRoot",
    level: Level::Restricted,
    variants: &[since(0, find), since(35, find).unless(|pod| pod.has_own_users())],
    reason: |_| "runAsNonRoot != true",
    detail: |sites| {
        let explicit = sites.explicit();
        if explicit.is_empty() {
            format!("pod or {} must set securityContext.runAsNonRoot=true", sites.containers())
        } else {
            format!("{} must not set securityContext.runAsNonRoot=false", explicit.setters())
        }
    },
    page: include_str!("../../../../docs/checks/runAsNonRoot.md"),
};

const FIELD: &str = "securityContext.runAsNonRoot";

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    let inherited = pod.spec.security_context.as_ref().and_then(|context| context.run_as_non_root);
    if inherited == Some(false) {
        let fix = "set runAsNonRoot to true; the pod's own false is refused even if every container overrides it";
        findings.pod(FIELD, Value::Bool(false), fix);
    }
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        match context.and_then(|context| context.run_as_non_root) {
            Some(true) => {}
            Some(false) => {
                let fix = "set runAsNonRoot to true, or remove it where the pod's own is true";
                findings.container(&container, FIELD, Value::Bool(false), fix);
            }
            None if inherited == Some(true) => {}
            None => {
                let fix = "set runAsNonRoot: true in the pod's securityContext, or in this container's";
                findings.container(&container, FIELD, Value::Missing, fix);
            }
        }
    }
}
