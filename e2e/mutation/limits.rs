//! Beside the API server's own plugins for limits and quotas.

use anyhow::Result;
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, pod};
use crate::harness::until;
use crate::stage::{SOON, container, create, until_pod, with_stage};

#[test]
fn a_limit_range_clamps_the_sidecar_and_a_quota_counts_it() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("limited", &[])?;
        let limits = json!({
            "type": "Container", "max": {"cpu": "100m", "memory": "48Mi"},
            "default": {"cpu": "80m", "memory": "40Mi"}, "defaultRequest": {"cpu": "20m", "memory": "32Mi"},
        });
        let range = json!({"metadata": {"name": "limits"}, "spec": {"limits": [limits]}});
        api.post("/api/v1/namespaces/limited/limitranges", &range)?.done()?;
        let hard = json!({"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "1", "limits.memory": "1Gi"});
        let quota = json!({"metadata": {"name": "quota"}, "spec": {"hard": hard}});
        api.post("/api/v1/namespaces/limited/resourcequotas", &quota)?.done()?;
        let path = "/api/v1/namespaces/limited/resourcequotas/quota";
        until(SOON, || Ok(api.get(path)?.done()?["status"]["hard"].is_object().then_some(())))?;

        stage.apply(&LOG_SHIPPER.replace("cpu: 50m", "cpu: 500m"), 1.0)?;
        until_pod(&mut api, "limited", &pod("a", Some(SHIP)), is_shipping)?;
        let stored = create(&mut api, "limited", &pod("clamped", Some(SHIP)))?;
        let resources = &container(&stored, "log-shipper")["resources"];
        // What the document asks for is more than the most that there may be.
        assert_eq!(resources["requests"], json!({"cpu": "100m", "memory": "48Mi"}), "{resources}");
        assert_eq!(resources["limits"], json!({"cpu": "100m", "memory": "48Mi"}), "{resources}");
        let used = |used: &Value| used["requests.cpu"] == "120m";
        until(SOON, || Ok(used(&api.get(path)?.done()?["status"]["used"]).then_some(())))
    })
}
