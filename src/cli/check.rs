//! `portcullis check`.

use std::process::ExitCode;

use clap::Args;

/// Judge manifests before they reach a cluster.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not wired yet")
}
