//! Tells the owners of pods what documents came to, by Events beside the ReplicaSet, Job or whatever made the pod.
//!
//! Whoever wrote a Deployment never sees the warnings about its pods: its controllers get them. Hearing costs a request next to nothing,
//! and never waits: what is new goes into a queue, from which one task writes. Whatever is beyond a bound is dropped and counted;
//! nothing depends on it.

mod bounds;
mod telling;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::access::{Access, within};
use super::error::ClusterError;
use super::event;
use crate::engine::{Request, Verdict};
use crate::telemetry::Metrics;
use bounds::{Allowance, Recently};
use telling::Telling;

/// How many Events may wait to be written.
const MOST_WAITING: usize = 256;

/// For the API server to take one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where owners are told.
pub struct Owners {
    recently: Arc<Recently>,
    queue: mpsc::Sender<Telling>,
    metrics: Arc<Metrics>,
}

impl Owners {
    /// Begins to tell, on the current runtime. `reporter` is the name of our release.
    pub fn new(access: Access, reporter: &str, metrics: Arc<Metrics>) -> Self {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        let recently = Arc::new(Recently::new(Instant::now()));
        let writer =
            Writer { access, reporter: reporter.to_owned(), recently: recently.clone(), metrics: metrics.clone() };
        tokio::spawn(writer.run(waiting));
        Self { recently, queue, metrics }
    }

    /// Tells what was decided about a pod, later and unless its owner has been told lately. Never of a dry run.
    pub fn hear(&self, request: &Request<'_>, verdict: &Verdict) {
        if request.dry_run || !verdict.notes().iter().any(telling::is_worth_telling) {
            return;
        }
        let now = Instant::now();
        for telling in telling::tellings(request, verdict.notes(), |key| self.recently.is_news(key, now)) {
            let key = telling.key;
            if self.queue.try_send(telling).is_err() {
                self.recently.forget(key, now);
                count(&self.metrics.owner_events.dropped);
            }
        }
    }
}

/// Writes what is in the queue.
struct Writer {
    access: Access,
    reporter: String,
    recently: Arc<Recently>,
    metrics: Arc<Metrics>,
}

impl Writer {
    async fn run(self, mut waiting: mpsc::Receiver<Telling>) {
        let mut allowance = Allowance::new(Instant::now());
        let mut is_failing = false;
        while let Some(telling) = waiting.recv().await {
            let now = Instant::now();
            let counts = &self.metrics.owner_events;
            if !allowance.take(&telling.namespace, now) {
                count(&counts.dropped);
                self.recently.forget(telling.key, now);
                continue;
            }
            let written = self.write(&telling).await;
            match &written {
                Ok(()) => count(&counts.told),
                // Another replica has told, or we did before we were started again.
                Err(error) if error.is_conflict() => count(&counts.known),
                Err(error) => {
                    count(&counts.failed);
                    self.recently.forget(telling.key, now);
                    complain(&telling, error, is_failing);
                }
            }
            is_failing = written.is_err_and(|error| !error.is_conflict());
        }
    }

    async fn write(&self, telling: &Telling) -> Result<(), ClusterError> {
        let (name, regarding) = (telling.name(&self.reporter), telling.regarding());
        let event = telling.event();
        let now = SystemTime::now();
        within(PATIENCE, event::tell_once(&self.access, &self.reporter, &name, &regarding, &event, now)).await
    }
}

/// Once: whatever keeps one Event from being written mostly keeps the next from it, too.
fn complain(telling: &Telling, error: &ClusterError, is_failing: bool) {
    let (namespace, error) = (telling.namespace.as_str(), error.to_string());
    if is_failing {
        tracing::debug!(namespace, error, "an event for the owner of a pod cannot be written");
    } else {
        tracing::warn!(namespace, error, "an event for the owner of a pod cannot be written");
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
