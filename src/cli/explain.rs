//! `portcullis explain`: a check's page, as it stands in `docs/checks`; or what a reason's code means, and what to do about it.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;

use crate::engine::mutation::Reason;
use crate::engine::pod_security::registry;

/// Print what a check refuses, why, and what to write instead, or what a reason's code means; without a word, list them all.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  portcullis explain runAsNonRoot
  portcullis explain container_name_taken")]
pub(super) struct Arguments {
    /// The id of a check, as it stands in a refusal's explanation; or a reason's code, as warnings and Events have it in brackets.
    #[arg(value_name = "CHECK|REASON")]
    word: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = match &arguments.word {
        None => list().context("nothing can be listed")?,
        Some(word) => explanation(word)?,
    };
    // A reader that stops reading, such as a pager, is no fault.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn list() -> Result<String, std::fmt::Error> {
    let mut text = String::from("Checks:\n");
    for check in registry().checks() {
        let versions: Vec<String> = check.variants.iter().map(|variant| format!("v1.{}", variant.since)).collect();
        writeln!(text, "{:<30} {:<10} since {}", check.id, check.level, versions.join(", changed in "))?;
    }
    text.push_str("\nReasons of mutation:\n");
    for reason in Reason::ALL {
        writeln!(text, "{:<30} {}", reason.code(), reason.text())?;
    }
    Ok(text)
}

fn explanation(word: &str) -> anyhow::Result<String> {
    let checks = registry().checks();
    if let Some(check) = checks.iter().find(|check| check.id.eq_ignore_ascii_case(word)) {
        return Ok(check.page.to_owned());
    }
    if let Some(reason) = Reason::of_code(word) {
        return Ok(format!("{}: {}\n\n{}\n", reason.code(), reason.text(), reason.advice()));
    }
    let ids: Vec<&str> = checks.iter().map(|check| check.id).collect();
    let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    bail!(
        "no check and no reason is called {word:?}; the checks are {}; the reasons are {}",
        ids.join(", "),
        codes.join(", ")
    )
}
