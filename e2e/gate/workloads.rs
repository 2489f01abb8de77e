//! Workloads: all eight kinds are warned about, or refused where that is asked for; their pods are judged when they come.

use crate::{
    harness::{Api, until},
    objects::{
        BASELINE_VIOLATIONS, RESTRICTED_VIOLATIONS, WORKLOADS, deployment, deployments, dry, plain, pods, privileged,
        workload, workloads,
    },
    stage::{DECLARED, EASED, GUARDED, SOON, STRICT, WARNED, stage},
};
use anyhow::Result;
use serde_json::{Value, json};

#[test]
fn warns_about_all_eight_kinds_and_records_them() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let warning = format!("would violate PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    for kind in WORKLOADS {
        let object = workload(kind.1, "warned", &plain("app"));
        let answer = api.post(&dry(&workloads(WARNED, kind)), &object)?;
        assert_eq!((answer.status, &answer.warnings), (201, &vec![warning.clone()]), "{kind:?}: {}", answer.body);
        let annotations = stage.log()?.annotations(&answer.audit_id)?;
        assert_eq!(annotations["portcullis.portcullis.dev/audit-violations"], warning, "{kind:?}: {annotations}");
        assert_eq!(annotations["portcullis.portcullis.dev/enforce-policy"], Value::Null, "{kind:?}: {annotations}");
    }
    Ok(())
}

#[test]
fn warns_about_a_deployment_and_admits_its_pods() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&deployments(WARNED), &deployment("web", &plain("app")))?;
    assert_eq!((answer.status, answer.warnings.len()), (201, 1), "{:?} {}", answer.warnings, answer.body);
    await_pods(&mut api, WARNED, "web", 2)
}

#[test]
fn admits_a_deployment_whose_pods_it_then_refuses() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&deployments(STRICT), &deployment("refused", &plain("app")))?;
    // Who enforces something stricter than he warns of wants both, since 1.26.
    assert_eq!((answer.status, answer.warnings.len()), (201, 1), "{:?} {}", answer.warnings, answer.body);
    let refusal = format!("violates PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    let events = format!("/api/v1/namespaces/{STRICT}/events?fieldSelector=reason%3DFailedCreate");
    until(SOON, || {
        let found = api.get(&events)?.done()?;
        let said = |event: &Value| event["message"].as_str().is_some_and(|message| message.contains(&refusal));
        Ok(found["items"].as_array().is_some_and(|events| events.iter().any(said)).then_some(()))
    })?;
    let found = api.get(&format!("{}?labelSelector=app%3Drefused", pods(STRICT)))?.done()?;
    assert_eq!(found["items"], json!([]));
    Ok(())
}

#[test]
fn a_namespace_can_ask_that_all_eight_kinds_are_refused() -> Result<()> {
    refuses_all_kinds_that_baseline_refuses(DECLARED)
}

#[test]
fn an_option_refuses_all_eight_kinds_and_a_namespace_can_ask_for_warnings_instead() -> Result<()> {
    refuses_all_kinds_that_baseline_refuses(GUARDED)?;
    let mut api = stage()?.plane.connect()?;
    let warning = format!("would violate PodSecurity \"baseline:latest\": {BASELINE_VIOLATIONS}");
    let answer = api.post(&dry(&deployments(EASED)), &deployment("a", &privileged("app")))?;
    assert_eq!((answer.status, answer.warnings), (201, vec![warning]), "{}", answer.body);
    Ok(())
}

fn refuses_all_kinds_that_baseline_refuses(namespace: &str) -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    for kind @ (_, resource) in WORKLOADS {
        let path = dry(&workloads(namespace, kind));
        let answer = api.post(&path, &workload(resource, "web", &privileged("app")))?;
        assert_eq!((answer.status, &answer.warnings), (403, &vec![]), "{kind:?}: {}", answer.body);
        let refusal = format!("\"web\" is forbidden: violates PodSecurity \"baseline:latest\": {BASELINE_VIOLATIONS}");
        assert!(answer.message().contains(resource), "{}", answer.message());
        assert!(answer.message().ends_with(&refusal), "{}", answer.message());
        let answer = api.post(&path, &workload(resource, "web", &plain("app")))?;
        assert_eq!((answer.status, &answer.warnings), (201, &vec![]), "{kind:?}: {}", answer.body);
    }
    Ok(())
}

#[test]
fn a_workload_from_before_it_was_refused_can_be_scaled_labelled_and_deleted_but_made_no_worse() -> Result<()> {
    let stage = stage()?;
    let path = format!("{}/old", deployments(DECLARED));
    let old = deployment("old", &privileged("app"));
    stage.connect_exempt()?.post(&deployments(DECLARED), &old)?.done()?;

    let mut api = stage.plane.connect()?;
    let admitted = [
        (format!("{path}/scale"), json!({"spec": {"replicas": 1}})),
        (path.clone(), json!({"spec": {"replicas": 0}})),
        (path.clone(), json!({"metadata": {"labels": {"team": "shop"}}})),
    ];
    for (path, change) in &admitted {
        let answer = api.merge(path, change)?;
        assert_eq!(answer.status, 200, "{path} {change}: {}", answer.body);
    }
    let worse = json!({"spec": {"template": {"spec": {"hostNetwork": true}}}});
    let answer = api.merge(&path, &worse)?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.message().contains("host namespaces (hostNetwork=true)"), "{}", answer.message());

    // The garbage collector takes away the finalizer, by an update.
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"});
    assert_eq!(api.delete_with(&path, &options)?.status, 200);
    until(SOON, || Ok((api.get(&path)?.status == 404).then_some(())))
}

/// Waits until the controllers have made so many pods of a workload.
pub fn await_pods(api: &mut Api, namespace: &str, app: &str, count: usize) -> Result<()> {
    let path = format!("{}?labelSelector=app%3D{app}", pods(namespace));
    until(SOON, || {
        let found = api.get(&path)?.done()?;
        Ok((found["items"].as_array().map(Vec::len) == Some(count)).then_some(()))
    })
}
