//! `portcullis serve`.

use std::process::ExitCode;

use clap::Args;

/// Serve admission reviews over HTTPS.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not wired yet")
}
