//! Defaults that make a bare pod one that a strict namespace admits.

use anyhow::Result;
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
