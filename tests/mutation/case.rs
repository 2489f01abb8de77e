//! One case: a pod, the documents that are for it, and what it is admitted into.
//!
//! A case is JSON, so that it can be shrunk and shown as it is.

use serde_json::{Value, json};

use crate::edit::{field, list, put};
use crate::random::Random;
use crate::{defaults, injections, pod};

/// The member by which nobody knows a field.
pub const UNKNOWN: &str = "fieldOfTheFuture";

/// The case of this index.
pub fn case(seed: u64, index: u64) -> Value {
    let mut random = Random::of_case(!seed, index);
    let mut pod = pod::case(seed, index).pod;
    flavour(&mut pod, &mut random);
    // What such a claim names may go with all that it holds, if nothing uses it.
    let has_claim = pod["metadata"]["annotations"]["portcullis.dev/applied"].is_string();
    if random.percent(40) && !has_claim {
        let mut id = 0;
        add_unknown_fields(field(&mut pod, "spec"), "spec", &mut random, &mut id);
    }
    let documents: Vec<Value> = match random.below(10) {
        0..=2 => vec![defaults::document("a", &mut random)],
        3..=5 => vec![injections::document("a", 0, &mut random)],
        6 | 7 => vec![defaults::document("a", &mut random), injections::document("b", 0, &mut random)],
        8 => vec![injections::document("a", 0, &mut random), injections::document("b", 1, &mut random)],
        _ => vec![
            defaults::document("a", &mut random),
            defaults::document("b", &mut random),
            injections::document("c", 0, &mut random),
        ],
    };
    let is_template = random.percent(15);
    if is_template {
        // A workload's selector, and so its template's labels, are never empty.
        put(&mut pod, "metadata.labels.app", Some(json!("web")));
    }
    json!({
        "pod": pod,
        "documents": documents,
        "level": random.word(&["privileged", "privileged", "baseline", "restricted"]),
        // Offline, where templates are, nobody knows of LimitRanges.
        "limits": if is_template { json!([]) } else { limits(&mut random) },
        "isTemplate": is_template,
        "hasNativeSidecars": random.percent(85),
        "namespaceLabels": {"team": "a"},
    })
}

/// What documents look at: owners, labels, and names, ports, users and volumes that a sidecar wants too.
fn flavour(pod: &mut Value, random: &mut Random) {
    if random.percent(40) {
        let kind = random.word(&["ReplicaSet", "Job", "DaemonSet", "StatefulSet"]);
        let owner = json!([{"apiVersion": "v1", "kind": kind, "name": "web-5d9f7c", "uid": "u", "controller": true}]);
        put(pod, "metadata.ownerReferences", Some(owner));
        put(pod, "metadata.labels.pod-template-hash", Some(json!("5d9f7c")));
    }
    if random.percent(10) {
        let claim = random.word(&[
            r#"{"a":{"parts":["c/app","v/v0","e/app/A"]}}"#,
            "{",
            r#"{"b":{"digest":"x","parts":["c/proxy"]}}"#,
        ]);
        put(pod, "metadata.annotations", Some(json!({"portcullis.dev/applied": claim})));
    }
    if random.percent(20) {
        let value = random.word(&["2", "100m", "registry.example/proxy:9", "x\ny", "7Gi"]);
        let key = random.word(&["cpu", "image", "level", "odd"]);
        if !pod["metadata"]["annotations"].is_object() {
            put(pod, "metadata.annotations", Some(json!({})));
        }
        pod["metadata"]["annotations"][format!("proxy.example.com/{key}")] = json!(value);
    }
    let spec = field(pod, "spec");
    if random.percent(70) {
        make_small(spec);
    }
    for number in 0..spec["containers"].as_array().map_or(0, Vec::len) {
        let container = &mut spec["containers"][number];
        match random.below(24) {
            0 => container["name"] = json!(["proxy", "proxy-two", "agent"][number % 3]),
            1 => container["image"] = json!("auto"),
            2 => list(container, "ports").push(json!({"containerPort": 15020})),
            3 => put(container, "securityContext.runAsUser", Some(json!(1337))),
            4 => list(container, "env").push(json!({"name": "LEVEL", "value": "user"})),
            5 => put(container, "livenessProbe", Some(json!({"httpGet": {"port": 15020}}))),
            6 => put(
                container,
                "env",
                Some(json!([{"name": "MODE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}])),
            ),
            _ => {}
        }
    }
    if random.percent(8) {
        let volume = random.word(&[
            r#"{"name":"buffer"}"#,
            r#"{"name":"buffer","emptyDir":{"medium":"Memory"}}"#,
            r#"{"name":"certs","secret":{"secretName":"s"}}"#,
        ]);
        list(spec, "volumes").push(serde_json::from_str(volume).unwrap_or_default());
    }
    if random.percent(15) {
        let proxy = json!({"name": "istio-proxy", "image": "istio:1", "restartPolicy": "Always"});
        list(spec, "initContainers").insert(0, proxy);
    }
}

/// Leaves one container of each list and the volumes that they use: most promises do not depend on how much there is.
fn make_small(spec: &mut Value) {
    for name in ["containers", "initContainers"] {
        if let Some(containers) = spec.get_mut(name).and_then(Value::as_array_mut) {
            containers.truncate(1);
        }
    }
    let users = format!("{}{}", spec["containers"], spec["initContainers"]);
    if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
        volumes.retain(|volume| users.contains(&format!("{}", volume["name"])));
    }
}

fn limits(random: &mut Random) -> Value {
    let limits = [
        r#"[]"#,
        r#"[]"#,
        r#"[[{"type":"Container","min":{"cpu":"50m"},"max":{"cpu":"3"},"maxLimitRequestRatio":{"cpu":"4"}}]]"#,
        r#"[[{"type":"Container","default":{"memory":"1Gi"},"defaultRequest":{"memory":"10Mi","cpu":"0.05"}}]]"#,
        r#"[[{"type":"Container","max":{"memory":"512Mi"},"default":{"cpu":"1"}},{"type":"Pod","max":{"cpu":"20"}}]]"#,
    ];
    serde_json::from_str(random.word(&limits)).unwrap_or_default()
}

/// Puts fields that nobody knows into objects of the API, each with a number of its own. Maps, whose members are the user's, get none.
fn add_unknown_fields(value: &mut Value, name: &str, random: &mut Random, id: &mut u64) {
    const MAPS: [&str; 9] = [
        "labels",
        "annotations",
        "matchLabels",
        "nodeSelector",
        "limits",
        "requests",
        "options",
        "volumeAttributes",
        "userAnnotations",
    ];
    // A probe that is rewritten keeps nothing of its handler.
    if ["httpGet", "tcpSocket", "grpc"].contains(&name) {
        return;
    }
    match value {
        Value::Object(members) if !MAPS.contains(&name) => {
            members.iter_mut().for_each(|(key, member)| add_unknown_fields(member, key, random, id));
            // A volume without a source would be one of a kind to come.
            if random.percent(15) && (name != "volumes" || members.len() > 1) {
                *id += 1;
                members.insert(UNKNOWN.to_owned(), json!({"id": id, "list": [null, 1.50]}));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| add_unknown_fields(element, name, random, id)),
        _ => {}
    }
}
