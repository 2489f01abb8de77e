//! C7: copies of injected pods that ask to be left alone, and those that do not but lost their sidecar: no probe leads nowhere.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{Outcome, carried_out, document};
use crate::engine::mutation::{Active, Reason, Weight};
use crate::engine::pod_security::Level;

/// A mesh with all that goes with it.
fn mesh() -> Vec<Arc<Active>> {
    vec![document(
        "SidecarInjection",
        "mesh",
        &json!({
            "mode": "OptOut",
            "enablement": {"podLabels": ["mesh/inject"]},
            "add": {
                "containers": [{"container": {"name": "proxy", "image": "proxy:1"}, "reserves": {"ports": [15020]}}],
                "volumes": [{"volume": {"name": "agent", "emptyDir": {}}, "safeToEvict": true}],
                "probeRewrite": {"container": "proxy", "port": 15020, "path": "/probes/{container}/{probe}", "variable": "PROBES"},
                "patchContainers": [{"env": [{"name": "MESH", "value": "on"}], "mounts": [{"mount": {"name": "agent", "mountPath": "/agent"}}]}],
                "pod": {"labels": {"mesh": "on"}, "terminationGracePeriodAtLeast": 45},
            },
        }),
    )]
}

fn app() -> Value {
    let probe = json!({"tcpSocket": {"port": 80}, "periodSeconds": 7});
    json!({
        "metadata": {"name": "app", "labels": {"app": "shop"}},
        "spec": {"containers": [{"name": "app", "image": "app:1", "env": [{"name": "MINE", "value": "1"}], "readinessProbe": probe}]},
    })
}

fn admitted(pod: &Value) -> Outcome {
    carried_out(mesh(), pod, Level::Privileged)
}

/// A copy of the pod as it ran, with another choice.
fn copied(pod: &Value, choice: &str) -> Value {
    let mut copy = pod.clone();
    copy["metadata"]["name"] = json!("copy");
    copy["metadata"]["labels"]["mesh/inject"] = json!(choice);
    copy["spec"]["nodeName"] = json!("node-1");
    copy
}

/// The same without its sidecar, as somebody leaves it who debugs the app.
fn without_sidecar(mut pod: Value) -> Value {
    pod["spec"]["initContainers"] = json!([]);
    pod
}

fn told(outcome: &Outcome) -> Vec<Reason> {
    outcome
        .said()
        .into_iter()
        .map(|(_, reason, weight)| (weight == Weight::Warning).then_some(reason).expect("a warning"))
        .collect()
}

#[test]
fn c7_a_copy_that_says_no_and_has_it_all_is_left_alone() {
    let copy = copied(&admitted(&app()).pod, "false");
    let outcome = admitted(&copy);
    assert_eq!((&outcome.pod, outcome.has_patch, told(&outcome)), (&copy, false, vec![]));
}

#[test]
fn c7_a_copy_that_says_no_and_lacks_a_mount_gets_its_probes_back() {
    let mut copy = copied(&admitted(&app()).pod, "false");
    copy["spec"]["containers"][0]["volumeMounts"] = json!([]);
    let outcome = admitted(&copy);
    let mut expected = copied(&app(), "false");
    expected["spec"]["containers"][0]["volumeMounts"] = json!([]);
    assert_eq!(outcome.pod, expected);
    assert_eq!(told(&outcome), [Reason::TakenBack]);
    let again = admitted(&outcome.pod);
    assert_eq!((again.has_patch, told(&again)), (false, vec![]));
}

#[test]
fn c7_a_copy_that_says_no_and_has_no_sidecar_loses_the_probe_that_asked_it() {
    let outcome = admitted(&without_sidecar(copied(&admitted(&app()).pod, "false")));
    let mut expected = without_sidecar(copied(&app(), "false"));
    expected["spec"]["containers"][0].as_object_mut().expect("an object").remove("readinessProbe");
    assert_eq!(outcome.pod, expected);
    assert_eq!(told(&outcome), [Reason::TakenBack, Reason::ProbeLost]);
}

#[test]
fn c7_a_copy_that_lost_its_sidecar_gets_it_again_and_no_probe_asks_itself() {
    let outcome = admitted(&without_sidecar(copied(&admitted(&app()).pod, "true")));
    assert_eq!(told(&outcome), [Reason::ProbeLost]);
    assert_eq!(outcome.containers(), ["proxy", "app"]);
    assert!(outcome.pod["spec"]["containers"][0].get("readinessProbe").is_none());
    assert!(!outcome.pod["spec"].to_string().contains("/probes/"), "{}", outcome.pod);
    assert!(!admitted(&outcome.pod).has_patch);
}

#[test]
fn c7_what_a_pod_calls_ours_and_is_not_stays() {
    let mut pod = copied(&app(), "false");
    let claim = json!({"mesh": {"parts": ["c/app", "e/app/MINE", "v/data", "l/app", "g/5"]}}).to_string();
    pod["metadata"]["annotations"] = json!({"portcullis.dev/applied": claim});
    pod["spec"]["volumes"] = json!([{"name": "data", "hostPath": {"path": "/data"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "data", "mountPath": "/data"}]);
    let outcome = admitted(&pod);
    assert_eq!(outcome.pod["spec"], pod["spec"]);
    assert_eq!(outcome.pod["metadata"]["labels"], pod["metadata"]["labels"]);
}

#[test]
fn c7_a_pod_that_says_no_and_was_never_injected_stays_as_it_is() {
    let mut pod = copied(&app(), "false");
    pod["spec"]["containers"][0]["livenessProbe"] =
        json!({"httpGet": {"path": "/probes/app/livenessProbe", "port": 8080}});
    let outcome = admitted(&pod);
    assert_eq!((outcome.has_patch, told(&outcome)), (false, vec![]));
}

#[test]
fn a_probe_of_the_user_s_with_our_path_on_his_own_port_is_rewritten_like_any() {
    let mut pod = app();
    pod["spec"]["containers"][0]["livenessProbe"] =
        json!({"httpGet": {"path": "/probes/app/livenessProbe", "port": 8080}});
    let outcome = admitted(&pod);
    let probes = outcome.pod["spec"]["initContainers"][0]["env"][0]["value"].as_str().expect("a value").to_owned();
    let probes: Value = serde_json::from_str(&probes).expect("JSON");
    assert_eq!(probes["/probes/app/livenessProbe"]["httpGet"]["port"], 8080);
    assert!(!admitted(&outcome.pod).has_patch);
}
