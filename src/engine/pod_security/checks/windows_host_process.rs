//! `windowsHostProcess`: nothing runs as a process of a Windows node.

use super::{Check, Findings, Level, Pod, Value, since};
use crate::engine::object::SecurityContext;

pub(super) const CHECK: Check = Check {
    id: "windowsHostProcess",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "hostProcess",
    detail: |sites| format!("{} must not set securityContext.windowsOptions.hostProcess=true", sites.setters()),
    page: include_str!("../../../../docs/checks/windowsHostProcess.md"),
};

const FIELD: &str = "securityContext.windowsOptions.hostProcess";
const FIX: &str = "set hostProcess to false or remove it; run node agents in a namespace with the level privileged";

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    if is_host_process(&pod.spec.security_context) {
        findings.pod(FIELD, Value::Bool(true), FIX);
    }
    for container in pod.containers() {
        if is_host_process(&container.security_context) {
            findings.container(&container, FIELD, Value::Bool(true), FIX);
        }
    }
}

fn is_host_process(context: &Option<SecurityContext<'_>>) -> bool {
    let options = context.as_ref().and_then(|context| context.windows_options.as_ref());
    options.and_then(|options| options.host_process) == Some(true)
}
