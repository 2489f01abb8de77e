//! Defaults that make a bare pod one that a strict namespace admits.

use std::process::Command;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::documents::pod;
use crate::stage::{container, create, until_pod, with_stage};

const SAFE: &str = r#"
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: safe}
spec:
  match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: strict}}}
  resources:
    containers:
      requests: {cpu: 100m, memory: 64Mi}
      limits: {memory: 128Mi}
  security:
    seccompProfile: RuntimeDefault
    runAsNonRoot: Always
    denyPrivilegeEscalation: true
    capabilities: {dropAll: true}
"#;

#[test]
fn a_bare_pod_passes_where_restricted_is_enforced_once_defaults_complete_it() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("strict", &[("pod-security.kubernetes.io/enforce", "restricted")])?;
        until_pod(&mut api, "strict", &pod("a", None), |answer| answer["code"] == 403)?;
        stage.apply(SAFE, 1.0)?;
        until_pod(&mut api, "strict", &pod("a", None), |pod| pod["kind"] == "Pod")?;
        let stored = create(&mut api, "strict", &pod("bare", None))?;
        let app = container(&stored, "app");
        let resources = json!({"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}});
        assert_eq!(app["resources"], resources);
        assert_eq!(app["securityContext"]["capabilities"], json!({"drop": ["ALL"]}));

        let mut privileged = pod("privileged", None);
        privileged["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
        let refused = until_pod(&mut api, "strict", &privileged, |_| true)?;
        assert_eq!(refused["code"], 403, "what a user says is never overruled: {refused}");
        stage.clear()?;
        until_pod(&mut api, "strict", &pod("a", None), |answer: &Value| answer["code"] == 403).map(drop)
    })
}

/// The API server notes whose fields are whose before it asks the webhooks.
#[test]
fn what_an_author_wrote_as_a_default_has_it_stays_when_the_defaults_are_taken_back() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("strict-authors", &[])?;
        let document =
            SAFE.replace("kubernetes.io/metadata.name: strict", "kubernetes.io/metadata.name: strict-authors");
        stage.apply(&document, 1.0)?;
        let is_filled = |pod: &Value| container(pod, "app")["resources"]["limits"]["memory"] == "128Mi";
        until_pod(&mut api, "strict-authors", &pod("a", None), is_filled)?;
        let mut written = pod("written", None);
        written["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "100m"}});
        written["spec"]["containers"][0]["securityContext"] = json!({"allowPrivilegeEscalation": false});
        let stored = create(&mut api, "strict-authors", &written)?;
        assert!(is_filled(&stored), "{stored}");
        let back = taken_back(&document, &stored)?;
        let app = container(&back, "app");
        assert_eq!(app["resources"], json!({"requests": {"cpu": "100m"}}), "{back}");
        assert_eq!(app["securityContext"], json!({"allowPrivilegeEscalation": false}), "{back}");
        stage.clear()
    })
}

fn taken_back(document: &str, pod: &Value) -> Result<Value> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("policy.yaml"), document)?;
    std::fs::write(folder.path().join("pod.json"), pod.to_string())?;
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .current_dir(folder.path())
        .args(["uninject", "pod.json", "--policies", "policy.yaml"])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
