//! `hostProbesAndHostLifecycle`: no probe and no lifecycle hook names a host, since the kubelet would call it from the node.

use std::collections::BTreeSet;

use super::{Check, Findings, Level, Pod, Value, counted, plural, since};
use crate::engine::object::{ContainerAt, Handler};

pub(super) const CHECK: Check = Check {
    id: "hostProbesAndHostLifecycle",
    level: Level::Baseline,
    variants: &[since(34, find)],
    reason: |_| "probe or lifecycle host",
    detail: |sites| {
        let names: Vec<&str> = sites.container_names().into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let hosts = counted("probe or lifecycle host", "probe or lifecycle hosts", &sites.value_set());
        format!("{} {} {hosts}", counted("container", "containers", &names), plural("uses", "use", names.len()))
    },
    page: include_str!("../../../../docs/checks/hostProbesAndHostLifecycle.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let lifecycle = container.lifecycle.as_ref();
        let post_start = lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref());
        let pre_stop = lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref());
        let [liveness, readiness, startup] =
            [&container.liveness_probe, &container.readiness_probe, &container.startup_probe].map(Option::as_ref);
        find_hosts(&container, liveness, ["livenessProbe.httpGet.host", "livenessProbe.tcpSocket.host"], findings);
        find_hosts(&container, readiness, ["readinessProbe.httpGet.host", "readinessProbe.tcpSocket.host"], findings);
        find_hosts(&container, startup, ["startupProbe.httpGet.host", "startupProbe.tcpSocket.host"], findings);
        let fields = ["lifecycle.postStart.httpGet.host", "lifecycle.postStart.tcpSocket.host"];
        find_hosts(&container, post_start, fields, findings);
        find_hosts(&container, pre_stop, ["lifecycle.preStop.httpGet.host", "lifecycle.preStop.tcpSocket.host"], findings);
    }
}

fn find_hosts(
    container: &ContainerAt<'_>,
    handler: Option<&Handler<'_>>,
    [http_field, tcp_field]: [&'static str; 2],
    findings: &mut Findings,
) {
    let Some(handler) = handler else { return };
    for (field, action) in [(http_field, &handler.http_get), (tcp_field, &handler.tcp_socket)] {
        if let Some(action) = action
            && !action.host.is_empty()
        {
            let fix = "remove host: the pod's own address is the default (even a loopback address is refused)";
            findings.container(container, field, Value::from(&*action.host), fix);
        }
    }
}
