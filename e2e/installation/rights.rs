//! What the manifests allow, against what the real binary asks: nothing is refused, and nothing is granted that is not used.
//!
//! The binary runs with the token of the service account that the manifests create, so the authorizer judges each request
//! by the manifests' own roles, and the audit log says which there were.

use crate::grants::{Right, asked, granted};
use crate::harness::{Api, until};
use crate::running::Running;
use crate::stage::{Objects, Stage, objects, render, stage};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::{path::Path, process::Command, time::Duration};

const USED: &str = "used";
const GIVEN: &str = "given";
const SOON: Duration = Duration::from_secs(60);

const WITHOUT_TOKENS: &str = r#"
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: without-tokens}
spec:
  security:
    automountServiceAccountToken:
      unlessServiceAccount: {matchLabels: {needs-api: "true"}}
"#;

/// How many namespaces, or service accounts, are made to find one that the watch has not told of when it is asked for.
const MOST_YOUNG: u32 = 1000;

#[test]
fn everything_that_is_asked_is_granted_and_everything_that_is_granted_is_asked() -> Result<()> {
    let stage = stage()?;
    let manifests = install(&stage, USED, &[])?;
    // Stricter than the built-in plugin where a namespace says nothing: pods that it admits can slip in past us.
    let configuration = format!("--config={}/policies/pod-security/baseline.yaml", env!("CARGO_MANIFEST_DIR"));
    let portcullis = Running::start(&stage, &manifests, &[&configuration])?;
    exercise(&stage, &portcullis)?;
    await_use(&stage, USED, &manifests, |_| true)?;
    uninstall(&stage, USED)
}

#[test]
fn a_given_certificate_is_read_by_right_and_no_secret_can_be_written() -> Result<()> {
    let stage = stage()?;
    let manifests = install(&stage, GIVEN, &["--certificates=given", "--mode=audit"])?;
    let pair = stage.plane.sign_for_host(&format!("{GIVEN}.{GIVEN}.svc"))?;
    let text = |path: &Path| std::fs::read_to_string(path);
    let data = json!({
        "tls.crt": text(&pair.certificate)?, "tls.key": text(&pair.key)?, "ca.crt": text(&stage.plane.authority())?,
    });
    let secret = json!({"metadata": {"name": format!("{GIVEN}-tls")}, "stringData": data});
    stage.plane.connect()?.post(&format!("/api/v1/namespaces/{GIVEN}/secrets"), &secret)?.done()?;
    let _portcullis = Running::start(&stage, &manifests, &[])?;
    await_use(&stage, GIVEN, &manifests, |right| right.resource == "secrets")?;
    uninstall(&stage, GIVEN)
}

/// Applies what is rendered for a release in a namespace of the same name.
fn install(stage: &Stage, release: &str, options: &[&str]) -> Result<Objects> {
    let text = render(&[&["--release", release, "--namespace", release], options].concat())?;
    stage.plane.kubectl()?.apply(&text)?;
    objects(&text)
}

/// Waits until these of the rights that the manifests grant are used; whatever else is asked, or is refused, is an error.
fn await_use(stage: &Stage, release: &str, manifests: &Objects, is_meant: fn(&Right) -> bool) -> Result<()> {
    let granted = granted(manifests)?;
    let mut unused: Vec<&Right> = Vec::new();
    let waited = until(SOON, || {
        let asked = asked(&stage.asked, release)?;
        for request in &asked {
            ensure!(
                granted.iter().any(|grant| grant.covers(request)),
                "asked, and not granted by our roles: {request}"
            );
        }
        let is_used = |grant: &Right| asked.iter().any(|request| grant.covers(request));
        unused = granted.iter().filter(|grant| is_meant(grant) && !is_used(grant)).collect();
        Ok(unused.is_empty().then_some(()))
    });
    let list: String = unused.iter().map(|right| format!("\n  {right}")).collect();
    waited.with_context(|| format!("what is granted is not what is asked; granted, and not asked so far:{list}"))
}

/// Has Portcullis do all that it does. What is built later adds a line here, and its grants then count as used.
fn exercise(stage: &Stage, portcullis: &Running) -> Result<()> {
    let mut api = stage.plane.connect()?;
    for which in ["mutating", "validating"] {
        until(SOON, || Ok((api.get(&configuration(which, USED))?.status == 200).then_some(())))?;
        edit_a_configuration(&mut api, which)?;
    }
    damage_the_certificates(&mut api)?;
    tighten_a_namespace(&mut api, portcullis)?;
    judge_in_a_namespace_that_the_watch_has_not_told_of(&mut api, portcullis)?;
    complete_a_pod_of_an_account_that_the_watch_has_not_told_of(stage, &mut api, portcullis)?;
    disable_for_a_moment(stage, &mut api)
}

/// With the process still there: what is registered goes first, so that nobody is refused for want of it.
fn uninstall(stage: &Stage, release: &str) -> Result<()> {
    let objects = "clusterrole,clusterrolebinding,namespace";
    stage.plane.kubectl()?.done(&["delete", objects, release, "--wait=false"])?;
    let mut api = stage.plane.connect()?;
    let mut is_gone = |which| Ok::<_, anyhow::Error>(api.get(&configuration(which, release))?.status == 404);
    until(SOON, || Ok((is_gone("mutating")? && is_gone("validating")?).then_some(())))
}

fn configuration(which: &str, release: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{which}webhookconfigurations/{release}")
}

/// Somebody adds a webhook of his own, which applying ours leaves where it is: the whole has to be replaced.
fn edit_a_configuration(api: &mut Api, which: &str) -> Result<()> {
    let path = configuration(which, USED);
    let mut webhooks = api.get(&path)?.done()?["webhooks"].take();
    let list = webhooks.as_array_mut().context("no webhooks")?;
    let ours = list.len();
    let mut other = list.first().context("no webhook")?.clone();
    other["name"] = json!("other.example.com");
    list.push(other);
    api.merge(&path, &json!({"webhooks": webhooks}))?.done()?;
    until(SOON, || {
        let found = api.get(&path)?.done()?;
        Ok((found["webhooks"].as_array().map(Vec::len) == Some(ours)).then_some(()))
    })
}

/// Somebody writes nonsense into the Secret, which is then written anew.
fn damage_the_certificates(api: &mut Api) -> Result<()> {
    let path = format!("/api/v1/namespaces/{USED}/secrets/{USED}-certificates");
    let damaged = json!({"data": {"tls.crt": "AAAA"}});
    api.merge(&path, &damaged)?.done()?;
    until(SOON, || Ok((api.get(&path)?.done()?["data"]["tls.crt"] != "AAAA").then_some(())))
}

/// The pods of the namespace are looked at.
fn tighten_a_namespace(api: &mut Api, portcullis: &Running) -> Result<()> {
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": "tightened"}}))?.done()?;
    let label = |level: &str| json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": level}}});
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

/// A document asks for the labels of service accounts, so they are followed. Whether one is younger than the watch's news of it is
/// chance, so it is tried.
fn complete_a_pod_of_an_account_that_the_watch_has_not_told_of(
    stage: &Stage,
    api: &mut Api,
    portcullis: &Running,
) -> Result<()> {
    stage.plane.kubectl()?.apply(WITHOUT_TOKENS)?;
    until(SOON, || Ok((portcullis.metric("portcullis_service_accounts")? >= 1.0).then_some(())))?;
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": "accounts"}}))?.done()?;
    let mut number = 0;
    until(SOON, || {
        number += 1;
        ensure!(number <= MOST_YOUNG, "the watch was faster {MOST_YOUNG} times");
        let name = format!("young-{number}");
        api.post("/api/v1/namespaces/accounts/serviceaccounts", &json!({"metadata": {"name": name}}))?.done()?;
        let container = json!({"name": "app", "image": "nginx"});
        let pod = json!({"metadata": {"name": "p"}, "spec": {"serviceAccountName": name, "containers": [container]}});
        api.post("/api/v1/namespaces/accounts/pods?dryRun=All", &pod)?;
        Ok((portcullis.metric("portcullis_service_account_reads_total{outcome=\"found\"}")? >= 1.0).then_some(()))
    })?;
    stage.plane.kubectl()?.done(&["delete", "poddefaults", "without-tokens"]).map(drop)
}

/// The marker is heeded, what is registered goes; when the time is over, the marker goes, the registration is back, and the
/// pod that came meanwhile is told of in its namespace.
fn disable_for_a_moment(stage: &Stage, api: &mut Api) -> Result<()> {
    let kubeconfig = format!("--kubeconfig={}", stage.plane.api_servers[0].kubeconfig.display());
    let names = [format!("--release={USED}"), format!("--namespace={USED}")];
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["disable", "--reason=a test", "--for=8s", &kubeconfig])
        .args(names)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": "open"}}))?.done()?;
    let container = json!({"name": "app", "image": "nginx", "securityContext": {"privileged": true}});
    let pod = json!({"metadata": {"name": "slipped"}, "spec": {"containers": [container]}});
    until(SOON, || Ok((api.post("/api/v1/namespaces/open/pods", &pod)?.status == 201).then_some(())))?;

    let marker = format!("/api/v1/namespaces/{USED}/configmaps/{USED}-disabled");
    until(SOON, || Ok((api.get(&marker)?.status == 404).then_some(())))?;
    until(SOON, || Ok((api.get(&configuration("validating", USED))?.status == 200).then_some(())))?;
    until(SOON, || {
        let found = api.get("/apis/events.k8s.io/v1/namespaces/open/events")?.done()?;
        let slipped = |event: &Value| event["reason"] == "SlippedIn" && event["regarding"]["name"] == "slipped";
        Ok(found["items"].as_array().is_some_and(|events| events.iter().any(slipped)).then_some(()))
    })
}
