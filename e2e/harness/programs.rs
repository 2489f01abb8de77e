//! Where the programs of the control plane are: found, or built once, by `e2e/control-plane/build`.

use anyhow::{Context, Result, anyhow, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The path of `etcd`, `kube-apiserver`, `kube-controller-manager` or `kubectl`.
pub fn path(program: &str) -> Result<PathBuf> {
    static DIRECTORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| directory().map_err(|error| format!("{error:#}")));
    directory.as_ref().map(|directory| directory.join(program)).map_err(|reason| anyhow!(reason.clone()))
}

/// What it says goes to our standard error, past the test runner's capture: a build takes minutes.
fn directory() -> Result<PathBuf> {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/control-plane/build");
    let said = Command::new(&build)
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", build.display()))?;
    ensure!(said.status.success(), "there is no control plane to test with; {} says why above", build.display());
    Ok(PathBuf::from(String::from_utf8(said.stdout)?.trim_end()))
}
