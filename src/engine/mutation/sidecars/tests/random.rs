//! I5, as far as sidecars go: whatever the pod and the document, passes converge, orders hold and everybody else's parts survive.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NAMES: [&str; 5] = ["alpha", "beta", "gamma", "istio-proxy", "delta"];

fn probe() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"httpGet": {"path": "/h", "port": 8080}})),
        Just(json!({"httpGet": {"path": "/h", "port": "web"}})),
        Just(json!({"tcpSocket": {"port": 8080}, "timeoutSeconds": 4})),
        Just(json!({"exec": {"command": ["true"]}})),
    ]
}

fn user_container(name: &'static str) -> impl Strategy<Value = Value> {
    let env = prop::collection::vec(prop::sample::select(vec!["A", "B", "FOO"]), 0..3);
    (env, prop::option::of(probe()), any::<bool>()).prop_map(move |(env, probe, has_port)| {
        let mut container = json!({"name": name, "image": "i:1"});
        if !env.is_empty() {
            container["env"] = env.iter().map(|name| json!({"name": name, "value": "user"})).collect();
        }
        if let Some(probe) = probe {
            container["livenessProbe"] = probe;
        }
        if has_port {
            container["ports"] = json!([{"name": "web", "containerPort": 8080}]);
        }
        container
    })
}

fn some_pod() -> impl Strategy<Value = Value> {
    let list = |names: &'static [&'static str], least: usize| {
        let all: Vec<_> = names.iter().map(|name| user_container(name)).collect();
        (all, least..=names.len()).prop_map(|(mut all, count)| {
            all.truncate(count);
            all
        })
    };
    (list(&NAMES[..2], 1), list(&NAMES[2..], 0)).prop_map(|(containers, mut inits)| {
        for init in &mut inits {
            if init["name"] == "istio-proxy" {
                init["restartPolicy"] = json!("Always");
            } else {
                init.as_object_mut().expect("a container").remove("livenessProbe");
            }
        }
        let mut spec = json!({"containers": containers});
        if !inits.is_empty() {
            spec["initContainers"] = inits.into();
        }
        pod(spec)
    })
}

fn order() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(vec!["gamma", "delta", "istio-*", "alpha"]);
    prop_oneof![
        Just(json!({})),
        Just(json!({"first": true})),
        Just(json!({"last": true})),
        Just(json!({"before": ["*"]})),
        Just(json!({"after": ["*"]})),
        name().prop_map(|name| json!({"before": [name]})),
        name().prop_map(|name| json!({"after": [name], "before": ["*"]})),
    ]
}

fn some_document() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec!["Auto", "Native", "Container"]);
    let on_existing = prop::sample::select(vec!["Keep", "Replace", "Append"]);
    let position = prop::sample::select(vec!["First", "Last"]);
    ((kind, order()), order(), on_existing, position, any::<bool>()).prop_map(|((kind, one), other, on_existing, position, rewrites)| {
        let mut add = json!({
            "containers": [sidecar("proxy", json!({"placement": {"kind": kind, "order": one}}))],
            "initContainers": [sidecar("setup", json!({"placement": {"order": other}}))],
            "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}}],
            "patchContainers": [{"select": {"initContainers": rewrites},
                "env": [{"name": "FOO", "value": "ours", "onExisting": on_existing, "position": position}, {"name": "X", "value": "1", "position": position}],
                "mounts": [{"mount": {"name": "buffer", "mountPath": "/b"}}]}],
            "pod": {"labels": {"l": "1"}, "defaultContainer": true},
        });
        if rewrites {
            add["probeRewrite"] = json!({"container": "proxy", "port": 15020, "path": "/{container}/{probe}", "variable": "PROBES"});
        }
        add
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn i5_passes_converge_and_others_keep_their_order(pod in some_pod(), add in some_document()) {
        let injection = adding(add);
        let admitted = admit(&injection, &pod);
        for list in ["containers", "initContainers"] {
            let own = ["proxy", "setup"];
            let left: Vec<_> = admitted.names(list).into_iter().filter(|name| !own.contains(name)).collect();
            let before = pod["spec"][list].as_array().map_or(&[] as &[Value], Vec::as_slice);
            let before: Vec<_> = before.iter().map(|container| container["name"].as_str().expect("a name")).collect();
            prop_assert_eq!(left, before);
        }
        prop_assert_eq!(admitted.names("initContainers").iter().filter(|name| **name == "setup").count(), 1);
    }
}
