//! A pod as it leaves kubectl and as a webhook sees it.

use serde_json::{Value, json};

use super::*;
use crate::engine::mutation::{LimitRange, PriorityClass};

fn completed(pod: &Value, world: &World<'_>) -> Value {
    let mut tree = Node::new(pod.to_string());
    complete(&mut tree, world, ServiceAccount { image_pull_secrets: &["pull"], automount_token: None });
    let once = tree.to_json().into_owned();
    let mut again = Node::new(once.as_str());
    complete(&mut again, world, ServiceAccount { image_pull_secrets: &["pull"], automount_token: None });
    let twice: Value = serde_json::from_str(&again.to_json()).expect("JSON");
    let once: Value = serde_json::from_str(&once).expect("JSON");
    assert_eq!(twice, once, "once is enough");
    once
}

#[test]
fn a_pod_is_completed_as_the_api_server_does() {
    let pod = json!({"spec": {"hostNetwork": true, "future": {"a": [1]}, "containers": [{
        "name": "a", "image": "registry.example:5000/app",
        "ports": [{"containerPort": 80}],
        "env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}, {"name": "E", "value": ""}],
        "resources": {"limits": {"cpu": "0.0001", "memory": "1Gi"}},
        "livenessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5},
    }], "volumes": [{"name": "v"}, {"name": "c", "configMap": {"name": "m"}}]}});
    let limits = r#"[{"type":"Container","default":{"ephemeral-storage":"1Gi"},"min":{"cpu":"1m"}}]"#;
    let class = PriorityClass { value: 7, preemption_policy: "Never" };
    let world = World {
        limit_ranges: vec![LimitRange { name: "l", limits }],
        priority_classes: [("c", class)].into(),
        ..World::default()
    };
    let found = completed(&pod, &world);
    let token = json!({"name": "kube-api-access-7x2zq", "readOnly": true,
                       "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"});
    assert_eq!(
        found["spec"]["containers"][0],
        json!({
            "name": "a", "image": "registry.example:5000/app", "imagePullPolicy": "Always",
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}],
            "env": [{"name": "N", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.hostIP"}}}, {"name": "E"}],
            "resources": {"limits": {"cpu": "1m", "memory": "1Gi", "ephemeral-storage": "1Gi"},
                          "requests": {"cpu": "1m", "memory": "1Gi", "ephemeral-storage": "1Gi"}},
            "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "periodSeconds": 5,
                              "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3},
            "volumeMounts": [token],
        })
    );
    let spec = &found["spec"];
    assert_eq!(spec["volumes"][0], json!({"name": "v", "emptyDir": {}}));
    assert_eq!(spec["volumes"][1]["configMap"]["defaultMode"], 420);
    assert_eq!(spec["volumes"][2]["name"], "kube-api-access-7x2zq");
    assert_eq!(spec["future"], json!({"a": [1]}));
    for (field, expected) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("restartPolicy", json!("Always")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
        ("schedulerName", json!("default-scheduler")),
        ("enableServiceLinks", json!(true)),
        ("serviceAccountName", json!("default")),
        ("serviceAccount", json!("default")),
        ("imagePullSecrets", json!([{"name": "pull"}])),
        ("priority", json!(0)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
    ] {
        assert_eq!(spec[field], expected, "{field}");
    }
    assert_eq!(spec["tolerations"].as_array().expect("a list").len(), 2);
}

#[test]
fn a_pod_that_says_everything_stays_as_it_is() {
    let pod = completed(
        &json!({"spec": {"containers": [{"name": "a", "image": "a:1"}], "priorityClassName": "c"}}),
        &World {
            priority_classes: [("c", PriorityClass { value: 7, preemption_policy: "Never" })].into(),
            ..World::default()
        },
    );
    assert_eq!((&pod["spec"]["priority"], &pod["spec"]["preemptionPolicy"]), (&json!(7), &json!("Never")));
    let mut tree = Node::new(pod.to_string());
    complete(&mut tree, &World::default(), ServiceAccount::default());
    assert_eq!(crate::engine::mutation::Patch::of(&tree), None);
}

#[test]
fn images_are_pulled_by_their_tag() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let always =
        ["app", "app:latest", "host:5000/app", "localhost/a/b", "HOST/app:latest", "[::1]:5000/app", "a__b/c--d.e"];
    let with_digest = format!("app:latest@{digest}");
    let long = format!("a/{}", "b".repeat(253));
    let mut cases: Vec<(&str, &str)> =
        always.into_iter().chain([&*with_digest, &*long]).map(|image| (image, "Always")).collect();
    let only_digest = format!("app@{digest}");
    let (short_digest, identifier, longer) = (format!("app:latest@{digest}0"), "0a".repeat(32), format!("{long}b"));
    let others = [
        "app:1",
        "host:5000/app:1",
        "app:",
        "App",
        "a/B:latest",
        "a___b",
        "a..b",
        "-a",
        "a//b",
        "a-.example:x/b",
        "a b",
        "",
    ];
    let broken = [&*only_digest, &*short_digest, &*identifier, &*longer];
    cases.extend(others.into_iter().chain(broken).map(|image| (image, "IfNotPresent")));
    for (image, expected) in cases {
        assert_eq!(containers::pull_policy(image), format!("{expected:?}"), "{image}");
    }
}
