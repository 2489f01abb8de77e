//! Audit mode: nothing is refused, and all that would have been is reported.

use crate::{
    harness::Answer,
    objects::{RESTRICTED_VIOLATIONS, deployment, deployments, dry, plain, pod, pods},
    stage::{ENFORCE, OBSERVED, Stage, stage},
};
use anyhow::Result;
use serde_json::json;

#[test]
fn audit_mode_admits_a_pod_and_tells_the_client_the_audit_log_and_the_metrics() -> Result<()> {
    let stage = stage()?;
    let auditing = stage.instance("auditing")?;
    let denied = "pod_security_evaluations_total{decision=\"deny\",policy_level=\"restricted\",policy_version=\"latest\",\
        mode=\"enforce\",request_operation=\"create\",resource=\"pod\",subresource=\"\"}";
    let answer = stage.plane.connect()?.post(&pods(OBSERVED), &pod("observed", &plain("app")))?;
    let denial =
        format!("pods \"observed\" is forbidden: violates PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    assert_would_deny(&stage, &answer, 201, &denial)?;
    assert!(auditing.metric(denied)? >= 1.0);
    Ok(())
}

#[test]
fn audit_mode_lets_labels_that_mean_nothing_through_as_well() -> Result<()> {
    let stage = stage()?;
    let change = json!({"metadata": {"labels": {ENFORCE: "strictest"}}});
    let answer = stage.plane.connect()?.merge(&dry(&format!("/api/v1/namespaces/{OBSERVED}")), &change)?;
    let denial = "Namespace \"observed\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \
        \"strictest\": must be one of privileged, baseline, restricted";
    assert_would_deny(&stage, &answer, 200, denial)
}

#[test]
fn audit_mode_says_no_more_about_workloads_than_enforcing_does() -> Result<()> {
    let answer = stage()?.plane.connect()?.post(&dry(&deployments(OBSERVED)), &deployment("a", &plain("app")))?;
    let warning = format!("would violate PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    assert_eq!((answer.status, answer.warnings), (201, vec![warning]), "{}", answer.body);
    Ok(())
}

/// Admitted, with the denial as the first warning and in the audit log.
fn assert_would_deny(stage: &Stage, answer: &Answer, status: u16, denial: &str) -> Result<()> {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.warnings.first(), Some(&format!("would be denied: {denial}")), "{:?}", answer.warnings);
    let annotations = stage.log()?.annotations(&answer.audit_id)?;
    assert_eq!(annotations["auditing.portcullis.dev/would-deny"], denial, "{annotations}");
    Ok(())
}
