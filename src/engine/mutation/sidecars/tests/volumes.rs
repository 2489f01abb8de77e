//! Groups B and F, where they are about volumes: B8, F7.

use serde_json::json;

use super::*;

fn with_volume(volume: Value) -> Value {
    let mut pod = app();
    pod["spec"]["volumes"] = json!([volume]);
    pod
}

fn buffering(conflicts: Value) -> Injection {
    with_conflicts(
        json!({
            "containers": [sidecar("shipper", json!({"container": {"volumeMounts": [{"name": "buffer", "mountPath": "/b"}]}}))],
            "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}}],
            "patchContainers": [{"mounts": [{"mount": {"name": "buffer", "mountPath": "/b"}}]}],
        }),
        conflicts,
    )
}

#[test]
fn b8_a_volume_that_means_the_same_is_used() {
    for same in [json!({"name": "buffer", "emptyDir": {}}), json!({"name": "buffer", "emptyDir": {"medium": ""}})] {
        let admitted = admit(&buffering(json!({})), &with_volume(same.clone()));
        assert_eq!(admitted.pod["spec"]["volumes"], json!([same]));
    }
    let refused = conflict(&buffering(json!({})), &with_volume(json!({"name": "buffer", "hostPath": {"path": "/b"}})));
    assert_eq!((refused.reason, refused.weight), (Reason::VolumeNameTaken, Weight::Denied));
    let larger = with_volume(json!({"name": "buffer", "emptyDir": {"sizeLimit": "1Gi"}}));
    assert_eq!(conflict(&buffering(json!({"volumeName": "Skip"})), &larger).weight, Weight::Skipped);
}

#[test]
fn b8_another_name_follows_from_the_documents_and_is_used_everywhere() {
    let pod = with_volume(json!({"name": "buffer", "emptyDir": {"sizeLimit": "1Gi"}}));
    let admitted = admit(&buffering(json!({"volumeName": "Rename"})), &pod);
    let names = admitted.names("volumes");
    assert_eq!(names.len(), 2);
    let ours = names[1];
    assert!(ours.starts_with("buffer-") && ours.len() <= 63, "{ours}");
    assert_eq!(admitted.container("shipper")["volumeMounts"][0]["name"], ours);
    assert_eq!(admitted.container("app")["volumeMounts"][0]["name"], ours);
    assert_eq!(admit(&buffering(json!({"volumeName": "Rename"})), &pod).pod, admitted.pod);
    let long = "v".repeat(63);
    let add = json!({"volumes": [{"volume": {"name": long, "emptyDir": {}}}]});
    let long = with_conflicts(add, json!({"volumeName": "Rename"}));
    let admitted = admit(&long, &with_volume(json!({"name": "v".repeat(63), "hostPath": {"path": "/"}})));
    assert_eq!(admitted.names("volumes")[1].len(), 63);
}

#[test]
fn f7_a_token_is_for_the_sidecar_alone() {
    let injection = adding(json!({"containers": [sidecar("proxy", json!({
        "token": {"audience": "mesh", "expirationSeconds": 43200, "path": "/var/run/secrets/tokens"}}))]}));
    let mut pod = app();
    merge(&mut pod, json!({"spec": {"automountServiceAccountToken": false}}));
    let admitted = admit(&injection, &pod);
    assert!(admitted.container("app")["volumeMounts"].is_null());
    let mount = json!([{"name": "proxy-token", "mountPath": "/var/run/secrets/tokens", "readOnly": true}]);
    assert_eq!(admitted.container("proxy")["volumeMounts"], mount);
    let token = &admitted.pod["spec"]["volumes"][0]["projected"]["sources"][0]["serviceAccountToken"];
    assert_eq!(*token, json!({"audience": "mesh", "expirationSeconds": 43200, "path": "token"}));
    assert_eq!(admitted.pod["spec"]["automountServiceAccountToken"], false);
}
