//! `portcullis review`: answers one AdmissionReview from standard input, as the server would.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde::de::IgnoredAny;

use super::inputs::{Judging, Pods};
use crate::engine::pod_security::LevelVersion;
use crate::engine::{ExistingPods, Facts, Needed, Phase, decide, needed};
use crate::review;

/// Answer one AdmissionReview (JSON on standard input), as the server would.
///
/// Without --config the defaults are upstream's: privileged:latest, so that the labels of --namespaces decide. Without
/// --namespaces every namespace is taken to exist without labels; with it, one that the file lacks cannot be looked up.
/// Exit code 0: answered, whatever the answer; 2: the input is no AdmissionReview.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: portcullis review --namespaces docs/examples/namespaces.yaml < docs/examples/review.json"
)]
pub(super) struct Arguments {
    #[command(flatten)]
    judging: Judging,
    /// Which of the two calls to answer.
    #[arg(long, value_enum, default_value_t = PhaseArgument::Validate)]
    phase: PhaseArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PhaseArgument {
    Mutate,
    Validate,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (snapshot, pods) = arguments.judging.snapshot(LevelVersion::PRIVILEGED)?;
    let mut body = Vec::new();
    std::io::stdin().lock().read_to_end(&mut body).context("cannot read standard input")?;
    let phase = match arguments.phase {
        PhaseArgument::Mutate => Phase::Mutate,
        PhaseArgument::Validate => Phase::Validate,
    };
    let request = review::decode(phase, &body).context("standard input")?;
    // The server trusts its sender to have written JSON; a person's text is read strictly.
    serde_json::from_slice::<IgnoredAny>(&body).context("standard input: not JSON")?;
    let facts = gather(&needed(&request, &snapshot), pods);
    let answer = review::encode(&request.uid, &decide(&request, &snapshot, &facts));
    std::io::stdout().write_all(&answer).context("cannot write the answer")?;
    Ok(ExitCode::SUCCESS)
}

/// Offline there is time to look at every pod.
fn gather(needed: &Needed<'_>, mut pods: Pods) -> Facts {
    let existing_pods = match needed {
        Needed::PodsOf(namespace) => ExistingPods::Listed {
            pods: pods.remove(*namespace).unwrap_or_default(),
            unlisted: 0,
            time: RefCell::new(Box::new(std::iter::repeat(()))),
        },
        // What the files lack is not to be had.
        _ => ExistingPods::NotGathered,
    };
    Facts { existing_pods, ..Facts::default() }
}
