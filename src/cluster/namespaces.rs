//! Keeps the namespaces current, and asks how far the cluster is, which proves how fresh they are.
//!
//! Where nothing has been proven fresh for too long, or other documents are in force, all are listed anew while the last snapshot stays
//! published.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;
use tokio::time::sleep;

use super::access::within;
use super::error::ClusterError;
use super::follow::{Doing, Failure, Followed, MOST_OF_A_PAGE, PATIENCE, follow};
use super::freshness::Version;
use super::objects::{Event, Namespaces as Page};
use super::pages::Pages;
use super::question::{LONGEST_WATCH, Listing, Question};
use super::state::State;
use super::store::Store;
use crate::engine::mutation::Documents;

const HEARTBEAT: Duration = Duration::from_secs(5);
const MOST_OF_A_HEARTBEAT: usize = 2 << 20;

/// Keeps the namespaces for ever.
pub(super) async fn keep(state: Arc<State>, documents: Receiver<Arc<Documents>>) {
    follow(state.access.clone(), Namespaces::new(state, documents)).await;
}

/// Asks for ever, every few seconds, how far the cluster is.
pub(super) async fn beat(state: Arc<State>) {
    loop {
        sleep(HEARTBEAT).await;
        let asked = Instant::now();
        match within(HEARTBEAT, state.access.read(Question::Newest, MOST_OF_A_HEARTBEAT)).await.and_then(|page| {
            let page: Page<'_> = serde_json::from_slice(&page)?;
            Ok(version(&page.metadata.resource_version))
        }) {
            Ok(Some(version)) => state.reached(asked, version),
            Ok(None) => {}
            Err(error) => state.trouble("asking how far the cluster is", &error),
        }
    }
}

pub(super) struct Namespaces {
    state: Arc<State>,
    store: Store,
    /// The documents in force. Namespaces are compiled under them, and so listed anew when they change.
    documents: Receiver<Arc<Documents>>,
}

impl Followed for Namespaces {
    /// Short, for a label that is changed as soon as the API server is back is not known before we have asked again.
    const LONGEST_PAUSE: Duration = Duration::from_secs(1);
    /// A hanging watch is begun anew; that it proves nothing meanwhile is for the heartbeat to show.
    const LONGEST_WATCH: Duration = LONGEST_WATCH;

    fn name(&self) -> &'static str {
        "namespaces"
    }

    /// Where the watch cannot go on from where it was, has not proven anything for long, or holds what other documents made of it.
    fn must_list(&self, since: &str, now: Instant) -> bool {
        since.is_empty() || self.state.needs_list(now) || !self.store.is_under(&self.documents.borrow())
    }

    async fn list(&mut self) -> Result<String, ClusterError> {
        let asked = Instant::now();
        let state = self.state.clone();
        let mut pages = Pages::new(&state.access, Listing::Namespaces);
        let documents = self.documents.borrow_and_update().clone();
        let mut store = Store::empty(&state.snapshot.load().with_documents(documents));
        let since = loop {
            let text = within(PATIENCE, pages.read(MOST_OF_A_PAGE)).await?;
            let page: Page<'_> = serde_json::from_slice(&text)?;
            page.items.iter().for_each(|namespace| store.put(namespace));
            if !pages.turn(&page.metadata.r#continue) {
                break page.metadata.resource_version.to_string();
            }
        };
        self.store = store;
        self.publish();
        state.listed(asked, version(&since).unwrap_or_default());
        Ok(since)
    }

    fn changes<'q>(&'q self, since: &'q str) -> Question<'q> {
        Question::Changes { since }
    }

    fn tell(&mut self, line: &[u8]) -> Result<String, ClusterError> {
        let version = match Event::read(line)? {
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
        Ok(version.to_string())
    }

    /// One snapshot for all that came at once.
    fn has_told(&mut self, since: &str) {
        self.publish();
        if let Some(version) = version(since) {
            self.state.told(version);
        }
    }

    fn went_well(&mut self) {
        self.state.is_well();
    }

    fn failed(&mut self, failure: &Failure<'_>) {
        let doing = match failure.doing {
            Doing::Listing => "listing namespaces",
            Doing::Watching => "watching namespaces",
        };
        self.state.trouble(doing, failure.error);
    }

    /// Once other documents are in force.
    fn outdated(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut documents = self.documents.clone();
        async move {
            if documents.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Namespaces {
    /// None are known yet.
    pub(super) fn new(state: Arc<State>, documents: Receiver<Arc<Documents>>) -> Self {
        Self { store: Store::empty(&state.snapshot.load()), state, documents }
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
            let state = Arc::new(State::new(Access::to_nowhere(), rules, Duration::from_secs(60), Arc::default()));
            let now = Instant::now();
            state.listed(now, 7);
            let mut namespaces = Namespaces::new(state, documents);
            assert!(!namespaces.must_list("7", now));
            publish.send_replace(Arc::default());
            for _ in 0..2 {
                assert!(namespaces.must_list("7", now));
                assert!(namespaces.list().await.is_err(), "nobody is there to be asked");
            }
        });
    }
}
