//! I1: what was added is taken back, and what cannot be is told.

use serde_json::json;

use super::simulation::as_the_api_server_stores;
use super::*;

fn everything() -> Injection {
    adding(json!({
        "initContainers": [sidecar("init", json!({}))],
        "containers": [sidecar("proxy", json!({"token": {"audience": "a", "path": "/token"}}))],
        "volumes": [{"volume": {"name": "agent", "emptyDir": {}}, "safeToEvict": true}],
        "probeRewrite": {"container": "proxy", "port": 15020, "path": "/{container}/{probe}", "variable": "PROBES"},
        "patchContainers": [{
            "env": [{"name": "NEW", "value": "1"}, {"name": "KEPT", "value": "1"}, {"name": "OPTS", "value": "-x", "onExisting": "Append"}],
            "mounts": [{"mount": {"name": "agent", "mountPath": "/agent"}}]}],
        "pod": {"labels": {"mesh": "on"}, "annotations": {"a": "1"}, "defaultContainer": true, "terminationGracePeriodAtLeast": 45, "imagePullSecrets": ["mesh"]},
    }))
}

fn taken_back(injection: &Injection, pod: &Value) -> (Value, Vec<(Reason, String)>) {
    let text = pod.to_string();
    let mut tree = Node::new(text.as_str());
    let left = injection.uninject(&mut tree);
    let result: Value = serde_json::from_str(&tree.to_json()).expect("JSON");
    let operations =
        Patch::of(&tree).map_or_else(|| json!([]), |patch| serde_json::from_str(patch.json()).expect("operations"));
    assert_eq!(patched(pod, &operations), result);
    (result, left)
}

#[test]
fn i1_what_was_injected_is_taken_back_to_the_letter() {
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"labels": {"mine": "1"}}, "spec": {"terminationGracePeriodSeconds": 10}}));
    merge(
        &mut pod["spec"]["containers"][0],
        json!({
            "env": [{"name": "KEPT", "value": "1"}, {"name": "OPTS", "value": "-a"}],
            "ports": [{"name": "web", "containerPort": 80}],
            "livenessProbe": {"httpGet": {"path": "/", "port": "web"}, "timeoutSeconds": 2},
            "readinessProbe": {"grpc": {"port": 9000}},
            "lifecycle": {"preStop": {"httpGet": {"path": "/$(X)$$", "port": 80}}},
        }),
    );
    let injected = admit(&everything(), &pod);
    assert_ne!(injected.pod, pod);
    assert_eq!(taken_back(&everything(), &injected.pod), (pod, Vec::new()));
}

#[test]
fn i1_a_pod_that_lived_loses_our_parts_and_keeps_all_others() {
    let pod = as_the_api_server_stores(&app());
    let injected = as_the_api_server_stores(&admit(&everything(), &pod).pod);
    let (result, left) = taken_back(&everything(), &injected);
    assert_eq!((as_the_api_server_stores(&result), left), (pod, Vec::new()));
}

#[test]
fn i1_a_pod_without_our_parts_stays_as_it_is() {
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"labels": {"mesh": "on"}, "annotations": {}}, "spec": {"volumes": []}}));
    pod["spec"]["containers"].as_array_mut().expect("a list").push(json!({"name": "proxy", "image": "mine:1"}));
    let (result, left) = taken_back(&everything(), &pod);
    assert_eq!((&result["spec"]["containers"], left), (&pod["spec"]["containers"], Vec::new()));
    assert_eq!(result["metadata"]["labels"], pod["metadata"]["labels"]);
}

#[test]
fn i1_what_there_was_no_room_to_list_is_taken_back_too() {
    let containers: Vec<Value> = (0..80)
        .map(|number| json!({"name": format!("container-{number:02}"), "image": "app:1", "livenessProbe": {"grpc": {"port": 9000}},
            "env": [{"name": "MINE", "value": "1"}], "volumeMounts": [{"name": "mine", "mountPath": "/mine"}]}))
        .collect();
    let pod = pod(json!({"containers": containers, "volumes": [{"name": "mine", "emptyDir": {}}]}));
    let injected = admit(&everything(), &pod);
    assert!(injected.annotation("portcullis.dev/applied").contains("\"more\":true"));
    assert!(injected.annotation("portcullis.dev/applied").len() < 2048 + 64);
    assert_eq!(taken_back(&everything(), &injected.pod), (pod, Vec::new()));
}

#[test]
fn i1_a_value_that_was_replaced_is_told_of() {
    let injection =
        adding(json!({"patchContainers": [{"env": [{"name": "A", "value": "ours", "onExisting": "Replace"}]}]}));
    let mut pod = app();
    pod["spec"]["containers"][0]["env"] = json!([{"name": "A", "value": "mine"}]);
    let (_, left) = taken_back(&injection, &admit(&injection, &pod).pod);
    assert_eq!(left, [(Reason::ValueReplaced, "variable \"A\" of container \"app\"".to_owned())]);
}

#[test]
fn i1_what_has_grown_is_what_it_was() {
    let amounts = json!({"requests": {"cpu": "30m", "memory": "32Mi"}});
    let injection = adding(json!({"containers": [
        sidecar("one", json!({"container": {"resources": amounts}})), sidecar("two", json!({"container": {"resources": amounts}}))]}));
    for own in [
        json!({"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1024Mi"}}),
        json!({"limits": {"cpu": "2", "memory": "1Gi"}}),
        json!({"requests": {"cpu": "1"}}),
    ] {
        let mut pod = app();
        pod["spec"]["resources"] = own.clone();
        let injected = admit(&injection, &pod);
        assert_ne!(injected.pod["spec"]["resources"], own);
        let (result, left) = taken_back(&injection, &as_the_api_server_stores(&injected.pod));
        let requests = |pod: &Value| pod["spec"]["resources"]["requests"].clone();
        assert_eq!((&result["spec"]["resources"]["limits"], left), (&own["limits"], Vec::new()));
        assert!(requests(&result) == own["requests"] || requests(&result) == json!({}), "{result}");
    }
}

#[test]
fn i1_a_variable_that_was_empty_is_empty_again_and_a_users_volume_is_never_given_up() {
    let injection = adding(json!({
        "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}, "safeToEvict": true}],
        "patchContainers": [{"env": [{"name": "OPTS", "value": "-x", "onExisting": "Append"}]}]}));
    let mut pod = app();
    merge(&mut pod, json!({"spec": {"volumes": [{"name": "buffer", "emptyDir": {}}]}}));
    pod["spec"]["containers"][0]["env"] = json!([{"name": "OPTS"}]);
    let injected = admit(&injection, &pod);
    assert_eq!(injected.annotation("cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"), "");
    assert_eq!(taken_back(&injection, &injected.pod), (pod, Vec::new()));
}
