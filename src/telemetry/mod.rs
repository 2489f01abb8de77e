//! What is told of the work: log lines with fields from one list, and the one table of metrics.
//!
//! Label sets are bounded, no object's body is ever logged, and counting a request costs a few additions.

mod decisions;
pub mod log;
mod metrics;
mod pod_security;
mod recorder;
mod table;

pub use decisions::Decisions;
pub use metrics::{Answer, Issued, LiveReads, Metrics, Outcome, OwnerEvents, PhaseLabel, Registered};
pub use recorder::{Decided, Recorder};
pub use table::{Kind, Metric, TABLE};
