//! Which leaf one replica serves: the newest that its clients can verify.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::leaf::Leaf;

/// The leaf that is served, and one that waits until clients trust its authority.
#[derive(Debug, Default)]
pub struct Serving {
    served: Option<Arc<Leaf>>,
    waiting: Option<(Arc<Leaf>, Instant)>,
}

/// What is known of a leaf that is to be served.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// Whether clients trust its authority by now.
    pub is_settled: bool,
    /// Whether it is better to wait until they do.
    pub can_wait: bool,
    /// How long it waits at most: longer would not make it better.
    pub patience: Duration,
}

impl Serving {
    pub fn served(&self) -> Option<&Arc<Leaf>> {
        self.served.as_ref()
    }

    /// Serves this one, now or when it is offered again later; true if now, for the first time.
    pub fn offer(&mut self, leaf: &Leaf, offer: Offer, now: Instant) -> bool {
        if self.served.as_deref() == Some(leaf) {
            self.waiting = None;
            return false;
        }
        let since = self.waiting.as_ref().filter(|(waiting, _)| **waiting == *leaf).map(|(_, since)| *since);
        let is_overdue = since.is_some_and(|since| now.saturating_duration_since(since) >= offer.patience);
        if !offer.can_wait || offer.is_settled || is_overdue {
            self.served = Some(Arc::new(leaf.clone()));
            self.waiting = None;
            return true;
        }
        if since.is_none() {
            self.waiting = Some((Arc::new(leaf.clone()), now));
        }
        false
    }
}
