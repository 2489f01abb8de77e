//! Keeps the namespaces current: lists them all once, then follows what happens to them in watches of a few seconds.
//!
//! A watch goes on from the version that the last one reached. Where that cannot be, or where nothing has been proven fresh
//! for too long, all are listed anew while the last snapshot stays published.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::client::Body;
use tokio::sync::watch::Receiver;
use tokio::time::{sleep, timeout};

use super::access;
use super::error::ClusterError;
use super::freshness::Version;
use super::lines::Lines;
use super::objects::{Event, Namespaces};
use super::pages::Pages;
use super::question::{Listing, Question, WATCH_SECONDS};
use super::state::State;
use super::store::Store;
use crate::engine::mutation::Documents;

/// For a page of a list, and for a watch to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of a page.
const MOST_OF_A_PAGE: usize = 16 << 20;

/// How much longer than agreed a watch may last before it counts as hanging.
const SLACK: Duration = Duration::from_secs(3);

const HEARTBEAT: Duration = Duration::from_secs(5);
const MOST_OF_A_HEARTBEAT: usize = 2 << 20;

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// Short, for a label that is changed as soon as the API server is back is not known before we have asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Follows the namespaces for ever.
pub(super) async fn follow(state: Arc<State>, documents: Receiver<Arc<Documents>>) {
    let mut watch = Watch { store: Store::empty(&state.snapshot.load()), since: String::new(), state, documents };
    let mut pause = SHORTEST_PAUSE;
    loop {
        let turn = if watch.needs_list(Instant::now()) {
            watch.list().await.map_err(|error| ("listing namespaces", error))
        } else {
            watch.changes().await.map_err(|error| ("watching namespaces", error))
        };
        match turn {
            Ok(()) => {
                watch.state.is_well();
                pause = SHORTEST_PAUSE;
            }
            Err((doing, error)) => {
                watch.state.trouble(doing, &error);
                if error.is_from_nowhere() {
                    watch.since.clear();
                }
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

/// Asks for ever, every few seconds, how far the cluster is.
pub(super) async fn beat(state: Arc<State>) {
    loop {
        sleep(HEARTBEAT).await;
        let asked = Instant::now();
        match within(HEARTBEAT, state.access.read(Question::Newest, MOST_OF_A_HEARTBEAT)).await.and_then(|page| {
            let page: Namespaces<'_> = serde_json::from_slice(&page)?;
            Ok(version(&page.metadata.resource_version))
        }) {
            Ok(Some(version)) => state.reached(asked, version),
            Ok(None) => {}
            Err(error) => state.trouble("asking how far the cluster is", &error),
        }
    }
}

struct Watch {
    state: Arc<State>,
    store: Store,
    /// The version that is known; empty if everything is to be listed.
    since: String,
    /// The documents in force. Namespaces are compiled under them, and so listed anew when they change.
    documents: Receiver<Arc<Documents>>,
}

impl Watch {
    /// Whether the watch cannot go on from where it was, has not proven anything for long, or holds what other documents made of it.
    fn needs_list(&self, now: Instant) -> bool {
        self.since.is_empty() || self.state.needs_list(now) || !self.store.is_under(&self.documents.borrow())
    }

    async fn list(&mut self) -> Result<(), ClusterError> {
        let asked = Instant::now();
        let state = self.state.clone();
        let mut pages = Pages::new(&state.access, Listing::Namespaces);
        let documents = self.documents.borrow_and_update().clone();
        let mut store = Store::empty(&state.snapshot.load().with_documents(documents));
        loop {
            let text = within(PATIENCE, pages.read(MOST_OF_A_PAGE)).await?;
            let page: Namespaces<'_> = serde_json::from_slice(&text)?;
            page.items.iter().for_each(|namespace| store.put(namespace));
            if !pages.turn(&page.metadata.r#continue) {
                self.store = store;
                self.since = page.metadata.resource_version.to_string();
                break;
            }
        }
        self.publish();
        state.listed(asked, version(&self.since).unwrap_or_default());
        Ok(())
    }

    async fn changes(&mut self) -> Result<(), ClusterError> {
        let state = self.state.clone();
        let mut body = within(PATIENCE, state.access.open(Question::Changes { since: &self.since })).await?;
        let length = Duration::from_secs(WATCH_SECONDS.into()) + SLACK;
        let mut documents = self.documents.clone();
        tokio::select! {
            // A hanging watch is begun anew; that it proves nothing meanwhile is for the heartbeat to show.
            followed = within(length, self.apply_all(&mut body)) => followed,
            Ok(()) = documents.changed() => Ok(()),
        }
    }

    async fn apply_all(&mut self, body: &mut Body) -> Result<(), ClusterError> {
        let mut lines = Lines::default();
        while let Some(bytes) = access::next(body).await? {
            lines.push(&bytes);
            while let Some(line) = lines.next()? {
                self.apply(Event::read(&line)?);
            }
            // One snapshot for all that came at once.
            self.publish();
            if let Some(version) = version(&self.since) {
                self.state.told(version);
            }
        }
        Ok(())
    }

    fn apply(&mut self, event: Event<'_>) {
        let version = match event {
            Event::Put(namespace) => {
                self.store.put(&namespace);
                namespace.metadata.resource_version
            }
            Event::Gone(namespace) => {
                self.store.remove(&namespace);
                namespace.metadata.resource_version
            }
            Event::Reached(version) => version,
        };
        if !version.is_empty() {
            self.since = version.to_string();
        }
    }

    fn publish(&mut self) {
        if let Some(snapshot) = self.store.take_changed() {
            self.state.publish(snapshot);
        }
    }
}

fn version(text: &str) -> Option<Version> {
    text.parse().ok()
}

pub(super) async fn within<T>(
    patience: Duration,
    answer: impl Future<Output = Result<T, ClusterError>>,
) -> Result<T, ClusterError> {
    timeout(patience, answer).await.unwrap_or(Err(ClusterError::Late))
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch::channel;

    use super::super::access::Access;
    use super::*;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{Snapshot, Unlisted};

    #[test]
    fn namespaces_are_listed_under_other_documents_however_often_that_fails() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (publish, documents) = channel(Arc::new(Documents::default()));
            let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
            let rules = rules.with_documents(documents.borrow().clone());
            let store = Store::empty(&rules);
            let state = Arc::new(State::new(Access::to_nowhere(), rules, Duration::from_secs(60), Arc::default()));
            let now = Instant::now();
            state.listed(now, 7);
            let mut watch = Watch { state, store, since: "7".to_owned(), documents };
            assert!(!watch.needs_list(now));
            publish.send_replace(Arc::default());
            for _ in 0..2 {
                assert!(watch.needs_list(now));
                assert!(watch.list().await.is_err(), "nobody is there to be asked");
            }
        });
    }
}
