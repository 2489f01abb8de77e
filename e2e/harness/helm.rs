//! Helm as a platform engineer would use it: always the version that `e2e/helm/go.mod` names, built once.

use super::kubectl::Said;
use anyhow::{Context, Result, anyhow, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// Helm with the kubeconfig of one API server, and with a home of its own.
pub struct Helm {
    program: PathBuf,
    kubeconfig: PathBuf,
    home: PathBuf,
}

impl Helm {
    /// Builds it, if nobody has; what it keeps goes below `home`.
    pub fn new(kubeconfig: &Path, home: &Path) -> Result<Self> {
        Ok(Self { program: program()?, kubeconfig: kubeconfig.to_owned(), home: home.to_owned() })
    }

    /// Runs it; that it fails is an answer like any other.
    pub fn run(&self, arguments: &[&str]) -> Result<Said> {
        let output = Command::new(&self.program)
            .env("HOME", &self.home)
            .env_remove("HELM_NAMESPACE")
            .arg(format!("--kubeconfig={}", self.kubeconfig.display()))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .context("Helm does not start")?;
        Ok(output.into())
    }

    /// What it prints when it must not fail.
    pub fn done(&self, arguments: &[&str]) -> Result<String> {
        let said = self.run(arguments)?;
        ensure!(said.succeeded, "helm {}: {}", arguments.join(" "), said.stderr);
        Ok(said.stdout)
    }
}

fn program() -> Result<PathBuf> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    program.clone().map_err(|reason| anyhow!(reason))
}

/// What the build says goes to our standard error, past the test runner's capture: it takes minutes.
fn build() -> Result<PathBuf> {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/helm/build");
    let said = Command::new(&build).stderr(Stdio::inherit()).output().context("cannot run e2e/helm/build")?;
    ensure!(said.status.success(), "there is no Helm to test with; {} says why above", build.display());
    Ok(PathBuf::from(String::from_utf8(said.stdout)?.trim_end()))
}
