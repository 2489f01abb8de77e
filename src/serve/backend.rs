//! What a server needs of the world behind it. Over memory or over a cluster: the server cannot tell.

use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use crate::engine::{Facts, Needed, Snapshot};
use crate::telemetry::Decided;

/// The world as one review sees it.
pub trait Backend: Send + Sync + 'static {
    /// All that is known now.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// Gathers what a review needs beside this snapshot, by which it will be decided; called only if it needs something. What
    /// cannot be had before the deadline is left out: whether that matters is for decide to say.
    fn gather(&self, needed: Needed<'_>, snapshot: &Snapshot, deadline: Instant) -> impl Future<Output = Facts> + Send;

    /// Told of every decision, before it is answered.
    fn record(&self, decided: &Decided<'_>);

    /// What is still missing before reviews can be judged, in words for `/readyz`; nothing once ready.
    fn missing(&self) -> Vec<String>;
}
