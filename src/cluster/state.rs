//! What the tasks of this room share: the published snapshot, how fresh it is, and what is wrong.

use std::sync::atomic::Ordering;
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
    pub(super) stale_after: Duration,
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
        let snapshot = ArcSwap::from_pointee(rules);
        Self { access, snapshot, metrics, stale_after, condition: Mutex::default(), surroundings: Mutex::default() }
    }

    /// Publishes other rules or namespaces, with the surroundings that are known.
    pub(super) fn publish(&self, mut snapshot: Snapshot) {
        let surroundings = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot.surroundings = surroundings.clone();
        let count = u64::try_from(snapshot.namespace_count()).unwrap_or(u64::MAX);
        self.metrics.namespaces.store(count, Ordering::Relaxed);
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Publishes other surroundings.
    pub(super) fn surround(&self, surroundings: Surroundings) {
        let mut known = self.surroundings.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Arc::new(surroundings);
        let mut snapshot = Snapshot::clone(&self.snapshot.load());
        snapshot.surroundings = known.clone();
        self.snapshot.store(Arc::new(snapshot));
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
        self.metrics.set_namespaces_as_of(condition.freshness.known_as_of());
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
