//! The control plane for tests itself: that it is set as asked, that its parts are where they say, that they come and go.

mod harness;

use anyhow::Result;
use harness::{Admission, ApiServerSettings, ControlPlane, Settings};
use serde_json::json;

#[test]
fn two_api_servers_on_one_etcd_are_each_set_as_asked_and_restart_alone() -> Result<()> {
    let judging = Admission { pod_security: Some(restricted_by_default()), shows_client_certificate: true };
    let strict = ApiServerSettings { admission: judging, ..ApiServerSettings::default() };
    let lenient = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
    let settings = Settings { api_servers: vec![strict, lenient], has_controllers: false };
    let mut plane = ControlPlane::start(&settings)?;

    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
    let refused = plane.api_servers[0].connect()?.post(pods, &pod)?;
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(refused.message().contains("violates PodSecurity \"restricted:v1.30\""), "{}", refused.message());
    let admitted = plane.api_servers[1].connect()?.post(pods, &pod)?;
    assert_eq!(admitted.status, 201, "{}", admitted.body);

    // Connections to the one that stops are lost, the other goes on, and nothing that was kept is lost.
    let mut kept = plane.api_servers[1].connect()?;
    plane.api_servers[0].stop()?;
    assert!(plane.api_servers[0].connect().is_err());
    assert_eq!(kept.get(&format!("{pods}/a"))?.status, 200);
    plane.api_servers[0].start_again()?;
    assert_eq!(plane.api_servers[0].connect()?.get(&format!("{pods}/a"))?.status, 200);
    Ok(())
}

fn restricted_by_default() -> serde_json::Value {
    json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "restricted", "enforce-version": "v1.30"},
    })
}
