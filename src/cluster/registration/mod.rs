//! The registration with the API server: two webhook configurations, kept as they are to be.
//!
//! Every replica keeps them; preconditions make that safe. They go with their owner when we are uninstalled, and stay away
//! while the marker of `portcullis disable` is there.

mod configuration;
mod deference;
mod difference;
mod field;
mod keeper;
mod marker;
mod slipped;
mod switch;

pub use configuration::Registration;
pub use marker::{LONGEST_DISABLED, Marker};
pub use switch::{Disabled, Enabled, disable, enable};

pub(super) use keeper::keep;
