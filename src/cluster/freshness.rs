//! Since when what is known may be out of date.
//!
//! The proof goes by versions. A heartbeat asks the API server, in a consistent read, which version the cluster has reached; as
//! soon as the watch has told everything up to it, all that happened before the heartbeat is known. Silence of the watch, a
//! watch that hangs and an API server that lags behind etcd all fail to prove anything.

use std::time::{Duration, Instant};

/// A resource version. Kubernetes promises since 1.35 that they are numbers that grow.
pub(super) type Version = u64;

#[derive(Debug, Default)]
pub(super) struct Freshness {
    /// Everything that happened before this is known. None before the first full list.
    known_as_of: Option<Instant>,
    /// The version up to which the watch has told everything.
    told: Version,
    /// What a heartbeat learnt and the watch has not told yet.
    owed: Option<(Version, Instant)>,
}

impl Freshness {
    /// A full list that was asked for at this time, and its version: what was known before does not count any more.
    pub(super) fn listed(&mut self, asked: Instant, version: Version) {
        *self = Self { known_as_of: Some(asked), told: version, owed: None };
    }

    /// The watch has told everything up to this version.
    pub(super) fn told(&mut self, version: Version) {
        self.told = self.told.max(version);
        if let Some((owed, asked)) = self.owed
            && owed <= self.told
        {
            self.prove(asked);
        }
    }

    /// The version that the cluster had reached when this heartbeat was sent, or later. While one is owed, it stays: it will be
    /// told before any later one.
    pub(super) fn reached(&mut self, asked: Instant, version: Version) {
        if version <= self.told {
            self.prove(asked);
        } else if self.owed.is_none() {
            self.owed = Some((version, asked));
        }
    }

    fn prove(&mut self, asked: Instant) {
        self.known_as_of = self.known_as_of.map(|known| known.max(asked));
        self.owed = self.owed.filter(|(version, _)| *version > self.told);
    }

    /// None before the first full list.
    pub(super) fn age(&self, now: Instant) -> Option<Duration> {
        self.known_as_of.map(|known| now.saturating_duration_since(known))
    }

    pub(super) fn known_as_of(&self) -> Option<Instant> {
        self.known_as_of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *ORIGIN.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    fn listed() -> Freshness {
        let mut freshness = Freshness::default();
        freshness.listed(at(0), 100);
        freshness
    }

    fn age(freshness: &Freshness) -> Option<u64> {
        freshness.age(at(60)).map(|age| age.as_secs())
    }

    #[test]
    fn nothing_proves_anything_before_the_first_list() {
        let mut freshness = Freshness::default();
        freshness.told(5);
        freshness.reached(at(1), 5);
        assert_eq!(age(&freshness), None);
    }

    #[test]
    fn a_heartbeat_alone_proves_nothing_while_the_watch_is_silent() {
        let mut freshness = listed();
        freshness.reached(at(10), 101);
        assert_eq!(age(&freshness), Some(60));
        freshness.told(101);
        assert_eq!(age(&freshness), Some(50));
    }

    #[test]
    fn a_watch_alone_proves_nothing_without_a_heartbeat() {
        let mut freshness = listed();
        freshness.told(500);
        assert_eq!(age(&freshness), Some(60));
        freshness.reached(at(20), 450);
        assert_eq!(age(&freshness), Some(40));
    }

    #[test]
    fn a_cluster_in_which_nothing_happens_is_known() {
        let mut freshness = listed();
        freshness.reached(at(30), 100);
        assert_eq!(age(&freshness), Some(30));
    }

    #[test]
    fn the_first_heartbeat_that_is_owed_stays_until_it_is_told() {
        let mut freshness = listed();
        freshness.reached(at(10), 110);
        freshness.reached(at(20), 120);
        freshness.told(115);
        assert_eq!(age(&freshness), Some(50));
        freshness.reached(at(30), 115);
        assert_eq!(age(&freshness), Some(30));
    }

    #[test]
    fn a_cluster_that_was_restored_to_an_older_version_is_known_after_its_list() {
        let mut freshness = listed();
        freshness.listed(at(40), 7);
        freshness.reached(at(50), 8);
        freshness.told(8);
        assert_eq!(age(&freshness), Some(10));
    }
}
