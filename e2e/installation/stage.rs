//! One plane for all tests of the installation: with PodSecurity, controllers, and an audit log of what Portcullis asks.

use crate::harness::{ApiServerSettings, AuditLog, ControlPlane, Helm, Settings, Shared};
use anyhow::{Context, Result, ensure};
use portcullis::manifest::{Documents, parse};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use tempfile::TempDir;

/// The plane, and a place for files that is there before it.
pub struct Stage {
    pub plane: ControlPlane,
    /// What service accounts of Portcullis have asked of the API server, reads included.
    pub asked: AuditLog,
    files: TempDir,
}

impl Stage {
    /// Helm, for this plane.
    pub fn helm(&self) -> Result<Helm> {
        Helm::new(&self.plane.api_servers[0].kubeconfig, self.files.path())
    }

    /// A folder of its own for a test.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.files.path().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// The plane of all tests.
pub fn stage() -> Result<Arc<Stage>> {
    static STAGE: Shared<Stage> = Shared::new();
    STAGE.or_start(|| {
        let files = tempfile::Builder::new().prefix("portcullis-installation-").tempdir()?;
        let policy = files.path().join("audit-policy.json");
        std::fs::write(&policy, audit_policy().to_string())?;
        let log = files.path().join("audit.log");
        let flags =
            vec![format!("--audit-policy-file={}", policy.display()), format!("--audit-log-path={}", log.display())];
        let api_server = ApiServerSettings { flags, ..ApiServerSettings::default() };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        // All releases share them, and each test applies them again.
        plane.kubectl()?.done(&["apply", "-f", &manifests("base/custom-resource-definitions.yaml")])?;
        Ok(Stage { plane, asked: AuditLog::at(&log), files })
    })
}

/// Everything that service accounts of namespaces outside kube-system ask, whatever becomes of it.
fn audit_policy() -> Value {
    json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system", "system:masters"]},
            {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
            {"level": "None"},
        ],
    })
}

/// A path below `manifests/`.
pub fn manifests(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(path).display().to_string()
}

/// What `portcullis render` prints.
pub fn render(arguments: &[&str]) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis")).arg("render").args(arguments).output()?;
    ensure!(output.status.success(), "render {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).context("text")
}

/// Objects by kind, namespace and name.
pub type Objects = BTreeMap<String, Value>;

/// The objects of a text.
pub fn objects(text: &str) -> Result<Objects> {
    let mut objects = Objects::new();
    for document in Documents::new(text.as_bytes()) {
        let node = parse(&document?)?;
        if node.is_null() {
            continue;
        }
        let mut json = Vec::new();
        node.write_json(&mut json);
        let object: Value = serde_json::from_slice(&json)?;
        let field = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let identity = format!("{} {}/{}", field("/kind"), field("/metadata/namespace"), field("/metadata/name"));
        ensure!(objects.insert(identity.clone(), object).is_none(), "{identity} is there twice");
    }
    objects.first_key_value().context("no object")?;
    Ok(objects)
}
