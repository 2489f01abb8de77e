//! C6 in the places where revisions meet: what one gave, the next one gives otherwise or not at all.

use serde_json::json;

use super::simulation::as_the_api_server_stores;
use super::*;

fn parts(name: &str) -> Value {
    let volume = format!("agent-{name}");
    json!({
        "containers": [sidecar("proxy", json!({"container": {"image": format!("registry.example/proxy:{name}")}}))],
        "volumes": [{"volume": {"name": volume, "emptyDir": {}}, "safeToEvict": true}],
        "patchContainers": [{
            "env": [
                {"name": "KEPT", "value": name},
                {"name": "FIRST", "value": name, "position": "First", "onExisting": "Fail"},
                {"name": "OPTIONS", "value": format!("-agent={name}"), "onExisting": "Append", "separator": ","},
            ],
            "mounts": [{"mount": {"name": volume, "mountPath": "/agent"}, "onExisting": "Fail"}]}],
        "pod": {
            "labels": {"mesh/revision": name},
            "annotations": {"mesh/note": name, format!("mesh/{name}"): "1"},
            "imagePullSecrets": [format!("pull-{name}")],
            "terminationGracePeriodAtLeast": if name == "v24" { 90 } else { 45 }},
    })
}

fn with_default(default: &str) -> Injection {
    let items = ["v24", "v25"].map(|name| json!({"name": name, "add": parts(name)}));
    document(&json!({"revisions": {"default": default, "items": items}})).expect("a document without flaws")
}

fn shop() -> Value {
    let mut pod = pod(json!({"containers": [
        {"name": "app", "image": "app:1", "env": [{"name": "OPTIONS", "value": "-x"}]},
        {"name": "second", "image": "second:1"},
    ]}));
    merge(&mut pod, json!({"metadata": {"annotations": {"mine": "1"}}, "spec": {"terminationGracePeriodSeconds": 10}}));
    pod
}

/// The manifest of a pod that ran, as a user applies it again, with a variable of his own.
fn copied(pod: &Value) -> Value {
    let mut copy = as_the_api_server_stores(pod);
    merge(&mut copy, json!({"metadata": {"name": "copy", "generateName": null}, "spec": {"nodeName": "node-1"}}));
    container_mut(&mut copy, "app")["env"].as_array_mut().expect("a list").push(json!({"name": "MINE", "value": "1"}));
    copy
}

/// What becomes of it, in one pass and for good. Fields that nobody knows may stand in what goes.
fn updated(injection: &Injection, pod: &Value) -> Admitted {
    let updated = Cluster::default().pass(&[injection], pod).expect("no conflict");
    let again = Cluster::default().pass(&[injection], &as_the_api_server_stores(&updated.pod)).expect("no conflict");
    assert_eq!(again.operations, Vec::<Value>::new());
    updated
}

#[test]
fn c6_a_copy_has_nothing_of_the_other_revision_in_it_and_all_of_its_own() {
    let old = admit(&with_default("v24"), &shop());
    assert_eq!(old.pod["spec"]["terminationGracePeriodSeconds"], 90);
    let updated = updated(&with_default("v25"), &copied(&old.pod));
    assert!(!updated.pod.to_string().contains("v24"), "{:#}", updated.pod);
    assert_eq!(updated.reasons(), []);
    let expected = [("FIRST", "v25"), ("OPTIONS", "-x,-agent=v25"), ("MINE", "1"), ("KEPT", "v25")];
    assert_eq!(updated.env("app"), pairs(&expected));
    assert_eq!(updated.env("second"), pairs(&[("FIRST", "v25"), ("KEPT", "v25"), ("OPTIONS", "-agent=v25")]));
    let mounts = updated.container("second")["volumeMounts"].as_array().expect("mounts");
    assert!(mounts.contains(&json!({"name": "agent-v25", "mountPath": "/agent"})), "{mounts:?}");
    assert_eq!(updated.names("imagePullSecrets"), ["pull-v25"]);
    assert_eq!(updated.pod["spec"]["terminationGracePeriodSeconds"], 45);
    assert_eq!(updated.annotation("cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"), "agent-v25");
    assert_eq!((updated.annotation("mine"), updated.annotation("mesh/v25")), ("1", "1"));
}

#[test]
fn c6_a_copy_follows_a_document_that_has_changed_as_far_as_it_says_the_same_things() {
    let old = admit(&adding(parts("v24")), &shop());
    let updated = updated(&adding(parts("v25")), &copied(&old.pod));
    assert_eq!(updated.container("proxy")["image"], "registry.example/proxy:v25");
    assert_eq!(updated.names("volumes"), ["kube-api-access-7x2zq", "agent-v25"]);
    let env = updated.env("app");
    assert_eq!((&env[0], &env[2]), (&pairs(&[("FIRST", "v25")])[0], &pairs(&[("KEPT", "v25")])[0]));
    let labels = &updated.pod["metadata"]["labels"]["mesh/revision"];
    assert_eq!((labels, updated.annotation("mesh/note")), (&json!("v25"), "v25"));
}

#[test]
fn i4_a_document_that_changes_between_two_passes_leaves_no_mixture() {
    let first = admit(&adding(parts("v24")), &shop());
    let second = updated(&adding(parts("v25")), &as_the_api_server_stores(&first.pod));
    assert_eq!(second.container("proxy")["image"], "registry.example/proxy:v25");
    assert_eq!(second.env("second"), pairs(&[("FIRST", "v25"), ("KEPT", "v25"), ("OPTIONS", "-agent=v25")]));
    let labels = &second.pod["metadata"]["labels"]["mesh/revision"];
    assert_eq!((labels, second.annotation("mesh/note")), (&json!("v25"), "v25"));
    let mounts = second.container("second")["volumeMounts"].as_array().expect("mounts");
    assert!(mounts.contains(&json!({"name": "agent-v25", "mountPath": "/agent"})), "{mounts:?}");
}

#[test]
fn c6_what_a_user_says_in_the_same_words_is_his() {
    let mut pod = shop();
    pod["spec"]["containers"][0]["env"] =
        json!([{"name": "KEPT", "value": "v24"}, {"name": "OPTIONS", "value": "-agent=v24"}]);
    merge(
        &mut pod,
        json!({"metadata": {"labels": {"mesh/revision": "v24"}}, "spec": {"imagePullSecrets": [{"name": "pull-v24"}]}}),
    );
    let admitted = admit(&with_default("v25"), &pod);
    let expected = [("FIRST", "v25"), ("KEPT", "v24"), ("OPTIONS", "-agent=v24,-agent=v25")];
    assert_eq!(admitted.env("app"), pairs(&expected));
    assert_eq!(admitted.names("imagePullSecrets"), ["pull-v24", "pull-v25"]);
    assert_eq!(admitted.pod["metadata"]["labels"]["mesh/revision"], "v24");
}
