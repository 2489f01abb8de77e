//! Which authorities clients can be taken to trust: those that have been handed out for a while.

use std::time::{Duration, Instant};

/// Since when each authority is known to be handed out. What a client was told takes effect a little later.
#[derive(Debug)]
pub struct Settled {
    settling: Duration,
    since: Vec<(Vec<u8>, Instant)>,
    started: Option<Instant>,
}

impl Settled {
    pub fn new(settling: Duration) -> Self {
        Self { settling, since: Vec::new(), started: None }
    }

    /// These (DER) are handed out now, and no others.
    pub fn see<'a>(&mut self, handed_out: impl Iterator<Item = &'a [u8]>, now: Instant) {
        self.started.get_or_insert(now);
        let since = std::mem::take(&mut self.since);
        self.since = handed_out
            .map(|authority| {
                let before = since.iter().find(|(known, _)| known == authority);
                (authority.to_vec(), before.map_or(now, |(_, since)| *since))
            })
            .collect();
    }

    /// Whether clients are told of any.
    pub(super) fn any(&self) -> bool {
        !self.since.is_empty()
    }

    /// Whether clients are told of this one, however long ago.
    pub(super) fn is_told(&self, authority: &[u8]) -> bool {
        self.since(authority).is_some()
    }

    /// Whether clients trust this one by now, for sure.
    pub fn has(&self, authority: &[u8], now: Instant) -> bool {
        self.since(authority).is_some_and(|since| now.saturating_duration_since(since) >= self.settling)
    }

    /// Whether nearly all clients trust it by now, as far as one can tell who has not looked on for long.
    pub(super) fn almost_has(&self, authority: &[u8], now: Instant) -> bool {
        self.since(authority).is_some_and(|since| {
            Some(since) == self.started || now.saturating_duration_since(since) >= self.settling / 8
        })
    }

    fn since(&self, authority: &[u8]) -> Option<Instant> {
        self.since.iter().find(|(known, _)| known == authority).map(|(_, since)| *since)
    }
}
