//! Copies of pods that run, as `kubectl get -o yaml`, `kubectl debug --copy-to` and backups make them: with all that their originals were
//! given, by documents that may have changed since.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, is_untouched, pod};
use crate::stage::{container, create, names, until_pod, with_stage};

const NAMESPACE: &str = "copies";

/// The manifest of a pod that ran, as a user applies it again, under another name and with another choice.
fn copied(pod: &Value, choice: &str) -> Value {
    let mut copy = json!({"metadata": {"name": "copy"}, "spec": pod["spec"]});
    copy["metadata"]["annotations"] = pod["metadata"]["annotations"].clone();
    copy["metadata"]["labels"] = json!({SHIP.0: choice});
    copy
}

fn original(stage: &crate::stage::Stage, documents: &str) -> Result<Value> {
    let mut api = stage.plane.connect()?;
    stage.apply(documents, 1.0)?;
    until_pod(&mut api, NAMESPACE, &pod("app", Some(SHIP)), is_shipping)?;
    create(&mut api, NAMESPACE, &pod("app", Some(SHIP))).context("the original")
}

#[test]
fn a_copy_that_lost_its_sidecar_and_opts_out_loses_what_came_with_it() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace(NAMESPACE, &[])?;
        let original = original(stage, LOG_SHIPPER)?;
        let mut debugged = copied(&original, "false");
        debugged["spec"]["initContainers"] = json!([]);
        let stored = until_pod(&mut api, NAMESPACE, &debugged, is_untouched)?;
        assert_eq!(names(&stored, "containers"), ["app"], "{stored}");
        // One that has it all is as its author wrote it.
        until_pod(&mut api, NAMESPACE, &copied(&original, "false"), is_shipping)?;

        // Meanwhile the document has moved to another registry, and is mandatory.
        let moved = LOG_SHIPPER
            .replace("image: fluent-bit:4", "image: registry.example.com/logs/fluent-bit:5")
            .replace("  enablement:", "  failure: {verify: Deny}\n  enablement:");
        stage.apply(&moved, 1.0)?;
        let is_moved = |pod: &Value| container(pod, "log-shipper")["image"] == "registry.example.com/logs/fluent-bit:5";
        let stored = until_pod(&mut api, NAMESPACE, &copied(&original, "true"), is_moved)?;
        assert!(is_shipping(&stored), "{stored}");
        Ok(())
    })
}
