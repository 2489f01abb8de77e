//! `sysctls`: only sysctls that are namespaced and known to be safe; the list has grown with Kubernetes.

use super::{Check, Findings, Level, Pod, Value, since};

pub(super) const CHECK: Check = Check {
    id: "sysctls",
    level: Level::Baseline,
    variants: &[
        since(0, |pod, findings| find(pod, findings, 0)),
        since(27, |pod, findings| find(pod, findings, 27)),
        since(29, |pod, findings| find(pod, findings, 29)),
        since(32, |pod, findings| find(pod, findings, 32)),
        since(37, |pod, findings| find(pod, findings, 37)),
    ],
    reason: |_| "forbidden sysctls",
    detail: |sites| sites.value_list().join(", "),
    page: include_str!("../../../../docs/checks/sysctls.md"),
};

/// Each allowed sysctl, compared as written, and the first minor version that allows it.
const ALLOWED: [(&str, u64); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

fn find(pod: &Pod<'_>, findings: &mut Findings, minor: u64) {
    let sysctls = pod.spec.security_context.as_ref().map(|context| &*context.sysctls).unwrap_or_default();
    for (index, sysctl) in sysctls.iter().enumerate() {
        if !ALLOWED.iter().any(|(name, since)| *name == &*sysctl.name && *since <= minor) {
            let fix = "remove it: this policy version does not list it as safe; the node's administrator may set it there";
            findings.pod_element("securityContext.sysctls", index, ".name", Value::from(&*sysctl.name), fix);
        }
    }
}
