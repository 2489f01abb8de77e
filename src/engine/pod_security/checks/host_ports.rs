//! `hostPorts`: no container takes a port of its node.

use super::{Check, Findings, Level, Pod, Value, plural, since};

pub(super) const CHECK: Check = Check {
    id: "hostPorts",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |_| "hostPort",
    detail: |sites| {
        let ports = sites.value_set();
        format!("{} {} {}", sites.containers_use(), plural("hostPort", "hostPorts", ports.len()), ports.join(", "))
    },
    page: include_str!("../../../../docs/checks/hostPorts.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        for (index, port) in container.ports.iter().enumerate() {
            let number = port.host_port.unwrap_or_default();
            if number != 0 {
                let fix = "remove hostPort, and hostNetwork, which implies it; expose containerPort through a Service";
                findings.container_element(&container, ("ports", index, ".hostPort"), Value::Number(number.into()), fix);
            }
        }
    }
}
