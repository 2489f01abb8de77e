//! `portcullis explain`: a check's page, as it stands in `docs/checks`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;

use crate::engine::pod_security::registry;

/// Print what a check refuses, why, and what to write instead; without an id, list the checks.
#[derive(Debug, Args)]
#[command(after_help = "Example: portcullis explain runAsNonRoot")]
pub(super) struct Arguments {
    /// The id of a check, as it stands in a refusal's explanation.
    id: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let text = match &arguments.id {
        None => list(),
        Some(id) => page(id)?.to_owned(),
    };
    // A reader that stops reading, such as a pager, is no fault.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn list() -> String {
    let mut text = String::new();
    for check in registry().checks() {
        let versions: Vec<String> = check.variants.iter().map(|variant| format!("v1.{}", variant.since)).collect();
        text.push_str(&format!("{:<27} {:<10} since {}\n", check.id, check.level, versions.join(", changed in ")));
    }
    text
}

fn page(id: &str) -> anyhow::Result<&'static str> {
    let checks = registry().checks();
    match checks.iter().find(|check| check.id.eq_ignore_ascii_case(id)) {
        Some(check) => Ok(check.page),
        None => {
            let ids: Vec<&str> = checks.iter().map(|check| check.id).collect();
            bail!("no check is called {id:?}; there are: {}", ids.join(", "))
        }
    }
}
