//! kubectl as a platform engineer would use it: always the one of this version, never what else is on the PATH.

use super::programs;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// kubectl with the kubeconfig of one API server.
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

/// What it printed.
#[derive(Debug)]
pub struct Said {
    pub succeeded: bool,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            succeeded: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Kubectl {
    pub(super) fn new(kubeconfig: &Path) -> Result<Self> {
        Ok(Self { program: programs::path("kubectl")?, kubeconfig: kubeconfig.to_owned() })
    }

    /// Where it is.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Runs it; that it fails is an answer like any other.
    pub fn run(&self, arguments: &[&str]) -> Result<Said> {
        self.run_with_input(arguments, "")
    }

    /// Runs it with `input`, for `-f -`.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<Said> {
        let mut child = Command::new(&self.program)
            .arg(format!("--kubeconfig={}", self.kubeconfig.display()))
            .arg("--request-timeout=60s")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl does not start")?;
        // A kubectl that does not read its input closes it; what it then says is the answer.
        let _ = child.stdin.take().context("kubectl has no input")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        Ok(output.into())
    }

    /// What it prints when it must not fail.
    pub fn done(&self, arguments: &[&str]) -> Result<String> {
        let said = self.run(arguments)?;
        ensure!(said.succeeded, "kubectl {}: {}", arguments.join(" "), said.stderr);
        Ok(said.stdout)
    }

    /// `kubectl apply -f -` of documents that must be accepted.
    pub fn apply(&self, documents: &str) -> Result<()> {
        let said = self.run_with_input(&["apply", "-f", "-"], documents)?;
        ensure!(said.succeeded, "kubectl apply: {}", said.stderr);
        Ok(())
    }
    /// The objects that documents hold, as kubectl reads them.
    pub fn read(&self, documents: &str) -> Result<Vec<Value>> {
        let arguments = ["apply", "--dry-run=client", "--output=json", "-f", "-"];
        let said = self.run_with_input(&arguments, documents)?;
        ensure!(said.succeeded, "kubectl apply --dry-run=client: {}", said.stderr);
        let mut read: Value = serde_json::from_str(&said.stdout)?;
        Ok(match read["items"].take() {
            Value::Array(items) => items,
            _ => vec![read],
        })
    }
}
