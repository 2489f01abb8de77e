//! The one difference in what is said that has to stay: a ValidatingAdmissionPolicy stands between the plugin and webhooks.
//!
//! It is asserted, so that its end would be noticed: docs/decisions/0008-in-the-cluster.md explains it.

use crate::{
    answer::Said,
    harness::{Api, until},
    stage::{BUILT_IN, SENTINEL, Stage, WITH_PORTCULLIS, pods, privileged},
};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;

const POLICY: &str = "refuses-too";
const SOON: Duration = Duration::from_secs(30);

/// What is wrong with how a pod is refused that both Pod Security and a policy refuse.
pub fn complaints(stage: &mut Stage) -> Result<Vec<String>> {
    stage.make_sentinel_strict()?;
    create_policy(&mut stage.plane.connect()?)?;
    let path = format!("{}?dryRun=All", pods(SENTINEL));
    for server in [BUILT_IN, WITH_PORTCULLIS] {
        let mut api = stage.plane.api_servers[server].connect()?;
        until(SOON, || Ok((api.post(&path, &marked(compliant()))?.status == 422).then_some(())))
            .context("the policy is not heeded")?;
    }
    let said = |server: usize| -> Result<Said> {
        Ok(Said::new(&stage.plane.api_servers[server].connect()?.post(&path, &marked(privileged("both")))?))
    };
    let (upstream, ours) = (said(BUILT_IN)?, said(WITH_PORTCULLIS)?);
    let mut complaints = Vec::new();
    if (upstream.status, upstream.is_denied) != (403, true) {
        complaints.push(format!("the plugin no longer speaks before a policy: {upstream}"));
    }
    if (ours.status, ours.is_denied) != (422, false) {
        complaints.push(format!("a policy no longer speaks before a webhook: {ours}"));
    }
    Ok(complaints)
}

fn create_policy(api: &mut Api) -> Result<()> {
    let group = "/apis/admissionregistration.k8s.io/v1";
    let policy = json!({"metadata": {"name": POLICY}, "spec": {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "objectSelector": {"matchLabels": {"marked": "yes"}},
            "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"],
            }],
        },
        "validations": [{"expression": "false", "message": "marked pods are refused"}],
    }});
    api.post(&format!("{group}/validatingadmissionpolicies"), &policy)?.done()?;
    let binding = json!({"metadata": {"name": POLICY}, "spec": {"policyName": POLICY, "validationActions": ["Deny"]}});
    api.post(&format!("{group}/validatingadmissionpolicybindings"), &binding)?.done()?;
    Ok(())
}

fn marked(mut pod: Value) -> Value {
    pod["metadata"]["labels"] = json!({"marked": "yes"});
    pod
}

/// A pod that the sentinel's baseline allows.
fn compliant() -> Value {
    json!({"metadata": {"name": "marked"}, "spec": {"containers": [{"name": "app", "image": "nginx"}]}})
}
