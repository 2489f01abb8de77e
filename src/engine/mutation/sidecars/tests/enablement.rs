//! Group A, as far as it is about what a sidecar is in a pod; which pods have one is told elsewhere.

use serde_json::json;

use super::*;

#[test]
fn a6_on_the_hosts_network_no_port_of_ours_becomes_the_nodes() {
    let injection = adding(json!({"containers": [sidecar("proxy", json!({"container": {
        "ports": [{"name": "admin", "containerPort": 15020}],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "admin"}}}}))]}));
    let mut pod = app();
    merge(&mut pod, json!({"spec": {"hostNetwork": true}}));
    let admitted = admit(&injection, &pod);
    let proxy = admitted.container("proxy");
    assert!(proxy["ports"].is_null());
    assert_eq!(proxy["readinessProbe"]["httpGet"]["port"], 15020);
    assert_eq!(admit(&injection, &app()).container("proxy")["ports"][0]["containerPort"], 15020);
}

#[test]
fn a8_on_windows_no_field_is_set_that_only_linux_has() {
    let injection = adding(
        json!({"containers": [sidecar("proxy", json!({"container": {"securityContext": {"runAsUser": 1337}}}))]}),
    );
    for spec in [json!({"os": {"name": "windows"}}), json!({"nodeSelector": {"kubernetes.io/os": "windows"}})] {
        let mut pod = app();
        merge(&mut pod, json!({"spec": spec}));
        assert_eq!(admit(&injection, &pod).container("proxy")["securityContext"], json!({"runAsNonRoot": true}));
    }
    assert_eq!(admit(&injection, &app()).container("proxy")["securityContext"]["runAsUser"], 1337);
}

#[test]
fn a9_a_pod_without_name_and_namespace_is_as_good_as_any() {
    let injection =
        adding(json!({"containers": [sidecar("proxy", json!({"env": [{"name": "OWNER", "from": "ownerName"}]}))]}));
    let mut nameless = app();
    assert_eq!(admit(&injection, &nameless).env("proxy"), pairs(&[("OWNER", "web")]));
    nameless["metadata"] = json!({});
    assert_eq!(admit(&injection, &nameless).env("proxy"), pairs(&[]));
}

fn owned(kind: &str, name: &str, labels: Value) -> Value {
    let mut pod = app();
    let owner = json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": true}]);
    merge(&mut pod, json!({"metadata": {"ownerReferences": owner, "labels": labels}}));
    pod
}

#[test]
fn a12_the_owner_is_the_workload_that_the_user_knows() {
    let injection =
        adding(json!({"containers": [sidecar("proxy", json!({"env": [{"name": "OWNER", "from": "ownerName"}]}))]}));
    let owner = |pod: &Value| admit(&injection, pod).env("proxy").remove(0).1;
    assert_eq!(owner(&owned("ReplicaSet", "web-6d4cf56db6", json!({}))), "web");
    assert_eq!(owner(&owned("ReplicaSet", "web-abc", json!({"pod-template-hash": "abc"}))), "web");
    assert_eq!(owner(&owned("ReplicaSet", "by-hand", json!({}))), "by-hand");
    assert_eq!(owner(&owned("StatefulSet", "db-6d4cf56db6", json!({}))), "db-6d4cf56db6");
    assert_eq!(owner(&owned("Job", "backup-29384756", json!({}))), "backup");
}

#[test]
fn values_come_from_the_namespace_and_the_pod_or_are_what_the_document_says() {
    let injection = adding(json!({
        "containers": [sidecar("proxy", json!({
            "container": {"env": [{"name": "LAST", "value": "$(TEAM)"}]},
            "env": [
                {"name": "TEAM", "from": {"namespaceLabel": "team"}},
                {"name": "TIER", "from": {"podLabel": "tier"}, "default": "none"},
                {"name": "NOTE", "from": {"podAnnotation": "note"}},
                {"name": "ABSENT", "from": {"podAnnotation": "absent"}},
                {"name": "APP", "from": "firstContainer"},
            ]}))],
    }));
    let cluster = Cluster { namespace_labels: [("team", "a-team")].into(), ..Cluster::default() };
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"annotations": {"note": "\"$(SECRET)\"\n"}}}));
    let expected =
        [("TEAM", "a-team"), ("TIER", "none"), ("NOTE", "\"$$(SECRET)\"\n"), ("APP", "app"), ("LAST", "$(TEAM)")];
    assert_eq!(cluster.admit(&[&injection], &pod).env("proxy"), pairs(&expected));
}
