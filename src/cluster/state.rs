//! What the tasks of this room share: the published snapshot, how fresh it is, and what is wrong.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::access::Access;
use super::error::ClusterError;
use super::freshness::{Freshness, Version};
use crate::engine::Snapshot;
use crate::engine::mutation::Surroundings;
use crate::telemetry::Metrics;

pub(super) struct State {
    pub(super) access: Access,
    pub(super) snapshot: ArcSwap<Snapshot>,
    pub(super) metrics: Arc<Metrics>,
    /// From this age on, what is known is too old to judge by.
    stale_after: Duration,
    /// The same without namespaces and service accounts: what is judged by then.
    blind: ArcSwap<Snapshot>,
    /// When what is known becomes too old, in nanoseconds after the origin; zero before the first full list.
    stale_from: AtomicU64,
    origin: Instant,
    condition: Mutex<Condition>,
    /// Whoever publishes holds this.
    surroundings: Mutex<Arc<Surroundings>>,
}

#[derive(Default)]
struct Condition {
    freshness: Freshness,
    /// What went wrong last; none once it goes well again.
    trouble: Option<String>,
}

impl State {
    pub(super) fn new(access: Access, rules: Snapshot, stale_after: Duration, metrics: Arc<Metrics>) -> Self {
        Self {
            access,
            blind: ArcSwap::from_pointee(rules.without_namespaces()),
            snapshot: ArcSwap::from_pointee(rules),
            metrics,
            stale_after,
            stale_from: AtomicU64::new(0),
            origin: Instant::now(),
            condition: Mutex::default(),
            surroundings: Mutex::default(),
        }
    }

    /// What to judge by: all that is known; or, once that is too old, the rules alone, so that each review reads
    /// live what it needs. A process that was stalled answers what had waited for it before it hears any news.
    pub(super) fn to_judge_by(&self, now: Instant) -> Arc<Snapshot> {
        let stale_from = self.stale_from.load(Ordering::Relaxed);
        let is_stale = stale_from > 0 && self.nanos(now) > stale_from;
        if is_stale { self.blind.load_full() } else { self.snapshot.load_full() }
    }

    fn nanos(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Publishes other rules or namespaces, with the surroundings that are known.
    pub(super) fn publish(&self, mut snapshot: Snapshot) {
        let surroundings = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot.surroundings = surroundings.clone();
        let count = u64::try_from(snapshot.namespace_count()).unwrap_or(u64::MAX);
        self.metrics.namespaces.store(count, Ordering::Relaxed);
        self.put(snapshot);
    }

    fn put(&self, snapshot: Snapshot) {
        self.blind.store(Arc::new(snapshot.without_what_ages()));
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Publishes other surroundings.
    pub(super) fn surround(&self, surroundings: Surroundings) {
        let mut known = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(surroundings);
        let mut snapshot = Snapshot::clone(&self.snapshot.load());
        snapshot.surroundings = known.clone();
        self.put(snapshot);
    }

    pub(super) fn listed(&self, asked: Instant, version: Version) {
        self.metrics.namespace_lists.fetch_add(1, Ordering::Relaxed);
        self.change(|condition| {
            condition.freshness.listed(asked, version);
            condition.trouble = None;
        });
    }

    pub(super) fn told(&self, version: Version) {
        self.change(|condition| condition.freshness.told(version));
    }

    pub(super) fn reached(&self, asked: Instant, version: Version) {
        self.change(|condition| condition.freshness.reached(asked, version));
    }

    fn change(&self, change: impl FnOnce(&mut Condition)) {
        let mut condition = self.condition();
        change(&mut condition);
        let known = condition.freshness.known_as_of();
        let stale_from = known.map_or(0, |known| self.nanos(known + self.stale_after));
        self.stale_from.store(stale_from, Ordering::Relaxed);
        self.metrics.set_namespaces_as_of(known);
    }

    /// Says and remembers what went wrong.
    pub(super) fn trouble(&self, doing: &str, error: &ClusterError) {
        self.metrics.cluster_errors.fetch_add(1, Ordering::Relaxed);
        let text = format!("{doing}: {}", with_causes(error));
        let mut condition = self.condition();
        if condition.trouble.as_ref() != Some(&text) {
            tracing::warn!(error = text, "trouble with the API server");
            condition.trouble = Some(text);
        }
    }

    pub(super) fn is_well(&self) {
        if self.condition().trouble.take().is_some() {
            tracing::info!("no trouble with the API server any more");
        }
    }

    /// Whether the watch has failed to prove anything for so long that a full list is better.
    pub(super) fn needs_list(&self, now: Instant) -> bool {
        self.condition().freshness.age(now).is_none_or(|age| age > self.stale_after / 2)
    }

    pub(super) fn missing(&self, now: Instant) -> Vec<String> {
        let condition = self.condition();
        let because = condition.trouble.as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        match condition.freshness.age(now) {
            None => vec![format!("the cluster's namespaces have not been listed yet{because}")],
            Some(age) if age > self.stale_after => {
                let (age, most) = (age.as_secs(), self.stale_after.as_secs());
                vec![format!("namespaces are known as of {age} s ago, more than {most} s{because}")]
            }
            Some(_) => Vec::new(),
        }
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error and what lies below it: the outermost text alone says little of a connection.
pub(super) fn with_causes(error: &ClusterError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Unlisted;
    use crate::engine::object::StringMap;
    use crate::engine::pod_security::{Configuration, LevelVersion};

    const STALE: Duration = Duration::from_secs(60);

    /// One that has listed the namespace `shop`.
    fn listed(asked: Instant) -> State {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let access = runtime.block_on(async { Access::to_nowhere() });
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
        let state = State::new(access, rules.clone(), STALE, Arc::default());
        let mut known = rules;
        known.insert_namespace("shop", &StringMap::default());
        state.publish(known);
        state.listed(asked, 7);
        state
    }

    fn knows(state: &State, now: Instant) -> bool {
        state.to_judge_by(now).namespace("shop").is_some()
    }

    #[test]
    fn what_is_too_old_is_not_judged_by() {
        let asked = Instant::now() + Duration::from_secs(1);
        let state = listed(asked);
        assert!(knows(&state, asked + STALE));
        assert!(!knows(&state, asked + STALE + Duration::from_secs(1)));
        assert!(!state.missing(asked + STALE + Duration::from_secs(1)).is_empty());
    }

    #[test]
    fn a_proof_of_freshness_makes_it_judged_by_again() {
        let asked = Instant::now() + Duration::from_secs(1);
        let state = listed(asked);
        let later = asked + STALE * 2;
        state.reached(later, 7);
        assert!(knows(&state, later + STALE));
    }
}
