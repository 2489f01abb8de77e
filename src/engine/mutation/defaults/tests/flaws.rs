//! Documents that make no sense are refused with the place and the reason.

use serde_json::{Value, json};

use crate::engine::mutation::defaults::Defaults;
use crate::engine::mutation::document::PodDefaults;

fn flaws(spec: Value) -> Vec<String> {
    let document: PodDefaults = serde_json::from_value(spec).expect("a document");
    let compiled = Defaults::compile("PodDefaults/d", &document);
    compiled.err().into_iter().flatten().map(|flaw| flaw.to_string()).collect()
}

fn each_is_told(cases: &[(Value, &str)]) {
    for (spec, expected) in cases {
        let found = flaws(spec.clone());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with(expected), "{found:?}");
    }
}

#[test]
fn flaws_of_resources_and_security_have_their_paths() {
    each_is_told(&[
        (
            json!({"resources": {"containers": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}}}),
            "spec.resources.containers.limits.cpu: is 1, below",
        ),
        (
            json!({"resources": {"containers": {"requests": {"cpu": {"percent": 5}}}}}),
            "spec.resources.containers.requests.cpu.percent: there is nothing",
        ),
        (
            json!({"resources": {"initContainers": {"requests": {"cpu": "1e99"}}}}),
            "spec.resources.initContainers.requests.cpu: \"1e99\" is more",
        ),
        (
            json!({"security": {"capabilities": {"drop": ["CAP_NET_RAW"]}}}),
            "spec.security.capabilities.drop[0]: must be without",
        ),
        (
            json!({"security": {"capabilities": {"drop": ["net_raw"]}}}),
            "spec.security.capabilities.drop[0]: \"net_raw\" is no capability",
        ),
        (
            json!({"security": {"readOnlyRootFilesystem": {"writable": [{"path": "tmp"}]}}}),
            "spec.security.readOnlyRootFilesystem.writable[0].path: \"tmp\" is no place",
        ),
        (
            json!({"security": {"readOnlyRootFilesystem": {"writable": [{"path": "/"}]}}}),
            "spec.security.readOnlyRootFilesystem.writable[0].path: \"/\" is no place",
        ),
        (
            json!({"security": {"readOnlyRootFilesystem": {"writable": [{"path": "/a"}, {"path": "/a/"}]}}}),
            "spec.security.readOnlyRootFilesystem.writable[1].path: \"/a\" is here twice",
        ),
        (
            json!({"security": {"readOnlyRootFilesystem": {"writable": [{"path": "/a", "sizeLimit": "x"}]}}}),
            "spec.security.readOnlyRootFilesystem.writable[0].sizeLimit: \"x\" is no quantity",
        ),
    ]);
}

#[test]
fn flaws_of_all_else_have_their_paths() {
    each_is_told(&[
        (
            json!({"scheduling": {"tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]}}),
            "spec.scheduling.tolerations[0].value: must be left out",
        ),
        (
            json!({"scheduling": {"tolerations": [{"effect": "NoSchedule"}]}}),
            "spec.scheduling.tolerations[0].operator: must be Exists",
        ),
        (
            json!({"scheduling": {"tolerations": [{"key": "a", "effect": "Never"}]}}),
            "spec.scheduling.tolerations[0].effect: must be one of",
        ),
        (
            json!({"scheduling": {"tolerations": [{"key": "a", "tolerationSeconds": 3}]}}),
            "spec.scheduling.tolerations[0].effect: must be NoExecute",
        ),
        (json!({"scheduling": {"tolerations": ["spot"]}}), "spec.scheduling.tolerations[0]: must be a Toleration"),
        (
            json!({"scheduling": {"requiredNodeAffinity": [{"key": "a", "operator": "In"}]}}),
            "spec.scheduling.requiredNodeAffinity[0].values: must have",
        ),
        (
            json!({"scheduling": {"requiredNodeAffinity": [{"key": "a", "operator": "Exists", "values": ["b"]}]}}),
            "spec.scheduling.requiredNodeAffinity[0].values: must be left out",
        ),
        (
            json!({"scheduling": {"requiredNodeAffinity": [{"operator": "Exists"}]}}),
            "spec.scheduling.requiredNodeAffinity[0].key: must be given",
        ),
        (
            json!({"scheduling": {"topologySpread": [{"topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"}]}}),
            "spec.scheduling.topologySpread[0].maxSkew: must be given",
        ),
        (
            json!({"scheduling": {"topologySpread": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}]}}),
            "spec.scheduling.topologySpread[0].labelSelector: must be left out",
        ),
        (json!({"scheduling": {"priorityClassName": ""}}), "spec.scheduling.priorityClassName: must be"),
        (json!({"dns": {"options": {"ndots:": "2"}}}), "spec.dns.options.ndots:: must be"),
        (json!({"pod": {"labels": {"a b": "c"}}}), "spec.pod.labels[a b]: \"a b\" is no key"),
        (json!({"pod": {"labels": {"a": "c d"}}}), "spec.pod.labels[a]: \"c d\" is no value"),
        (json!({"pod": {"annotations": {"/a": ""}}}), "spec.pod.annotations[/a]: \"/a\" is no key"),
        (json!({"pod": {"imagePullSecrets": [""]}}), "spec.pod.imagePullSecrets[0]: \"\" is no name"),
    ]);
}

#[test]
fn all_flaws_are_told_at_once() {
    let spread = json!({"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway"});
    let found = flaws(
        json!({"scheduling": {"topologySpread": [spread, spread], "priorityClassName": ""}, "pod": {"labels": {"/": ""}}}),
    );
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found.iter().any(|flaw| flaw.starts_with("spec.scheduling.topologySpread[1]: is for the same")),
        "{found:?}"
    );
    assert!(flaws(json!({})).is_empty());
}
