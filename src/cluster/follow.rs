//! Wakes whoever keeps a single object, whenever something may have happened to it.
//!
//! Nothing is concluded from what a watch tells: the keeper reads the object itself. So a watch can begin anew at any time, and
//! each beginning wakes as well, since the object may have gone in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::access::{self, Access};
use super::error::ClusterError;
use super::lines::Lines;
use super::place::{Deed, Place};
use super::question::Question;
use super::watch::within;

const PATIENCE: Duration = Duration::from_secs(10);

/// Longer than a watch lasts; one that goes on for longer hangs.
const LONGEST_WATCH: Duration = Duration::from_secs(65);

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Follows the object at `place` for ever, and wakes after every change of it, within a fraction of a second while the API server
/// answers. Changes that come together may be one waking.
pub(super) async fn follow(access: Access, place: Place, wake: Arc<Notify>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        match watch(&access, &place, &wake).await {
            Ok(()) => pause = SHORTEST_PAUSE,
            Err(error) => {
                tracing::debug!(object = place.name(), error = error.to_string(), "a watch of a single object ended");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

async fn watch(access: &Access, place: &Place, wake: &Notify) -> Result<(), ClusterError> {
    let mut body = within(PATIENCE, access.open(Question::Object(place, Deed::Watch))).await?;
    wake.notify_one();
    within(LONGEST_WATCH, async {
        let mut lines = Lines::default();
        while let Some(bytes) = access::next(&mut body).await? {
            lines.push(&bytes);
            while lines.next()?.is_some() {
                wake.notify_one();
            }
        }
        Ok(())
    })
    .await
}
