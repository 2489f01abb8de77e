//! The audit log of an API server: one event for each request that changes something.

use super::{process::until, state::State};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// An audit log, read where the API server writes it.
#[derive(Clone)]
pub struct AuditLog {
    file: PathBuf,
}

impl AuditLog {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file }
    }

    /// One that an API server was told of by flags.
    pub fn at(file: &Path) -> Self {
        Self::new(file.to_owned())
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The event of the request that was answered with this `Audit-Id`; it is written a moment after the answer.
    pub fn event(&self, audit_id: &str) -> Result<Value> {
        until(Duration::from_secs(10), || {
            Ok(self.events()?.into_iter().find(|event| event["auditID"].as_str() == Some(audit_id)))
        })
        .with_context(|| format!("waiting for the audit event {audit_id}"))
    }

    /// The annotations of that event.
    pub fn annotations(&self, audit_id: &str) -> Result<Value> {
        Ok(self.event(audit_id)?["annotations"].take())
    }

    /// All events so far, in the order of their answers.
    pub fn events(&self) -> Result<Vec<Value>> {
        let text = fs::read_to_string(&self.file)?;
        // The last line may be half-written.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// Writes the audit policy: reads are left out, and bodies are.
pub fn write_policy(state: &State) -> Result<PathBuf> {
    let policy = json!({
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "None", "verbs": ["get", "list", "watch"]}, {"level": "Metadata"}],
    });
    state.write_document("audit-policy.json", &policy)
}

/// The flags for it.
pub fn flags(policy: &Path, log: &AuditLog) -> [String; 2] {
    [format!("--audit-policy-file={}", policy.display()), format!("--audit-log-path={}", log.file.display())]
}
