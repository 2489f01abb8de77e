//! Wakes whoever keeps a single object, whenever something may have happened to it.
//!
//! Nothing is concluded from what a watch tells: the keeper reads the object itself. So a watch can begin anew at any time, and
//! each beginning wakes as well, since the object may have gone in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::access::Access;
use super::error::ClusterError;
use super::follow::{Failure, Followed, follow};
use super::objects::Told;
use super::place::{Deed, Place};
use super::question::Question;

/// Wakes for ever, after every change of the object at `place`, within a fraction of a second while the API server answers. Changes
/// that come together may be one waking.
pub(super) async fn wake(access: Access, place: Place, wake: Arc<Notify>) {
    follow(access, Single { place, wake }).await;
}

pub(super) struct Single {
    pub(super) place: Place,
    pub(super) wake: Arc<Notify>,
}

impl Followed for Single {
    const LONGEST_PAUSE: Duration = Duration::from_secs(5);
    const LONGEST_WATCH: Duration = Duration::from_secs(65);

    fn name(&self) -> &str {
        self.place.name()
    }

    /// Never: a watch begins with what the object is.
    fn must_list(&self, _since: &str, _now: Instant) -> bool {
        false
    }

    fn changes<'q>(&'q self, _since: &'q str) -> Question<'q> {
        Question::Object(&self.place, Deed::Watch)
    }

    fn begins(&mut self) {
        self.wake.notify_one();
    }

    fn tell(&mut self, line: &[u8]) -> Result<String, ClusterError> {
        self.wake.notify_one();
        Told::read(line)?.version()
    }

    fn failed(&mut self, failure: &Failure<'_>) {
        let error = failure.error.to_string();
        tracing::debug!(object = self.place.name(), error, "a watch of a single object ended");
    }
}
