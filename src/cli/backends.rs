//! The two worlds that a server can stand before: one of files, which does not change, and a live cluster.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::inputs::Pods;
use crate::cluster::{Cluster, Owners};
use crate::engine::{ExistingPods, Facts, Needed, Snapshot};
use crate::serve::Backend;
use crate::telemetry::{Decided, Recorder};

/// A world that does not change: namespaces and pods from files.
pub(super) struct Memory {
    snapshot: Arc<Snapshot>,
    pods: Pods,
    recorder: Recorder,
}

impl Memory {
    pub(super) fn new(snapshot: Snapshot, pods: Pods, recorder: Recorder) -> Self {
        let documents = u64::try_from(snapshot.documents().iter().count()).unwrap_or(u64::MAX);
        recorder.metrics.documents.store(documents, Ordering::Relaxed);
        recorder.metrics.decisions.heed(snapshot.documents());
        Self { snapshot: Arc::new(snapshot), pods, recorder }
    }
}

impl Backend for Memory {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.clone()
    }

    async fn gather(&self, needed: Needed<'_>, _: &Snapshot, deadline: Instant) -> Facts {
        let existing_pods = match needed {
            Needed::PodsOf(namespace) => ExistingPods::Listed {
                pods: self.pods.get(namespace).cloned().unwrap_or_default(),
                unlisted: 0,
                time: RefCell::new(Box::new(time_until(end_for_pods(Instant::now(), deadline)))),
            },
            // A namespace that the files lack does not exist, and a service account that they lack is unknown.
            _ => ExistingPods::NotGathered,
        };
        Facts { existing_pods, ..Facts::default() }
    }

    fn record(&self, decided: &Decided<'_>) {
        self.recorder.record(decided);
    }

    fn missing(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A live cluster.
pub(super) struct Live {
    cluster: Cluster,
    /// None if owners of pods are to be told nothing.
    owners: Option<Owners>,
    recorder: Recorder,
}

impl Live {
    pub(super) fn new(cluster: Cluster, owners: Option<Owners>, recorder: Recorder) -> Self {
        Self { cluster, owners, recorder }
    }

    /// The dry run's time is shared: three quarters for the list, the rest for looking at what it gave.
    async fn pods_of(&self, namespace: &str, deadline: Instant) -> ExistingPods {
        let now = Instant::now();
        let end = end_for_pods(now, deadline);
        let until = now + end.saturating_duration_since(now).mul_f64(0.75);
        match self.cluster.pods_of(namespace, until).await {
            Some(found) => ExistingPods::Listed {
                pods: found.pods,
                unlisted: found.unlisted,
                time: RefCell::new(Box::new(time_until(end))),
            },
            None => ExistingPods::Unlistable,
        }
    }
}

impl Backend for Live {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.cluster.snapshot()
    }

    async fn gather(&self, needed: Needed<'_>, snapshot: &Snapshot, deadline: Instant) -> Facts {
        match needed {
            Needed::Nothing => Facts::default(),
            Needed::Namespace(name) => {
                Facts { namespace: self.cluster.namespace(name, snapshot, deadline).await, ..Facts::default() }
            }
            Needed::ServiceAccount(account) => Facts {
                service_account: self.cluster.service_account(&account, snapshot, deadline).await,
                ..Facts::default()
            },
            Needed::ServiceAccountAndNamespace(account) => {
                let reads = tokio::join!(
                    self.cluster.namespace(account.namespace, snapshot, deadline),
                    self.cluster.service_account(&account, snapshot, deadline)
                );
                Facts { namespace: reads.0, service_account: reads.1, ..Facts::default() }
            }
            Needed::PodsOf(namespace) => {
                Facts { existing_pods: self.pods_of(namespace, deadline).await, ..Facts::default() }
            }
        }
    }

    fn record(&self, decided: &Decided<'_>) {
        self.recorder.record(decided);
        if let Some(owners) = &self.owners {
            owners.hear(decided.request, decided.verdict);
        }
    }

    fn missing(&self) -> Vec<String> {
        self.cluster.missing()
    }
}

/// As upstream: a second, or half of what is left if that is less.
fn end_for_pods(now: Instant, deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(now);
    now + (left / 2).min(Duration::from_secs(1))
}

fn time_until(end: Instant) -> impl Iterator<Item = ()> + Send {
    std::iter::from_fn(move || (Instant::now() < end).then_some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_looked_at_for_half_of_what_is_left_and_a_second_at_most() {
        let now = Instant::now();
        let allowed = |left| end_for_pods(now, now + Duration::from_millis(left)) - now;
        assert_eq!([0, 600, 60_000].map(allowed), [0, 300, 1000].map(Duration::from_millis));
    }

    #[test]
    fn time_ends() {
        let now = Instant::now();
        assert_eq!(time_until(now).next(), None);
        assert_eq!(time_until(now + Duration::from_secs(60)).next(), Some(()));
    }
}
