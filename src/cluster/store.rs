//! What the watch has told, as a snapshot: compact, bounded, and cheap to publish.
//!
//! Changes that mean nothing to any decision (most of them) are told apart here, so that they publish nothing. Namespaces
//! beyond the bound are left out: each review reads its own live, which is dearer and as right.

use std::sync::Arc;

use super::objects::Namespace;
use crate::engine::Snapshot;
use crate::engine::mutation::Documents;

/// The most namespaces that are held. Each takes about 200 bytes.
const MOST: usize = 200_000;

#[derive(Debug)]
pub(super) struct Store {
    snapshot: Snapshot,
    has_changed: bool,
    most: usize,
}

impl Store {
    /// A store that knows the same rules and no namespace.
    pub(super) fn empty(rules: &Snapshot) -> Self {
        Self { snapshot: rules.without_namespaces(), has_changed: true, most: MOST }
    }

    /// Whether its namespaces are compiled under these very documents.
    pub(super) fn is_under(&self, documents: &Arc<Documents>) -> bool {
        self.snapshot.is_under(documents)
    }

    pub(super) fn put(&mut self, namespace: &Namespace<'_>) {
        let metadata = &namespace.metadata;
        if self.snapshot.lists_namespace(&metadata.name) || self.snapshot.namespace_count() < self.most {
            self.has_changed |=
                self.snapshot.insert_annotated_namespace(&metadata.name, &metadata.labels, &metadata.annotations);
        }
    }

    pub(super) fn remove(&mut self, namespace: &Namespace<'_>) {
        self.has_changed |= self.snapshot.remove_namespace(&namespace.metadata.name);
    }

    /// A snapshot to publish, if it is another than the last that was taken.
    pub(super) fn take_changed(&mut self) -> Option<Snapshot> {
        std::mem::take(&mut self.has_changed).then(|| self.snapshot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Unlisted;
    use crate::engine::pod_security::{Configuration, LevelVersion};

    fn store() -> Store {
        Store::empty(&Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown))
    }

    fn put(store: &mut Store, json: &str) {
        store.put(&serde_json::from_str(json).expect("a namespace"));
    }

    #[test]
    fn many_changes_are_one_snapshot() {
        let mut store = store();
        for index in 0..100 {
            put(&mut store, &format!(r#"{{"metadata":{{"name":"team-{index}"}}}}"#));
        }
        assert_eq!(store.take_changed().map(|snapshot| snapshot.namespace_count()), Some(100));
        assert!(store.take_changed().is_none());
    }

    #[test]
    fn what_no_decision_looks_at_publishes_nothing() {
        let mut store = store();
        put(&mut store, r#"{"metadata":{"name":"a","labels":{"x":"1"}}}"#);
        store.take_changed();
        put(&mut store, r#"{"metadata":{"name":"a","labels":{"x":"2"},"annotations":{"y":"z"}}}"#);
        assert!(store.take_changed().is_none());
        put(&mut store, r#"{"metadata":{"name":"a","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#);
        assert!(store.take_changed().is_some());
    }

    #[test]
    fn beyond_the_bound_namespaces_are_unknown_and_known_ones_stay_current() {
        let mut store = Store { most: 1, ..store() };
        put(&mut store, r#"{"metadata":{"name":"a"}}"#);
        put(&mut store, r#"{"metadata":{"name":"b"}}"#);
        store.take_changed();
        put(&mut store, r#"{"metadata":{"name":"a","labels":{"pod-security.kubernetes.io/enforce":"baseline"}}}"#);
        let snapshot = store.take_changed().expect("a change");
        assert!(snapshot.namespace("b").is_none());
        assert_eq!(snapshot.namespace_count(), 1);
    }

    #[test]
    fn a_namespace_that_is_gone_is_unknown() {
        let mut store = store();
        put(&mut store, r#"{"metadata":{"name":"a"}}"#);
        store.remove(&serde_json::from_str(r#"{"metadata":{"name":"a"}}"#).expect("a namespace"));
        let snapshot = store.take_changed().expect("a change");
        assert!(snapshot.namespace("a").is_none());
    }
}
