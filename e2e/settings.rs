//! What a run is told from outside, and what it tells.

use std::io::Write;
use std::str::FromStr;

use anyhow::{Context, Result};

/// A setting from the environment; an empty one is as good as none.
pub fn setting<T: FromStr<Err: Into<anyhow::Error>>>(name: &str, default: T) -> Result<T> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => {
            text.parse::<T>().map_err(Into::into).with_context(|| format!("{name}={text} is no whole number"))
        }
        _ => Ok(default),
    }
}

/// Prints a line that shows although the test harness holds back what tests print.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
