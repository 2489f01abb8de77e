//! What the manifests allow, against what the real binary asks: nothing is refused, and nothing is granted that is not used.
//!
//! The binary runs with the token of the service account that the manifests create, so the authorizer judges each request
//! by the manifests' own roles, and the audit log says which there were.

use crate::forms::{Objects, objects};
use crate::grants::{Right, asked, granted};
use crate::harness::{Api, Registration, Service, until};
use crate::running::Running;
use crate::stage::{render, stage};
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::Duration;

pub const RELEASE: &str = "used";
const SOON: Duration = Duration::from_secs(60);

/// How many namespaces are made to find one that the watch has not told of when it is asked for.
const MOST_YOUNG: u32 = 1000;

/// Resources whose grants are for what is not built yet. To be emptied as it is, and then to be removed.
const AWAITED: [&str; 6] = [
    "clusterroles.rbac.authorization.k8s.io",
    "configmaps",
    "events.events.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "secrets",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

#[test]
fn everything_that_is_asked_is_granted_and_everything_that_is_granted_is_asked() -> Result<()> {
    let stage = stage()?;
    let text = render(&["--release", RELEASE, "--namespace", RELEASE])?;
    stage.plane.kubectl()?.apply(&text)?;
    let manifests: Objects = objects(&text)?;
    let granted = granted(&manifests)?;
    let portcullis = Running::start(&stage, &manifests)?;
    exercise(&mut stage.plane.connect()?, &portcullis)?;

    let mut unused: Vec<&Right> = Vec::new();
    let waited = until(SOON, || {
        let asked = asked(&stage.asked, RELEASE)?;
        for request in &asked {
            ensure!(
                granted.iter().any(|grant| grant.covers(request)),
                "asked, and not granted by our roles: {request}"
            );
        }
        let is_used = |grant: &&Right| asked.iter().any(|request| grant.covers(request));
        unused = granted.iter().filter(|grant| !AWAITED.contains(&&*grant.resource) && !is_used(grant)).collect();
        Ok(unused.is_empty().then_some(()))
    });
    let list: String = unused.iter().map(|right| format!("\n  {right}")).collect();
    waited.with_context(|| format!("granted, and never asked:{list}"))
}

/// Has Portcullis do all that it does. What is built later adds a line here, and its grants then count as used.
fn exercise(api: &mut Api, portcullis: &Running) -> Result<()> {
    register(api, &portcullis.service)?;
    tighten_a_namespace(api, portcullis)?;
    judge_in_a_namespace_that_the_watch_has_not_told_of(api, portcullis)
}

/// In its place, until it does so itself.
fn register(api: &mut Api, service: &Service) -> Result<()> {
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": "tightened"}}))?.done()?;
    let names: Vec<String> = (1..=MOST_YOUNG).map(|number| format!("young-{number}")).collect();
    let namespaces: Vec<&str> = names.iter().map(String::as_str).chain(["tightened"]).collect();
    Registration { service, namespaces: &namespaces, failure_policy: "Fail" }.create(api)
}

/// The pods of the namespace are looked at.
fn tighten_a_namespace(api: &mut Api, portcullis: &Running) -> Result<()> {
    let label = |level: &str| json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}});
    let container = json!({"name": "app", "image": "nginx", "securityContext": {"privileged": true}});
    let pods = "/api/v1/namespaces/tightened/pods";
    until(SOON, || {
        let made = api.post(pods, &json!({"metadata": {"name": "old"}, "spec": {"containers": [container]}}))?;
        Ok([201, 409].contains(&made.status).then_some(()))
    })?;
    until(SOON, || {
        api.merge("/api/v1/namespaces/tightened", &label("privileged"))?.done()?;
        api.merge("/api/v1/namespaces/tightened", &label("baseline"))?.done()?;
        // Of two reviews in a row, one is of the stricter label.
        let reviews = portcullis.metric("portcullis_request_duration_seconds_count{phase=\"validate\"}")?;
        Ok((reviews >= 2.0).then_some(()))
    })
}

/// A template in a namespace that is younger than the watch's news of it. Whether it is so is chance, so it is tried.
fn judge_in_a_namespace_that_the_watch_has_not_told_of(api: &mut Api, portcullis: &Running) -> Result<()> {
    let container = json!({"name": "app", "image": "nginx"});
    let template = json!({"metadata": {"name": "t"}, "template": {"spec": {"containers": [container]}}});
    let mut number = 0;
    until(SOON, || {
        number += 1;
        ensure!(number <= MOST_YOUNG, "the watch was faster {MOST_YOUNG} times");
        let name = format!("young-{number}");
        api.post("/api/v1/namespaces", &json!({"metadata": {"name": name}}))?.done()?;
        api.post(&format!("/api/v1/namespaces/{name}/podtemplates?dryRun=All"), &template)?.done()?;
        api.delete(&format!("/api/v1/namespaces/{name}"))?.done()?;
        Ok((portcullis.metric("portcullis_namespace_reads_total{outcome=\"found\"}")? >= 1.0).then_some(()))
    })
}
