//! `portcullis disable`: takes Portcullis out of the way of the API server, for a while. Nothing of ours has to run.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::duration;
use super::installation::Reach;
use crate::cluster::{Disabled, LONGEST_DISABLED, disable};

/// Take Portcullis out of the way, for a while: delete its webhook configurations and leave a marker that keeps them away.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Why, for those who wonder later.
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// For how long, such as 30m or 1h; a day at most. Replicas that run register again afterwards.
    #[arg(long = "for", value_name = "DURATION", value_parser = length)]
    length: Duration,
    #[command(flatten)]
    reach: Reach,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Disabled { marker, unmarked, removed, untold } = arguments
        .reach
        .with(async |access, release| disable(&access, &release, &arguments.reason, arguments.length).await)?;
    println!("Disabled until {} by {}: {}", marker.until_text(), marker.user, marker.reason);
    match removed.as_slice() {
        [] => println!("There was no webhook configuration left to delete."),
        kinds => println!("Deleted: {}", kinds.join(", ")),
    }
    println!("Pods are admitted without Portcullis until then, or until `portcullis enable`.");
    if let Some(why) = unmarked {
        eprintln!(
            "portcullis: no marker could be left ({why}): if Portcullis is installed again, it registers at once; if it is in \
             another namespace, give --namespace"
        );
    }
    if let Some(why) = untold {
        eprintln!("portcullis: the event could not be written: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("give a reason".to_owned()),
        text if text.len() > 500 => Err("at most 500 bytes".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn length(text: &str) -> Result<Duration, String> {
    match duration::whole(text)? {
        length if length < Duration::from_secs(1) => Err("at least 1s".to_owned()),
        length if length > LONGEST_DISABLED => Err("at most 24h; disable again if it takes longer".to_owned()),
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_within_a_day() {
        assert_eq!(length("24h"), Ok(Duration::from_secs(86_400)));
        assert!(length("25h").is_err_and(|problem| problem.contains("24h")));
        assert!(length("0s").is_err());
    }

    #[test]
    fn a_reason_says_something() {
        assert_eq!(reason(" a fire "), Ok("a fire".to_owned()));
        assert!(reason("  ").is_err());
        assert!(reason(&"x".repeat(501)).is_err());
    }
}
