//! Log lines: JSON objects on standard error, one a line, and what happens to panics.
//!
//! A line holds `timestamp`, `level`, `message` and fields of this list: `uid phase operation kind subresource namespace name
//! user dry_run verdict code denial error micros` for reviews; `address admin_address ca certificate file expires place error` for the
//! server; `why complaints annotation expires error` for certificates; `configuration fields by since until user reason namespace name
//! denial attempt judged refused error` for the registration; `path object kind name namespace flaws error` for what is followed in the
//! cluster. No line holds an object or a part of one, but for the names and values that a denial or a flaw quotes.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging. `RUST_LOG` may say what is shown; information and worse by default. A second call changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_span_events(FmtSpan::NONE)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// The beginning of a text, of at most so many bytes: nobody's text makes a line of a megabyte.
pub fn clipped(text: &str, most: usize) -> &str {
    text.split_at_checked(text.floor_char_boundary(most)).map_or(text, |(beginning, _)| beginning)
}

/// Says where a fault is. Its text stays out of the log: it may quote what was being read.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "a fault of Portcullis was caught; please report it with its place");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_clipped_stays_text() {
        assert_eq!(clipped("short", 5), "short");
        assert_eq!(clipped("äää", 5), "ää");
        assert_eq!(clipped("ä", 1), "");
    }
}
