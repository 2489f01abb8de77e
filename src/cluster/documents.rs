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
    /// Its uid and version: what is told again is not compiled again.
    state: [String; 2],
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

    /// Whether the document is held in this state.
    fn holds(&self, key: &(&'static str, String), state: &[String; 2]) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(key).is_some_and(|held| held.state == *state && state.iter().all(|part| !part.is_empty()))
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
        let Named { metadata } = serde_json::from_str(object)?;
        let (kind, name) = (self.kind, metadata.name.to_string());
        let state = [&metadata.uid, &metadata.resource_version].map(|text| (**text).to_owned());
        if let Some(doubtful) = &mut self.doubtful {
            doubtful.retain(|other| *other != name);
        }
        if self.shelf.holds(&(kind, name.clone()), &state) {
            return Ok(());
        }
        let document = Document::read(object);
        let compiled = document.and_then(|document| Active::compile(&document));
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
                held.insert(key, Held { state, active: compiled.ok().map(Arc::new).or(last), is_flawed });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn document(name: &str, version: u32, spec: &str) -> String {
        let uid = format!("uid-of-{name}");
        format!(
            r#"{{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{{"name":"{name}","uid":"{uid}","resourceVersion":"{version}"}},"spec":{spec}}}"#
        )
    }

    const GOOD: &str = "{}";
    const BAD: &str = r#"{"mode":"Sometimes"}"#;

    fn kind_of() -> (KindOf, watch::Receiver<Arc<Documents>>) {
        let (shelf, documents) = Shelf::new(&Documents::default(), Arc::default());
        (KindOf::new(shelf, "PodDefaults"), documents)
    }

    fn tell(kind: &mut KindOf, documents: &[&str]) {
        for document in documents {
            kind.put(document).expect("an object");
        }
        kind.publish();
    }

    /// Whether something was published since; and the titles of what is in force.
    fn heard(documents: &mut watch::Receiver<Arc<Documents>>) -> (bool, Vec<String>) {
        let has_changed = documents.has_changed().expect("a sender");
        (has_changed, documents.borrow_and_update().iter().map(|active| active.title.clone()).collect())
    }

    #[test]
    fn a_list_of_what_is_known_publishes_nothing_and_any_other_does() {
        let (mut kind, mut documents) = kind_of();
        let [a, b] = ["a", "b"].map(|name| document(name, 1, GOOD));
        tell(&mut kind, &[&a, &b]);
        let titles = ["PodDefaults/a", "PodDefaults/b"].map(ToOwned::to_owned).to_vec();
        assert_eq!(heard(&mut documents), (true, titles.clone()));
        kind.clear();
        tell(&mut kind, &[&a, &b]);
        assert_eq!(heard(&mut documents), (false, titles.clone()));
        kind.clear();
        tell(&mut kind, &[&document("a", 2, GOOD), &b]);
        assert_eq!(heard(&mut documents), (true, titles));
        kind.clear();
        tell(&mut kind, &[&b]);
        assert_eq!(heard(&mut documents), (true, vec!["PodDefaults/b".to_owned()]));
    }

    #[test]
    fn a_document_that_does_not_compile_any_more_keeps_its_last_good_form_and_counts_as_flawed_until_it_does() {
        let (mut kind, mut documents) = kind_of();
        let flawed = |kind: &KindOf| kind.shelf.metrics.documents_flawed.load(Ordering::Relaxed);
        for (version, spec, expected) in [(1, GOOD, 0), (2, BAD, 1), (2, BAD, 1), (3, GOOD, 0)] {
            kind.clear();
            tell(&mut kind, &[&document("a", version, spec)]);
            assert_eq!((flawed(&kind), heard(&mut documents).1), (expected, vec!["PodDefaults/a".to_owned()]));
        }
    }
}
