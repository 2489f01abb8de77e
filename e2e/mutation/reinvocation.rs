//! With another mutating webhook behind ours: the API server asks again, and the outcome is what both want, each thing once.

use anyhow::Result;
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, pod, writes_logs};
use crate::other::Other;
use crate::stage::{container, create, items, names, until_pod, with_stage};

#[test]
fn what_another_webhook_adds_gets_our_edits_and_our_order() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("mesh", &[])?;
        let _other = Other::start(&stage.plane, &["mesh"], insert_proxy_first)?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        let is_proxied = |pod: &Value| !container(pod, "istio-proxy").is_null();
        until_pod(&mut api, "mesh", &pod("a", Some(SHIP)), |pod| is_proxied(pod) && is_shipping(pod))?;
        for number in 0..5 {
            let stored = create(&mut api, "mesh", &pod(&format!("a-{number}"), Some(SHIP)))?;
            assert_eq!(names(&stored, "containers"), ["istio-proxy", "app", "helper"], "{stored}");
            assert_eq!(names(&stored, "initContainers"), ["log-shipper", "istio-init"], "{stored}");
            assert!(writes_logs(container(&stored, "app")) && writes_logs(container(&stored, "helper")), "{stored}");
            assert!(!writes_logs(container(&stored, "istio-proxy")), "a proxy is nobody's app: {stored}");
            assert!(is_shipping(&stored), "{stored}");
            assert_eq!(container(&stored, "app")["image"], "mirror.example.com/app:1", "theirs stays");
        }
        Ok(())
    })
}

#[test]
fn a_sidecar_that_another_webhook_changes_stays_as_that_wants_it() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("mirrored", &[])?;
        let _other = Other::start(&stage.plane, &["mirrored"], ask_for_more)?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        let has_more = |pod: &Value| container(pod, "log-shipper")["resources"]["requests"]["cpu"] == "75m";
        let stored = until_pod(&mut api, "mirrored", &pod("a", Some(SHIP)), has_more)?;
        assert!(is_shipping(&stored), "{stored}");
        Ok(())
    })
}

#[test]
fn a_mandatory_sidecar_that_another_webhook_removes_is_missed_and_the_pod_denied() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("removed", &[])?;
        let other = Other::start(&stage.plane, &["removed"], remove_shipper)?;
        let mandatory = LOG_SHIPPER.replace("  enablement:", "  failure: {verify: Deny}\n  enablement:");
        stage.apply(&mandatory, 1.0)?;
        let is_denied = |answer: &Value| answer["code"] == 403;
        let denial = until_pod(&mut api, "removed", &pod("a", Some(SHIP)), is_denied)?;
        let message = denial["message"].as_str().unwrap_or_default();
        assert!(message.contains("SidecarInjection/log-shipper") && message.contains("log-shipper"), "{message}");
        until_pod(&mut api, "removed", &pod("a", None), |pod| pod["kind"] == "Pod")?;
        drop(other);
        until_pod(&mut api, "removed", &pod("a", Some(SHIP)), is_shipping)?;
        Ok(())
    })
}

#[test]
fn a_registry_that_another_webhook_puts_before_every_image_stays() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("registry", &[])?;
        let _other = Other::start(&stage.plane, &["registry"], put_registry)?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        let is_put = |pod: &Value| container(pod, "app")["image"] == "mirror.example.com/app:1" && is_shipping(pod);
        let stored = until_pod(&mut api, "registry", &pod("a", Some(SHIP)), is_put)?;
        assert_eq!(container(&stored, "log-shipper")["image"], "mirror.example.com/fluent-bit:4", "{stored}");
        // Where it is mandatory, only a registry that the document declares will do.
        let mandatory = LOG_SHIPPER.replace("  enablement:", "  failure: {verify: Deny}\n  enablement:");
        stage.apply(&mandatory, 1.0)?;
        let denial = until_pod(&mut api, "registry", &pod("a", Some(SHIP)), |answer| answer["code"] == 403)?;
        let message = denial["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("registry \"mirror.example.com\"") && message.contains("image_elsewhere"),
            "{message}"
        );
        let declared = mandatory.replace("  enablement:", "  imageMirrors: [mirror.example.com]\n  enablement:");
        stage.apply(&declared, 1.0)?;
        until_pod(&mut api, "registry", &pod("a", Some(SHIP)), is_put)?;
        Ok(())
    })
}

fn put_registry(pod: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    for list in ["initContainers", "containers"] {
        for (place, container) in items(pod, list).enumerate() {
            let image = container["image"].as_str().unwrap_or_default();
            if !image.starts_with("mirror.example.com/") {
                let (path, value) = (format!("/spec/{list}/{place}/image"), format!("mirror.example.com/{image}"));
                operations.push(json!({"op": "replace", "path": path, "value": value}));
            }
        }
    }
    operations
}

fn insert_proxy_first(pod: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    let has = |name: &str| !container(pod, name).is_null();
    if !has("istio-proxy") {
        let proxy = json!({"name": "istio-proxy", "image": "proxy:1"});
        operations.push(json!({"op": "add", "path": "/spec/containers/0", "value": proxy}));
    }
    if !has("helper") {
        let helper = json!({"name": "helper", "image": "helper:1"});
        operations.push(json!({"op": "add", "path": "/spec/containers/-", "value": helper}));
    }
    if !has("istio-init") {
        let init = json!({"name": "istio-init", "image": "proxy:1"});
        let operation = match pod["spec"]["initContainers"].is_array() {
            true => json!({"op": "add", "path": "/spec/initContainers/0", "value": init}),
            false => json!({"op": "add", "path": "/spec/initContainers", "value": [init]}),
        };
        operations.push(operation);
    }
    let place = items(pod, "containers").position(|container| container["image"] == "app:1");
    if let Some(place) = place {
        let place = place + usize::from(!has("istio-proxy"));
        let path = format!("/spec/containers/{place}/image");
        operations.push(json!({"op": "replace", "path": path, "value": "mirror.example.com/app:1"}));
    }
    operations
}

fn ask_for_more(pod: &Value) -> Vec<Value> {
    let place = items(pod, "initContainers")
        .position(|container| container["name"] == "log-shipper" && container["resources"]["requests"]["cpu"] != "75m");
    let operation = |place| {
        let path = format!("/spec/initContainers/{place}/resources/requests/cpu");
        json!({"op": "replace", "path": path, "value": "75m"})
    };
    place.map(operation).into_iter().collect()
}

fn remove_shipper(pod: &Value) -> Vec<Value> {
    let place = items(pod, "initContainers").position(|container| container["name"] == "log-shipper");
    place.map(|place| json!({"op": "remove", "path": format!("/spec/initContainers/{place}")})).into_iter().collect()
}
