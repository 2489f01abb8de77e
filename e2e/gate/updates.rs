//! Updates: those of images and of ephemeral containers are judged, others are not, as upstream.
//!
//! The pod that is updated violates the policy of its namespace: whom the configuration exempts has made it.

use crate::{
    harness::Api,
    objects::{RESTRICTED_VIOLATIONS, compliant, plain, pod, pods},
    stage::{STRICT, Stage, stage},
};
use anyhow::Result;
use serde_json::{Value, json};

#[test]
fn another_image_is_judged_with_all_of_the_pod() -> Result<()> {
    let stage = stage()?;
    let path = create_violating(&stage, "imaged")?;
    let other_image = json!({"spec": {"containers": [{"name": "app", "image": "other"}]}});
    let answer = stage.plane.connect()?.merge_lists(&path, &other_image)?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let refusal =
        format!("pods \"imaged\" is forbidden: violates PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    assert!(answer.message().ends_with(&refusal), "{}", answer.message());
    assert_eq!(stage.connect_exempt()?.merge_lists(&path, &other_image)?.status, 200);
    Ok(())
}

#[test]
fn another_image_of_a_compliant_pod_is_admitted() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    api.post(&pods(STRICT), &pod("updated", &compliant("app")))?.done()?;
    let other_image = json!({"spec": {"containers": [{"name": "app", "image": "other"}]}});
    let answer = api.merge_lists(&format!("{}/updated", pods(STRICT)), &other_image)?;
    assert_eq!((answer.status, answer.warnings), (200, vec![]), "{}", answer.body);
    Ok(())
}

#[test]
fn a_debugger_that_complies_does_not_make_its_pod_comply() -> Result<()> {
    let stage = stage()?;
    let path = create_violating(&stage, "debugged")?;
    let debug = json!({"spec": {"ephemeralContainers": [compliant("debugger")]}});
    let answer = stage.plane.connect()?.merge_lists(&format!("{path}/ephemeralcontainers"), &debug)?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.message().ends_with(RESTRICTED_VIOLATIONS), "{}", answer.message());
    Ok(())
}

#[test]
fn what_pod_security_does_not_look_at_may_change_although_the_pod_violates() -> Result<()> {
    let stage = stage()?;
    let path = create_violating(&stage, "changed")?;
    let mut api = stage.plane.connect()?;
    let changes = [
        json!({"metadata": {"labels": {"team": "shop"}}}),
        json!({"metadata": {"annotations": {"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}}),
        json!({"metadata": {"finalizers": ["shop.example/wait"]}}),
        json!({"spec": {"activeDeadlineSeconds": 600}}),
        json!({"spec": {"tolerations": [{"key": "shop", "operator": "Exists"}]}}),
    ];
    for change in &changes {
        assert_admitted(&mut api, &path, change)?;
    }
    let condition = json!({"type": "shop.example/seen", "status": "True"});
    assert_admitted(&mut api, &format!("{path}/status"), &json!({"status": {"conditions": [condition]}}))?;

    // It can still be deleted, and its finalizer taken away.
    assert_eq!(api.delete(&path)?.status, 200);
    assert_admitted(&mut api, &path, &json!({"metadata": {"finalizers": null}}))?;
    assert_eq!(api.get(&path)?.status, 404);
    Ok(())
}

#[test]
fn a_resize_is_asked_about_and_admitted() -> Result<()> {
    let stage = stage()?;
    let path = create_violating(&stage, "resized")?;
    let mut api = stage.plane.connect()?;
    let portcullis = stage.instance("portcullis")?;
    let updates = "portcullis_requests_total{phase=\"validate\",operation=\"update\",outcome=\"allowed\",code=\"200\"}";
    let before = portcullis.metric(updates).unwrap_or_default();
    let resources = json!({"requests": {"cpu": "200m"}});
    let resize = json!({"spec": {"containers": [{"name": "app", "resources": resources}]}});
    assert_admitted(&mut api, &format!("{path}/resize"), &resize)?;
    let requests = &api.get(&path)?.done()?["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(requests["cpu"], "200m");
    assert!(portcullis.metric(updates)? > before);
    Ok(())
}

fn assert_admitted(api: &mut Api, path: &str, change: &Value) -> Result<()> {
    let answer = api.merge_lists(path, change)?;
    assert_eq!((answer.status, answer.warnings), (200, vec![]), "{path} {change}: {}", answer.body);
    Ok(())
}

/// A pod that its namespace would refuse; its path.
fn create_violating(stage: &Stage, name: &str) -> Result<String> {
    let mut container = plain("app");
    container["resources"] = json!({"requests": {"cpu": "100m"}});
    stage.connect_exempt()?.post(&pods(STRICT), &pod(name, &container))?.done()?;
    Ok(format!("{}/{name}", pods(STRICT)))
}
