//! Read-only root file systems and the places beside them.

use serde_json::{Value, json};

use super::{run, run_in, run_online, world};

const SAFE: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";

fn defaults() -> Value {
    json!({"security": {"readOnlyRootFilesystem": {"writable": [
        {"path": "/tmp", "sizeLimit": "64Mi", "safeToEvict": true}, {"path": "/var/run/"},
    ]}}})
}

#[test]
fn f6_each_container_gets_places_of_its_own() {
    let outcome = run_online(
        defaults(),
        json!({"containers": [{"name": "a"}, {"name": "b", "volumeMounts": [{"name": "v", "mountPath": "/tmp/"}]}], "volumes": [{"name": "v"}]}),
    );
    assert_eq!(outcome.container(0)["securityContext"], json!({"readOnlyRootFilesystem": true}));
    let mounts = |index: usize| {
        let mounts = outcome.container(index)["volumeMounts"].as_array().expect("a list").iter();
        mounts.map(|mount| format!("{} {}", mount["name"], mount["mountPath"]).replace('"', "")).collect::<Vec<_>>()
    };
    let token = "kube-api-access-7x2zq /var/run/secrets/kubernetes.io/serviceaccount";
    assert_eq!(mounts(0), [token, "writable-tmp--a /tmp", "writable-var-run--a /var/run"]);
    assert_eq!(mounts(1), ["v /tmp/", token, "writable-var-run--b /var/run"]);
    let volumes = outcome.spec()["volumes"].as_array().expect("a list");
    assert_eq!(volumes[2], json!({"name": "writable-tmp--a", "emptyDir": {"sizeLimit": "64Mi"}}));
    assert_eq!(volumes[3], json!({"name": "writable-var-run--a", "emptyDir": {}}));
    assert_eq!(outcome.pod["metadata"]["annotations"], json!({SAFE: "writable-tmp--a"}));
}

#[test]
fn f6_the_list_of_volumes_that_may_go_is_appended_to() {
    let pod = |list: &str| json!({"metadata": {"annotations": {SAFE: list}}, "spec": {"containers": [{"name": "a"}]}});
    let annotation = |list: &str| {
        let outcome = run_in(&defaults(), &pod(list), &world(), &[]).expect("no conflict");
        outcome.pod["metadata"]["annotations"][SAFE].as_str().expect("a string").to_owned()
    };
    assert_eq!(annotation("cache"), "cache,writable-tmp--a");
    assert_eq!(annotation("cache, writable-tmp--a"), "cache, writable-tmp--a");
}

#[test]
fn f6_who_says_something_and_who_mounts_above_keeps_it() {
    for said in [true, false] {
        let pod = json!({"containers": [{"name": "a", "securityContext": {"readOnlyRootFilesystem": said}}]});
        assert_eq!(run(defaults(), pod.clone()).spec(), &pod);
    }
    let above = json!({"containers": [{"name": "a", "volumeMounts": [{"name": "v", "mountPath": "/tmp"}, {"name": "w", "mountPath": "/var"}]}]});
    let outcome = run(defaults(), above.clone());
    assert_eq!(outcome.container(0)["volumeMounts"], above["containers"][0]["volumeMounts"]);
    assert_eq!(outcome.spec().get("volumes"), None);
}

#[test]
fn a_volume_of_ours_has_a_name_that_the_api_takes() {
    let long = "a".repeat(60);
    let defaults = json!({"security": {"readOnlyRootFilesystem": {"writable": [{"path": "/opt/App_1"}]}}});
    let outcome = run(defaults, json!({"containers": [{"name": long}, {"name": "b"}]}));
    let names: Vec<&str> =
        outcome.spec()["volumes"].as_array().expect("a list").iter().filter_map(|v| v["name"].as_str()).collect();
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
    assert!(names.iter().all(|name| name.len() == 25 && name.starts_with("writable-")), "{names:?}");
}

#[test]
fn a_volume_that_is_something_else_is_a_conflict() {
    let taken = json!({"spec": {"containers": [{"name": "a"}], "volumes": [{"name": "writable-tmp--a", "secret": {"secretName": "s"}}]}});
    let warned = run_in(&defaults(), &taken, &world(), &[]).expect("no conflict");
    assert_eq!((warned.pod == taken, warned.codes()), (true, vec!["volume_name_taken"]));
}
