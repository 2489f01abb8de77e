//! Log lines: JSON objects on standard error, one a line, and what happens to panics.
//!
//! A line holds `timestamp`, `level`, `message` and fields of this list: `uid phase operation kind subresource namespace name
//! user dry_run verdict code denial error micros` for reviews; `address admin_address ca certificate expires place`
//! for the server; `configuration fields by since until attempt judged refused` for the registration. No line holds an object or a part of one, but for the names and values that a denial quotes.

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

/// Says where a fault is. Its text stays out of the log: it may quote what was being read.
fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    tracing::error!(place, "a fault of Portcullis was caught; please report it with its place");
}
