//! Namespaces: labels that change take effect, are tried on the pods that exist, and are refused if they mean nothing.

use crate::{
    harness::{Kubectl, Said, until},
    objects::{RESTRICTED_VIOLATIONS, deployment, deployments, dry, plain, pod, pods, privileged},
    stage::{BROKEN, DOOMED, ENFORCE, EXCUSED, SETTLED, SOON, TIGHTENED, UNBORN, WORKLOADS_LABEL, stage},
    workloads::await_pods,
};
use anyhow::Result;
use serde_json::{Value, json};

#[test]
fn a_stricter_policy_names_the_pods_of_a_deployment_that_it_would_hit() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    api.post(&deployments(SETTLED), &deployment("web", &privileged("app")))?.done()?;
    await_pods(&mut api, SETTLED, "web", 2)?;

    let said = label(&stage.plane.kubectl()?, SETTLED, &format!("{ENFORCE}=baseline"), &["--dry-run=server"])?;
    assert!(said.succeeded, "{said:?}");
    let warnings: Vec<&str> = said.stderr.lines().filter_map(|line| line.strip_prefix("Warning: ")).collect();
    let header = "existing pods in namespace \"settled\" violate the new PodSecurity enforce level \"baseline:latest\"";
    assert_eq!(warnings.first(), Some(&header), "{warnings:?}");
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let line = warnings[1];
    assert!(line.starts_with("web-") && line.ends_with(" (and 1 other pod): privileged"), "{line}");
    Ok(())
}

#[test]
fn labels_that_change_take_effect_and_a_laxer_policy_is_not_commented_on() -> Result<()> {
    let stage = stage()?;
    let kubectl = stage.plane.kubectl()?;
    let mut api = stage.plane.connect()?;
    for (level, expected) in [("baseline", 403), ("privileged", 201), ("restricted", 403), ("baseline", 403)] {
        let said = label(&kubectl, TIGHTENED, &format!("{ENFORCE}={level}"), &[])?;
        assert!(said.succeeded && said.stderr.is_empty(), "{said:?}");
        let mut last = String::new();
        until(SOON, || {
            let answer = api.post(&dry(&pods(TIGHTENED)), &pod("a", &privileged("app")))?;
            last = answer.message().to_owned();
            Ok((answer.status == expected && (expected == 201 || last.contains(&format!("{level}:latest"))))
                .then_some(()))
        })
        .map_err(|error| error.context(last))?;
    }
    let said = label(&kubectl, TIGHTENED, &format!("{ENFORCE}-"), &[])?;
    assert!(said.succeeded && said.stderr.is_empty(), "{said:?}");
    until(SOON, || Ok((api.post(&dry(&pods(TIGHTENED)), &pod("a", &privileged("app")))?.status == 201).then_some(())))
}

#[test]
fn labels_that_mean_nothing_are_refused_with_upstreams_text() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let problem = "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strictest\": must be one of \
        privileged, baseline, restricted";
    let new = labelled(ENFORCE, "strictest", UNBORN);
    let old = labelled(ENFORCE, "strictest", SETTLED);
    let created = api.post(&dry("/api/v1/namespaces"), &new)?;
    let updated = api.merge(&format!("/api/v1/namespaces/{SETTLED}"), &old)?;
    for (name, answer) in [(UNBORN, created), (SETTLED, updated)] {
        assert_eq!((answer.status, &answer.body["reason"]), (422, &json!("Invalid")), "{}", answer.body);
        let refusal = format!("Namespace \"{name}\" is invalid: {problem}");
        assert!(answer.message().ends_with(&refusal), "{}", answer.message());
    }
    let version = labelled("pod-security.kubernetes.io/warn-version", "newest", UNBORN);
    assert_eq!(api.post(&dry("/api/v1/namespaces"), &version)?.status, 422);
    assert_eq!(api.post(&dry("/api/v1/namespaces"), &labelled(ENFORCE, "baseline", UNBORN))?.status, 201);
    Ok(())
}

#[test]
fn labels_that_meant_nothing_before_stay_and_their_namespace_is_held_to_the_strictest() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let path = format!("/api/v1/namespaces/{BROKEN}");
    assert_eq!(api.merge(&path, &labelled("team", "shop", BROKEN))?.status, 200);
    assert_eq!(api.merge(&path, &labelled(ENFORCE, "laxest", BROKEN))?.status, 422);

    let answer = api.post(&dry(&pods(BROKEN)), &pod("a", &plain("app")))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    let refusal = format!("violates PodSecurity \"restricted:latest\": {RESTRICTED_VIOLATIONS}");
    assert!(answer.message().ends_with(&refusal), "{}", answer.message());
    let annotations = stage.log()?.annotations(&answer.audit_id)?;
    let error = annotations["portcullis.portcullis.dev/error"].as_str().unwrap_or_default();
    assert!(error.starts_with("Failed to parse policy: ") && error.contains("\"strictest\""), "{annotations}");
    Ok(())
}

#[test]
fn a_namespace_whose_labels_mean_nothing_can_be_deleted() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let path = format!("/api/v1/namespaces/{DOOMED}");
    assert_eq!(api.delete(&path)?.status, 200);
    // The namespace controller updates its status, empties it, and takes its finalizer away.
    until(SOON, || Ok((api.get(&path)?.status == 404).then_some(())))
}

#[test]
fn whoever_labels_an_exempt_namespace_is_told_that_nobody_heeds_it() -> Result<()> {
    let kubectl = stage()?.plane.kubectl()?;
    let said = label(&kubectl, EXCUSED, "pod-security.kubernetes.io/enforce-version=v1.20", &["--dry-run=server"])?;
    let warning = "Warning: namespace \"excused\" is exempt from Pod Security, and the policy (enforce=restricted:v1.20) will \
        be ignored";
    assert!(said.succeeded && said.stderr.contains(warning), "{said:?}");
    Ok(())
}

#[test]
fn a_label_of_ours_that_means_nothing_is_warned_about() -> Result<()> {
    let kubectl = stage()?.plane.kubectl()?;
    let said = label(&kubectl, SETTLED, &format!("{WORKLOADS_LABEL}=refuse"), &["--dry-run=server"])?;
    let warning = "Warning: metadata.labels[portcullis.dev/workloads]: Invalid value: \"refuse\": must be deny or warn; the \
        label is ignored";
    assert!(said.succeeded && said.stderr.contains(warning), "{said:?}");
    Ok(())
}

fn label(kubectl: &Kubectl, namespace: &str, label: &str, options: &[&str]) -> Result<Said> {
    kubectl.run(&[&["label", "--overwrite", "namespace", namespace, label], options].concat())
}

fn labelled(key: &str, value: &str, name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {key: value}}})
}
