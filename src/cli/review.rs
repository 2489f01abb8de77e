//! `portcullis review`.

use std::process::ExitCode;

use clap::Args;

/// Answer one AdmissionReview from standard input.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

pub(super) fn run(_: Arguments) -> anyhow::Result<ExitCode> {
    anyhow::bail!("not wired yet")
}
