//! How long to wait before the API server is asked again what led to nothing.
//!
//! Each pause is about twice as long as the last, up to a bound, and shorter by chance, so that replicas that were turned away together
//! do not come back together.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Pace {
    /// The next pause at its longest.
    next: Duration,
    longest: Duration,
    /// Whether the last pause was the first of the longest ones.
    is_now_slowest: bool,
}

impl Pace {
    pub(super) fn up_to(longest: Duration) -> Self {
        Self { next: SHORTEST, longest, is_now_slowest: false }
    }

    /// Something came of it: the next pause is a short one.
    pub(super) fn reset(&mut self) {
        *self = Self::up_to(self.longest);
    }

    /// The pause that is due: the next one, or down to half of it.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.longest);
        self.is_now_slowest = pause < self.longest && self.next == self.longest;
        pause / 2 + pause / 2 * chance() / u32::from(u16::MAX)
    }

    /// Whether all further pauses are as long as they get, and this was not so before the last.
    pub(super) fn is_now_slowest(&self) -> bool {
        self.is_now_slowest
    }
}

/// A number below 2¹⁶ that nobody can foresee.
fn chance() -> u32 {
    u32::from(RandomState::new().hash_one(SHORTEST) as u16)
}

/// How time passes.
pub(super) trait Time: Send + Sync {
    fn now(&self) -> Instant;

    /// Ends after the pause.
    fn pass(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}

/// Time as it passes for everybody.
pub(super) struct Real;

impl Time for Real {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pass(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_their_bound_and_differ_by_chance() {
        let mut pace = Pace::up_to(LONGEST);
        for most in [100, 200, 400, 800, 1000, 1000].map(Duration::from_millis) {
            let pause = pace.pause();
            assert!(most / 2 <= pause && pause <= most, "{pause:?} is not between half of {most:?} and all of it");
        }
        let pauses: Vec<Duration> = (0..50).map(|_| pace.pause()).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    }

    #[test]
    fn what_came_to_something_has_the_next_pause_be_a_short_one() {
        let mut pace = Pace::up_to(LONGEST);
        let _grown: Vec<Duration> = (0..10).map(|_| pace.pause()).collect();
        pace.reset();
        assert!(pace.pause() <= SHORTEST);
    }

    #[test]
    fn the_longest_pauses_are_announced_once() {
        let mut pace = Pace::up_to(LONGEST);
        let announced: Vec<bool> = (0..8).map(|_| (pace.pause(), pace.is_now_slowest()).1).collect();
        assert_eq!(announced, [false, false, false, true, false, false, false, false]);
    }
}
