//! `portcullis enable`: ends what `portcullis disable` began, before its time.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::installation::Reach;
use crate::cluster::{Enabled, enable};

/// End what `portcullis disable` began: remove the marker, so that replicas register again.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Enabled { marker, untold } = arguments.reach.with(async |access, release| enable(&access, &release).await)?;
    match marker {
        Some(marker) => {
            println!("Enabled. It was disabled by {} until {}: {}", marker.user, marker.until_text(), marker.reason)
        }
        None => println!("It was not disabled: there is no marker."),
    }
    println!("A replica that is ready registers within a second or two; while none is, nothing is registered.");
    if let Some(why) = untold {
        eprintln!("portcullis: the event could not be written: {why}");
    }
    Ok(ExitCode::SUCCESS)
}
