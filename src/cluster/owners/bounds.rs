//! What keeps Events few: who was told what lately, and how many may be written.
//!
//! Both have a fixed size. Where two things fall into one place, something is told twice or not at all, and nothing grows.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many things are remembered.
const REMEMBERED: usize = 4096;

/// How long the same is not told again.
const AGAIN: Duration = Duration::from_secs(600);

/// What has been told lately, by its hash. Looking costs one exchange, without a lock.
pub(super) struct Recently {
    /// Each holds the last of what falls to it.
    places: Box<[AtomicU64]>,
    origin: Instant,
}

impl Recently {
    pub(super) fn new(origin: Instant) -> Self {
        Self { places: (0..REMEMBERED).map(|_| AtomicU64::new(0)).collect(), origin }
    }

    /// Whether this was not told lately; from now on it was.
    pub(super) fn is_news(&self, key: u64, now: Instant) -> bool {
        let (place, mark) = self.place(key, now);
        place.is_some_and(|place| place.swap(mark, Ordering::Relaxed) != mark)
    }

    /// Takes back that it was told.
    pub(super) fn forget(&self, key: u64, now: Instant) {
        let (place, mark) = self.place(key, now);
        if let Some(place) = place {
            // Whatever else is there by now stays.
            let _ = place.compare_exchange(mark, 0, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Where it is marked, and how: otherwise in every stretch of time, so that marks of former ones mean nothing.
    fn place(&self, key: u64, now: Instant) -> (Option<&AtomicU64>, u64) {
        let stretch = now.saturating_duration_since(self.origin).as_secs() / AGAIN.as_secs();
        let mark = hash(&(key, stretch)).max(1);
        (self.places.get(index(key, self.places.len())), mark)
    }
}

/// How many Events may be written at once after a quiet time, and how often then.
#[derive(Clone, Copy)]
struct Pace {
    burst: u32,
    every: Duration,
}

/// Of all namespaces together: etcd has other things to keep.
const OVERALL: Pace = Pace { burst: 200, every: Duration::from_millis(200) };

/// Of one namespace, so that none uses up what the others may.
const OF_A_NAMESPACE: Pace = Pace { burst: 50, every: Duration::from_secs(2) };

/// How many namespaces are told apart.
const NAMESPACES: usize = 256;

/// How many Events may be written.
pub(super) struct Allowance {
    overall: Instant,
    of_namespaces: Box<[Instant]>,
}

impl Allowance {
    pub(super) fn new(now: Instant) -> Self {
        Self { overall: now, of_namespaces: vec![now; NAMESPACES].into() }
    }

    /// Whether one may be written now in this namespace; then it counts as written.
    pub(super) fn take(&mut self, namespace: &str, now: Instant) -> bool {
        let Some(until) = self.of_namespaces.get_mut(index(hash(namespace), NAMESPACES)) else { return false };
        let may = OF_A_NAMESPACE.allows(*until, now) && OVERALL.allows(self.overall, now);
        if may {
            OF_A_NAMESPACE.spend(until, now);
            OVERALL.spend(&mut self.overall, now);
        }
        may
    }
}

impl Pace {
    /// `until` is when all that was written would be over, had it been written at this pace.
    fn allows(self, until: Instant, now: Instant) -> bool {
        until.saturating_duration_since(now) <= self.every * (self.burst - 1)
    }

    fn spend(self, until: &mut Instant, now: Instant) {
        *until = (*until).max(now) + self.every;
    }
}

/// A hash that is the same in every replica of one version; it protects nothing.
pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn index(hash: u64, length: usize) -> usize {
    usize::try_from(hash).unwrap_or_default() % length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_news_again_after_a_while_or_when_it_was_taken_back() {
        let start = Instant::now();
        let recently = Recently::new(start);
        assert!(recently.is_news(7, start));
        assert!(!recently.is_news(7, start + AGAIN / 2));
        assert!(recently.is_news(8, start), "another thing");
        assert!(recently.is_news(7, start + AGAIN));
        recently.forget(7, start + AGAIN);
        assert!(recently.is_news(7, start + AGAIN));
    }

    #[test]
    fn what_shares_a_place_pushes_the_other_out_and_is_not_taken_back_for_it() {
        let start = Instant::now();
        let recently = Recently::new(start);
        let (one, other) = (7, 7 + REMEMBERED as u64);
        assert!(recently.is_news(one, start) && recently.is_news(other, start));
        recently.forget(one, start);
        assert!(!recently.is_news(other, start));
        assert!(recently.is_news(one, start));
    }

    #[test]
    fn a_namespace_has_its_burst_then_its_pace_and_leaves_the_others_theirs() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let taken = |allowance: &mut Allowance, namespace: &str, now| {
            (0..1000).filter(|_| allowance.take(namespace, now)).count()
        };
        assert_eq!(taken(&mut allowance, "shop", start), 50);
        assert_eq!(taken(&mut allowance, "bank", start), 50);
        assert_eq!(taken(&mut allowance, "shop", start + OF_A_NAMESPACE.every * 3), 3);
        assert_eq!(taken(&mut allowance, "shop", start + Duration::from_secs(3600)), 50);
    }

    #[test]
    fn all_namespaces_together_have_a_burst_too() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let taken = (0..1000).filter(|number| allowance.take(&format!("n{number}"), start)).count();
        assert_eq!(taken, 200);
    }
}
