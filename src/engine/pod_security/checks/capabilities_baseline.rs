//! `capabilities_baseline`: containers add only capabilities that the runtime grants by default.

use super::{Check, Findings, Level, Pod, Value, join_quoted, since};

pub(super) const CHECK: Check = Check {
    id: "capabilities_baseline",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "non-default capabilities",
    detail: |sites| {
        let capabilities = join_quoted(&sites.value_set());
        format!("{} must not include {capabilities} in securityContext.capabilities.add", sites.containers())
    },
    page: include_str!("../../../../docs/checks/capabilities_baseline.md"),
};

const ALLOWED: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        let Some(capabilities) = context.and_then(|context| context.capabilities.as_ref()) else { continue };
        for (index, capability) in capabilities.add.iter().enumerate() {
            if !ALLOWED.contains(&&**capability) {
                let fix = "remove it: only default capabilities may be added, in upper case and without the prefix CAP_";
                let element = ("securityContext.capabilities.add", index, "");
                findings.container_element(&container, element, Value::from(&**capability), fix);
            }
        }
    }
}
