//! `hostNamespaces`: the pod shares no namespace of its node.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "hostNamespaces",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "host namespaces",
    detail: |sites| sites.assignments().join(", "),
    page: include_str!("../../../../docs/checks/hostNamespaces.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    let spec = pod.spec;
    for (field, value, fix) in [
        ("hostNetwork", spec.host_network, "remove hostNetwork; expose ports through a Service"),
        ("hostPID", spec.host_pid, "remove hostPID; shareProcessNamespace shows the processes of the pod itself"),
        ("hostIPC", spec.host_ipc, "remove hostIPC; share memory through an emptyDir with medium Memory"),
    ] {
        if value == Some(true) {
            findings.pod(field, Value::Bool(true), fix);
        }
    }
}
