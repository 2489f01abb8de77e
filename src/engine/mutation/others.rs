//! Containers that other injectors add: they are nobody's app. What a document says of the pod's containers is not meant for them, and
//! the ports on which they listen are taken, though they declare few of them.
//!
//! Known by the names that their injectors give them, as these are what their own tools go by. Sources: the injectors' templates
//! (istio's injection-template.yaml, linkerd's partials, kuma's injector and so on).

use super::document::Names;
use super::selection::is_like;

/// By name, in order; with the ports on which the container listens.
const OTHERS: &[(&str, &[u16])] = &[
    ("azwi-proxy", &[8000]),
    ("azwi-proxy-init", &[]),
    ("cloud-sql-proxy", &[]),
    ("consul-connect-envoy-sidecar", &[15001, 20000]),
    ("consul-connect-inject-init", &[]),
    ("consul-dataplane", &[15001, 20000]),
    ("copy-vault-env", &[]),
    ("daprd", &[3500, 50001, 50002]),
    ("datadog-agent-injected", &[]),
    ("datadog-init-apm-inject", &[]),
    ("dynatrace-operator", &[]),
    ("enable-core-dump", &[]),
    ("envoy-sidecar", &[]),
    ("install-oneagent", &[]),
    ("istio-init", &[]),
    ("istio-proxy", &[15000, 15001, 15004, 15006, 15020, 15021, 15053, 15090]),
    ("istio-validation", &[]),
    ("jaeger-agent", &[]),
    ("kuma-init", &[]),
    ("kuma-sidecar", &[9901, 15001, 15006]),
    ("kuma-validation", &[]),
    ("linkerd-debug", &[]),
    ("linkerd-init", &[]),
    ("linkerd-network-validator", &[]),
    ("linkerd-proxy", &[4140, 4143, 4190, 4191]),
    ("nginx-mesh-init", &[]),
    ("nginx-mesh-sidecar", &[]),
    ("opentelemetry-auto-instrumentation", &[]),
    ("osm-init", &[]),
    ("otc-container", &[]),
    ("queue-proxy", &[8012, 8022, 9090, 9091]),
    ("tel-agent-init", &[]),
    ("traffic-agent", &[]),
    ("vault-agent", &[]),
    ("vault-agent-init", &[]),
];

/// Names that go on in a way of their own: `*` stands for any text.
const FAMILIES: [&str; 7] = [
    "consul-connect-inject-init-*",
    "consul-dataplane-*",
    "csql-*",
    "datadog-lib-*-init",
    "gke-gcsfuse-*",
    "opentelemetry-auto-instrumentation-*",
    "otel-agent-*",
];

/// The ports on which a container of this name listens, declared or not; none if no other injector adds one.
fn find(name: &str) -> Option<&'static [u16]> {
    let listed = OTHERS.binary_search_by_key(&name, |(name, _)| *name).ok();
    let listed = listed.and_then(|place| OTHERS.get(place)).map(|(_, ports)| *ports);
    listed.or_else(|| FAMILIES.iter().any(|family| is_like(family, name)).then_some(&[]))
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
    find(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_finds_whole_names_alone() {
        assert!(OTHERS.is_sorted_by_key(|(name, _)| *name));
        for name in ["istio-proxy", "csql-shop-orders", "datadog-lib-java-init"] {
            assert!(is_of_another(name), "{name}");
        }
        for name in ["", "app", "istio-proxy-2", "my-istio-proxy", "queue", "datadog-lib-java"] {
            assert!(!is_of_another(name), "{name}");
        }
        assert!(ports("linkerd-proxy").contains(&4143) && ports("app").is_empty());
    }
}
