//! Pods: refused, warned about, recorded; as they are created and as they are debugged.

use crate::{
    objects::{RESTRICTED_VIOLATIONS, compliant, dry, plain, pod, pods, privileged},
    stage::{PINNED, STRICT, WARNED, stage},
};
use anyhow::Result;
use serde_json::json;

/// Privileged as `kubectl run --privileged` makes it, in a namespace that enforces `restricted`.
const REFUSAL: &str = "violates PodSecurity \"restricted:latest\": privileged (container \"bad\" must not set \
    securityContext.privileged=true), allowPrivilegeEscalation != false (container \"bad\" must set \
    securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"bad\" must set \
    securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"bad\" must set \
    securityContext.runAsNonRoot=true), seccompProfile (pod or container \"bad\" must set \
    securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

#[test]
fn refuses_a_privileged_pod_with_upstreams_text() -> Result<()> {
    let kubectl = stage()?.plane.kubectl()?;
    let said = kubectl.run(&["--namespace", STRICT, "run", "bad", "--image=nginx", "--privileged"])?;
    assert!(!said.succeeded, "{said:?}");
    assert!(said.stderr.contains(&format!("pods \"bad\" is forbidden: {REFUSAL}")), "{}", said.stderr);
    Ok(())
}

#[test]
fn admits_a_compliant_pod_and_refuses_to_debug_it_with_a_privileged_container() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&pods(STRICT), &pod("good", &compliant("app")))?;
    assert_eq!((answer.status, answer.warnings), (201, vec![]), "{}", answer.body);

    let debug = format!("{}/good/ephemeralcontainers", pods(STRICT));
    let answer = api.merge_lists(&debug, &json!({"spec": {"ephemeralContainers": [privileged("debugger")]}}))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.message().contains("privileged (container \"debugger\" must not set"), "{}", answer.message());

    let answer = api.merge_lists(&debug, &json!({"spec": {"ephemeralContainers": [compliant("debugger")]}}))?;
    assert_eq!((answer.status, answer.warnings), (200, vec![]), "{}", answer.body);
    Ok(())
}

#[test]
fn judges_by_the_version_that_a_label_names() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&dry(&pods(PINNED)), &pod("a", &plain("app")))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    // Neither seccomp nor capabilities were looked at in those days.
    let refusal = "violates PodSecurity \"restricted:v1.18\": allowPrivilegeEscalation != false (container \"app\" must set \
        securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \"app\" must set \
        securityContext.runAsNonRoot=true)";
    assert!(answer.message().ends_with(refusal), "{}", answer.message());
    Ok(())
}

#[test]
fn a_dry_run_is_judged_like_any_other_request() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&dry(&pods(STRICT)), &pod("tried", &plain("app")))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let answer = api.post(&dry(&pods(WARNED)), &pod("tried", &plain("app")))?;
    assert_eq!((answer.status, &answer.warnings), (201, &vec![warning()]), "{}", answer.body);
    assert_eq!(api.get(&format!("{}/tried", pods(WARNED)))?.status, 404);
    Ok(())
}

#[test]
fn what_is_admitted_with_a_warning_is_in_the_audit_log() -> Result<()> {
    let stage = stage()?;
    let answer = stage.plane.connect()?.post(&pods(WARNED), &pod("audited", &plain("app")))?;
    assert_eq!((answer.status, &answer.warnings), (201, &vec![warning()]), "{}", answer.body);
    let annotations = stage.log()?.annotations(&answer.audit_id)?;
    assert_eq!(annotations["portcullis.portcullis.dev/enforce-policy"], "baseline:latest", "{annotations}");
    assert_eq!(annotations["portcullis.portcullis.dev/audit-violations"], warning(), "{annotations}");
    Ok(())
}

#[test]
fn what_is_refused_is_in_the_audit_log_and_not_warned_about_as_well() -> Result<()> {
    let stage = stage()?;
    let answer = stage.plane.connect()?.post(&pods(WARNED), &pod("refused", &privileged("app")))?;
    assert_eq!((answer.status, &answer.warnings), (403, &vec![]), "{}", answer.body);
    let annotations = stage.log()?.annotations(&answer.audit_id)?;
    assert_eq!(annotations["portcullis.portcullis.dev/enforce-policy"], "baseline:latest", "{annotations}");
    let violations = annotations["portcullis.portcullis.dev/audit-violations"].as_str();
    let begin = "would violate PodSecurity \"restricted:latest\": privileged";
    assert!(violations.is_some_and(|text| text.starts_with(begin)), "{annotations}");
    Ok(())
}

#[test]
fn the_api_server_takes_every_answer_for_one_to_its_question() -> Result<()> {
    let stage = stage()?;
    stage.plane.connect()?.post(&dry(&pods(STRICT)), &pod("dry", &compliant("app")))?.done()?;
    let metrics = stage.plane.kubectl()?.run(&["get", "--raw", "/metrics"])?.stdout;
    let is_about_those_that_answer =
        |line: &&str| ["portcullis", "auditing", "denying", "shown"].iter().any(|name| line.contains(&named(name)));
    let ours: Vec<&str> = metrics.lines().filter(is_about_those_that_answer).collect();
    assert!(
        ours.iter().any(|line| line.starts_with("apiserver_admission_webhook_request_total{code=\"200\"")),
        "{ours:?}"
    );
    // An answer with another uid, another version or no verdict counts as an error in calling the webhook.
    let failed = |line: &&&str| {
        line.starts_with("apiserver_admission_webhook_fail_open_count")
            || line.starts_with("apiserver_admission_webhook_rejection_count")
                && !line.contains("error_type=\"no_error\"")
    };
    assert_eq!(ours.iter().filter(failed).collect::<Vec<_>>(), Vec::<&&str>::new());
    Ok(())
}

/// The label of the metrics about the webhook of this namespace.
fn named(namespace: &str) -> String {
    format!("name=\"{namespace}.portcullis.dev\"")
}

fn warning() -> String {
    format!("would violate PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}")
}
