//! Containers that other injectors add: they are nobody's app. What a document says of the pod's containers is not meant for them, and
//! the ports on which they listen are taken, though they declare few of them.
//!
//! Known by the names that their injectors give them, as these are what their own tools go by. Sources: the injectors' templates
//! (istio's injection-template.yaml, linkerd's partials, kuma's injector and so on).

use super::super::document::Names;
use super::super::selection::{self, is_like};
use super::super::tree::{Node, quoted};
use super::work::Work;

struct Other {
    /// In which `*` stands for any text.
    name: &'static str,
    ports: &'static [u16],
}

const fn other(name: &'static str, ports: &'static [u16]) -> Other {
    Other { name, ports }
}

const OTHERS: [Other; 30] = [
    other("azwi-proxy", &[8000]),
    other("azwi-proxy-init", &[]),
    other("cloud-sql-proxy", &[]),
    other("consul-connect-envoy-sidecar", &[15001, 20000]),
    other("consul-connect-inject-init", &[]),
    other("consul-dataplane", &[15001, 20000]),
    other("csql-*", &[]),
    other("daprd", &[3500, 50001, 50002]),
    other("datadog-agent-injected", &[]),
    other("datadog-init-apm-inject", &[]),
    other("datadog-lib-*-init", &[]),
    other("envoy-sidecar", &[]),
    other("gke-gcsfuse-*", &[]),
    other("istio-init", &[]),
    other("istio-proxy", &[15000, 15001, 15004, 15006, 15020, 15021, 15053, 15090]),
    other("istio-validation", &[]),
    other("kuma-init", &[]),
    other("kuma-sidecar", &[9901, 15001, 15006]),
    other("kuma-validation", &[]),
    other("linkerd-debug", &[]),
    other("linkerd-init", &[]),
    other("linkerd-network-validator", &[]),
    other("linkerd-proxy", &[4140, 4143, 4190, 4191]),
    other("opentelemetry-auto-instrumentation", &[]),
    other("opentelemetry-auto-instrumentation-*", &[]),
    other("osm-init", &[]),
    other("otc-container", &[]),
    other("queue-proxy", &[8012, 8022, 9090, 9091]),
    other("vault-agent", &[]),
    other("vault-agent-init", &[]),
];

fn find(name: &str) -> Option<&'static Other> {
    OTHERS.iter().find(|other| is_like(other.name, name))
}

/// Whether another injector adds a container of this name.
pub(super) fn is_of_another(name: &str) -> bool {
    find(name).is_some()
}

/// Whether a container of this name is among those that a document means by these names: one of another injector only if it is
/// included to the letter.
pub(super) fn is_meant(names: &Names, name: &str) -> bool {
    names.has(name) && (!is_of_another(name) || names.include.iter().any(|included| included == name))
}

/// The ports on which it listens, declared or not.
pub(super) fn ports(name: &str) -> &'static [u16] {
    find(name).map_or(&[], |other| other.ports)
}

impl Work<'_, '_> {
    /// Whether a container of somebody else is told by its variables that it has to answer this probe: by the probe's path, as istio's
    /// and those of our other documents are, or by its port, as kuma's is.
    pub(super) fn is_answered(&self, action: &Node<'_>) -> bool {
        // As a key: the same text may be the path of another probe.
        let path = action.string_at("path").map(|path| format!("{}:", quoted(&path)));
        let names_path = |value: &str| value.starts_with('{') && path.as_ref().is_some_and(|path| value.contains(path));
        let port = action.get("port").and_then(Node::integer).map(|port| port.to_string());
        let names_port = |value: &str| port.as_ref().is_some_and(|port| port == value);
        selection::containers(&self.plan.pod).any(|container| {
            let name = container.string_at("name").unwrap_or_default();
            let is_of_document =
                self.plan.own_containers.iter().any(|own| *own == *name) && self.parts.item(&name).is_none();
            let is_of_another = is_of_another(&name);
            container.list("env").any(|variable| {
                let value = variable.string_at("value").unwrap_or_default();
                let is_about_probes = variable.string_at("name").is_some_and(|name| name.contains("PROBE"));
                (is_of_document && names_path(&value))
                    || (is_of_another && is_about_probes && (names_path(&value) || names_port(&value)))
            })
        })
    }
}
