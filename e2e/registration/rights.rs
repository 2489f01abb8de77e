//! The rights of a release: the roles that the manifests grant, and no others.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::harness::ControlPlane;

/// What of the manifests has to do with rights; no pods are started here.
const KINDS: [&str; 5] = ["ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

/// Creates the service account of a release and its roles, from `portcullis render`.
pub fn grant(plane: &ControlPlane, release: &str, namespace: &str) -> Result<()> {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["render", "--release", release, "--namespace", namespace])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let manifests = String::from_utf8(output.stdout)?;
    let is_ours = |document: &&str| {
        document.lines().filter_map(|line| line.strip_prefix("kind: ")).any(|kind| KINDS.contains(&kind.trim()))
    };
    let rights: Vec<&str> = manifests.split("\n---\n").filter(is_ours).collect();
    ensure!(rights.len() == KINDS.len(), "{} objects in {manifests}", rights.len());
    plane.kubectl()?.apply(&rights.join("\n---\n"))
}
