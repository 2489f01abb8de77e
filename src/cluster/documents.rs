//! The documents of the cluster, compiled.
//!
//! A document that does not compile keeps its last good form, or is left out alone where there is none; the log and the metrics say so.
//! It never makes a replica unready.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::collection::Keeper;
use super::objects::Named;
use crate::engine::mutation::document::Document;
use crate::engine::mutation::{Active, Documents};
use crate::telemetry::Metrics;

/// Where each kind lives.
pub(super) const KINDS: [(&str, &str); 2] = [
    ("PodDefaults", "/apis/portcullis.dev/v1/poddefaults"),
    ("SidecarInjection", "/apis/portcullis.dev/v1/sidecarinjections"),
];

/// The most documents of all kinds. Each is compiled into some kilobytes.
const MOST: usize = 10_000;

/// What is held of the documents of all kinds.
pub(super) struct Shelf {
    /// From files: always in force.
    fixed: Vec<Arc<Active>>,
    /// By kind and name.
    held: Mutex<BTreeMap<(&'static str, String), Held>>,
    published: watch::Sender<Arc<Documents>>,
    metrics: Arc<Metrics>,
}

/// A document of the cluster.
struct Held {
    /// None if it never compiled while we looked.
    active: Option<Arc<Active>>,
    is_flawed: bool,
}

impl Shelf {
    /// A shelf with the documents that are in force whatever the cluster holds; and where all of them are published.
    pub(super) fn new(fixed: &Documents, metrics: Arc<Metrics>) -> (Arc<Self>, watch::Receiver<Arc<Documents>>) {
        let fixed: Vec<_> = fixed.iter().cloned().collect();
        let documents = Documents::new(fixed.clone());
        metrics.decisions.heed(&documents);
        let (published, receiver) = watch::channel(Arc::new(documents));
        (Arc::new(Self { fixed, held: Mutex::default(), published, metrics }), receiver)
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<(&'static str, String), Held>)) {
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn publish(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let active = self.fixed.iter().cloned().chain(held.values().filter_map(|held| held.active.clone()));
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.metrics
            .documents_flawed
            .store(count(held.values().filter(|held| held.is_flawed).count()), Ordering::Relaxed);
        let documents = Documents::new(active.collect());
        self.metrics.documents.store(count(documents.iter().count()), Ordering::Relaxed);
        self.metrics.decisions.heed(&documents);
        self.published.send_replace(Arc::new(documents));
    }
}

/// Holds one kind.
pub(super) struct KindOf {
    shelf: Arc<Shelf>,
    kind: &'static str,
    has_changed: bool,
    /// Names that a full list has not told of yet.
    doubtful: Option<Vec<String>>,
}

impl KindOf {
    pub(super) fn new(shelf: Arc<Shelf>, kind: &'static str) -> Self {
        Self { shelf, kind, has_changed: false, doubtful: None }
    }
}

impl Keeper for KindOf {
    /// What is held stays until the list is complete: a last good form outlives a list.
    fn clear(&mut self) {
        let kind = self.kind;
        let mut names = Vec::new();
        self.shelf.change(|held| names = held.keys().filter(|key| key.0 == kind).map(|key| key.1.clone()).collect());
        self.doubtful = Some(names);
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let name = name(object)?;
        if let Some(doubtful) = &mut self.doubtful {
            doubtful.retain(|other| *other != name);
        }
        let document = Document::read(object);
        let compiled = document.and_then(|document| Active::compile(&document));
        let kind = self.kind;
        if let Err(flaws) = &compiled {
            let flaws: Vec<String> = flaws.iter().map(ToString::to_string).collect();
            tracing::error!(
                kind,
                name,
                flaws = flaws.join("; "),
                "a document does not compile; its last good form stays, if there is one"
            );
        }
        self.has_changed = true;
        self.shelf.change(|held| {
            let key = (kind, name);
            let last = held.remove(&key).and_then(|held| held.active);
            if held.len() < MOST {
                let is_flawed = compiled.is_err();
                held.insert(key, Held { active: compiled.ok().map(Arc::new).or(last), is_flawed });
            }
        });
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let key = (self.kind, name(object)?);
        self.has_changed = true;
        self.shelf.change(|held| drop(held.remove(&key)));
        Ok(())
    }

    fn publish(&mut self) {
        for name in self.doubtful.take().into_iter().flatten() {
            self.has_changed = true;
            let key = (self.kind, name);
            self.shelf.change(|held| drop(held.remove(&key)));
        }
        if std::mem::take(&mut self.has_changed) {
            self.shelf.publish();
        }
    }
}

fn name(object: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str::<Named<'_>>(object).map(|named| named.metadata.name.to_string())
}
