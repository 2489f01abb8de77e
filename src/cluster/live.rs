//! The cluster as the rest of Portcullis sees it: a snapshot, three live reads, and whether it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch as channel};
use tokio::time::{sleep, timeout_at};

use super::access::Access;
use super::documents::Shelf;
use super::error::ClusterError;
use super::held::Held;
use super::pods::{self, ExistingPodsFound};
use super::question::{Question, is_name, is_service_account_name};
use super::registration::{Registration, keep};
use super::runtime_classes::RuntimeClasses;
use super::state::State;
use super::surroundings::{self, Known, LimitRanges, PriorityClasses};
use super::{collection, namespaces, objects, runtime_classes, service_accounts};
use crate::engine::mutation::{Documents, Labels};
use crate::engine::{Namespace, ServiceAccountName, Snapshot};
use crate::telemetry::{LiveReads, Metrics};

/// How many namespaces and service accounts are read live at a time; each read has a connection of its own.
const READS: usize = 32;

/// How many namespaces have their pods listed at a time, which bounds the memory of all dry runs.
const LISTS: usize = 2;

/// The largest namespace, in bytes; etcd holds less.
const MOST_OF_A_NAMESPACE: usize = 4 << 20;

/// For a live read of a service account: it is for a pod's edits, which can go without.
const PATIENCE_FOR_SERVICE_ACCOUNTS: Duration = Duration::from_secs(2);

/// Between two tries of a live read.
const PAUSE: Duration = Duration::from_millis(50);

/// A cluster that is watched until the process ends.
pub struct Cluster {
    state: Arc<State>,
    reads: Semaphore,
    lists: Semaphore,
    /// What else is missing, each empty once it is there.
    conditions: Vec<channel::Receiver<String>>,
    documents: channel::Receiver<Arc<Documents>>,
    /// Whether the snapshot was ever compiled under all documents that were known at the time.
    has_heeded_documents: AtomicBool,
}

impl Cluster {
    /// Begins to watch, on the current runtime. `rules` is the snapshot to which the namespaces are added; what is known
    /// counts as too old after `stale_after`.
    pub fn watch(access: Access, rules: Snapshot, stale_after: Duration, metrics: Arc<Metrics>) -> Self {
        let (shelf, documents) = Shelf::new(rules.documents(), metrics.clone());
        let state = Arc::new(State::new(access, rules, stale_after, metrics));
        let conditions = follow_mutation(&state, &shelf, &documents);
        tokio::spawn(namespaces::keep(state.clone(), documents.clone()));
        tokio::spawn(namespaces::beat(state.clone()));
        Self {
            state,
            reads: Semaphore::new(READS),
            lists: Semaphore::new(LISTS),
            conditions,
            documents,
            has_heeded_documents: AtomicBool::new(false),
        }
    }

    /// Keeps us registered with the API server until the process ends, once we are ready. `trusted` are the authorities (PEM)
    /// that sign for our Service, none while there are none yet; `published` tells those that the API servers are known to
    /// have been told of, none while that is not known.
    pub fn keep_registered(
        &self,
        registration: Registration,
        trusted: channel::Receiver<Option<Arc<str>>>,
        published: channel::Sender<Option<Arc<str>>>,
    ) {
        let (documents, missing) = (self.documents.clone(), self.conditions.clone());
        keep(self.state.clone(), registration, trusted, published, documents, missing);
    }

    /// All that is known now, and no namespace where that is too old to judge by.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state.to_judge_by(Instant::now())
    }

    /// What is missing before reviews can be judged; nothing once ready.
    pub fn missing(&self) -> Vec<String> {
        let others = self.conditions.iter().map(|condition| condition.borrow().clone()).filter(|text| !text.is_empty());
        let mut missing: Vec<String> = self.state.missing(Instant::now()).into_iter().chain(others).collect();
        if missing.is_empty() && !self.heeds_documents() {
            missing.push("the namespaces have not been listed under the documents in force yet".to_owned());
        }
        missing
    }

    /// The documents are listed beside the namespaces, which are compiled under them: a start is over once they have met. Later
    /// documents never make us unready.
    fn heeds_documents(&self) -> bool {
        let heeds = || self.state.snapshot.load().is_under(&self.documents.borrow());
        if !self.has_heeded_documents.load(Ordering::Relaxed) && heeds() {
            self.has_heeded_documents.store(true, Ordering::Relaxed);
        }
        self.has_heeded_documents.load(Ordering::Relaxed)
    }

    /// Reads a namespace live, for a decision by this snapshot; none if it does not exist or could not be read before the deadline.
    pub async fn namespace(&self, name: &str, snapshot: &Snapshot, deadline: Instant) -> Option<Namespace> {
        if !is_name(name) {
            return None;
        }
        let read = self.until_answered(deadline, async || {
            let text = self.state.access.read(Question::Namespace(name), MOST_OF_A_NAMESPACE).await?;
            let objects::Namespace { metadata } = serde_json::from_slice(&text)?;
            Ok(snapshot.compile(&metadata.labels, &metadata.annotations))
        });
        found(read.await, &self.state.metrics.namespace_reads, name)
    }

    /// Reads live what the documents of this snapshot ask of the labels of a service account; none if it does not exist or could not
    /// be read soon.
    pub async fn service_account(
        &self,
        account: &ServiceAccountName<'_>,
        snapshot: &Snapshot,
        deadline: Instant,
    ) -> Option<Labels> {
        let ServiceAccountName { namespace, name } = account;
        if !is_name(namespace) || !is_service_account_name(name) {
            return None;
        }
        let deadline = deadline.min(Instant::now() + PATIENCE_FOR_SERVICE_ACCOUNTS);
        let asked = &snapshot.documents().asks().service_account_labels;
        let read =
            self.until_answered(deadline, || service_accounts::read(&self.state.access, asked, namespace, name)).await;
        found(read, &self.state.metrics.service_account_reads, &format!("{namespace}/{name}"))
    }

    /// A refusal is an answer, but for those that ask to come back; anything else is tried again until shortly before the deadline.
    async fn until_answered<T, F>(&self, deadline: Instant, ask: impl Fn() -> F) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let answer = async {
            let _permit = self.reads.acquire().await.map_err(|_| ClusterError::Late)?;
            loop {
                match ask().await {
                    Err(error) if !error.is_final() => sleep(PAUSE).await,
                    answered => return answered,
                }
            }
        };
        timeout_at(before(deadline).into(), answer).await.unwrap_or(Err(ClusterError::Late))
    }

    /// Lists the pods of a namespace, within bounds and until the given time; none if they cannot be listed.
    pub async fn pods_of(&self, namespace: &str, until: Instant) -> Option<ExistingPodsFound> {
        if !is_name(namespace) {
            return None;
        }
        let permit = timeout_at(until.into(), self.lists.acquire()).await;
        let listed = match permit {
            Ok(Ok(_permit)) => pods::list(&self.state.access, namespace, until).await,
            _ => Err(ClusterError::Late),
        };
        listed.inspect_err(|error| tracing::warn!(namespace, error = error.to_string(), "pods cannot be listed")).ok()
    }
}

/// What was read live, counted.
fn found<T>(read: Result<T, ClusterError>, reads: &LiveReads, name: &str) -> Option<T> {
    let count = match &read {
        Ok(_) => &reads.found,
        Err(error) if error.is_absent() => &reads.absent,
        Err(error) => {
            tracing::warn!(name, error = error.to_string(), "a live read failed");
            &reads.failed
        }
    };
    count.fetch_add(1, Ordering::Relaxed);
    read.ok()
}

/// Begins to follow what mutation needs to know; gives what is missing of it.
fn follow_mutation(
    state: &Arc<State>,
    shelf: &Arc<Shelf>,
    documents: &channel::Receiver<Arc<Documents>>,
) -> Vec<channel::Receiver<String>> {
    let known = Arc::new(Known::default());
    let mut conditions = Vec::new();
    let mut condition = |what: &str| {
        let (sender, receiver) = channel::channel(format!("{what} has not been read yet"));
        conditions.push(receiver);
        sender
    };
    for (kind, path) in super::documents::KINDS {
        let keeper = super::documents::KindOf::new(shelf.clone(), kind);
        tokio::spawn(collection::keep(state.access.clone(), path, keeper, condition(path)));
    }
    let path = "/api/v1/limitranges";
    let keeper = LimitRanges { state: state.clone(), known: known.clone(), held: Held::none() };
    tokio::spawn(collection::keep(state.access.clone(), path, keeper, condition(path)));
    let path = "/apis/scheduling.k8s.io/v1/priorityclasses";
    let keeper = PriorityClasses { state: state.clone(), known: known.clone(), held: Held::none() };
    tokio::spawn(collection::keep(state.access.clone(), path, keeper, condition(path)));
    let path = runtime_classes::PATH;
    let keeper = RuntimeClasses { state: state.clone(), known: known.clone(), held: Held::none() };
    tokio::spawn(collection::keep(state.access.clone(), path, keeper, condition(path)));
    tokio::spawn(service_accounts::follow(state.clone(), known.clone(), documents.clone()));
    tokio::spawn(surroundings::read_version(state.clone(), known, condition("the API server's version")));
    conditions
}

/// A little before the deadline, so that there is time to say that nothing was had.
fn before(deadline: Instant) -> Instant {
    let left = deadline.saturating_duration_since(Instant::now());
    deadline - (left / 10).min(Duration::from_millis(100))
}
