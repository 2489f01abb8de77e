//! All documents in force, compiled, in the order in which they are carried out; and which of them a namespace leaves possible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asks::Asks;
use super::check::Harmless;
use super::defaults::Defaults;
use super::document::{Document, Flaw, OnConflict, OnFailure, PodSecuritySafety, Spec, Verify};
use super::index::Index;
use super::plan::{Note, Weight};
use super::selection::{Relevance, Selection};
use super::sidecars::Injection;
use super::tree::Node;
use crate::engine::request::Unread;

/// The documents in force.
#[derive(Debug, Default)]
pub struct Documents {
    /// Defaults before sidecars, so that a sidecar can be in proportion to what the pod's own containers get; then by precedence, then
    /// by name.
    active: Vec<Arc<Active>>,
    asks: Asks,
    harmless: Harmless,
}

/// A document that compiled.
#[derive(Debug)]
pub struct Active {
    /// Its kind and name, such as `SidecarInjection/log-shipper`.
    pub title: String,
    pub(super) selection: Selection,
    pub(super) part: Part,
    pub(super) on_conflict: OnConflict,
    pub(super) on_self_check: OnFailure,
    pub(super) pod_security: PodSecuritySafety,
    pub(super) verify: Verify,
    precedence: i32,
}

#[derive(Debug)]
pub(super) enum Part {
    Defaults(Defaults),
    Injection(Injection),
}

impl Active {
    /// Compiles a document.
    ///
    /// # Errors
    /// Everything that is contradictory in it, with the path of the field.
    pub fn compile(document: &Document) -> Result<Self, Vec<Flaw>> {
        let title = format!("{}/{}", document.spec.kind(), document.name);
        match &document.spec {
            Spec::PodDefaults(spec) => Ok(Self {
                selection: Selection {
                    mode: spec.mode,
                    enablement: spec.enablement.clone(),
                    r#match: spec.r#match.clone(),
                    guards: spec.guards,
                },
                part: Part::Defaults(Defaults::compile(&title, spec)?),
                on_conflict: spec.on_conflict,
                on_self_check: OnFailure::Admit,
                pod_security: PodSecuritySafety::NoNewViolations,
                verify: Verify::Off,
                precedence: spec.precedence,
                title,
            }),
            Spec::SidecarInjection(spec) => Ok(Self {
                selection: Selection {
                    mode: spec.mode,
                    enablement: spec.enablement.clone(),
                    r#match: spec.r#match.clone(),
                    guards: spec.guards,
                },
                part: Part::Injection(Injection::compile(&title, spec)?),
                on_conflict: spec.conflicts.other,
                on_self_check: spec.failure.on_self_check,
                pod_security: spec.safety.pod_security,
                verify: spec.failure.verify,
                precedence: spec.precedence,
                title,
            }),
        }
    }

    fn harmless(&self) -> impl Iterator<Item = &str> {
        let injection = match &self.part {
            Part::Injection(injection) => Some(injection),
            Part::Defaults(_) => None,
        };
        injection.into_iter().flat_map(Injection::harmless)
    }

    pub(super) fn rank(&self) -> (bool, i32, &str) {
        (matches!(self.part, Part::Injection(_)), self.precedence, &self.title)
    }
}

impl Documents {
    pub fn new(mut active: Vec<Arc<Active>>) -> Self {
        active.sort_by(|one, other| one.rank().cmp(&other.rank()));
        let asks = Asks::of(active.iter().map(AsRef::as_ref));
        let harmless = active.iter().flat_map(|document| document.harmless()).collect();
        Self { active, asks, harmless }
    }

    pub fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    pub fn len(&self) -> usize {
        self.active.len()
    }

    /// What they ask of a cluster by key.
    pub fn asks(&self) -> &Asks {
        &self.asks
    }

    /// The containers that need not be judged wherever these documents add them.
    pub(super) fn harmless(&self) -> &Harmless {
        &self.harmless
    }

    /// Whether any wants finished pods to be looked at.
    pub fn verify_any(&self) -> bool {
        self.active.iter().any(|document| document.verify != Verify::Off)
    }

    /// Whether any wants finished pods to be looked at, depending on the labels of their service accounts.
    pub fn verify_by_service_account(&self) -> bool {
        self.active.iter().any(|document| document.verify != Verify::Off && document.asks_for_service_account())
    }

    /// In the order in which they are carried out.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Active>> {
        self.active.iter()
    }

    /// Takes out of a pod what any of the documents added to it, and notes what could not be restored, or may have been its author's.
    pub fn uninject(&self, pod: &mut Node<'_>) -> Vec<Note> {
        let mut notes = Vec::new();
        for document in self.active.iter().rev() {
            let Part::Injection(injection) = &document.part else { continue };
            let note =
                |(reason, about)| Note { document: document.title.clone(), reason, about, weight: Weight::Warning };
            notes.extend(injection.uninject(pod).into_iter().map(note));
        }
        notes.extend(self.unfill(pod));
        notes
    }

    /// The documents of these numbers.
    pub(super) fn at(&self, numbers: impl IntoIterator<Item = u32>) -> impl Iterator<Item = (u32, &Active)> {
        let document = |number| Some((number, self.active.get(usize::try_from(number).ok()?)?.as_ref()));
        numbers.into_iter().filter_map(document)
    }

    /// What is possible in a namespace with these labels.
    pub fn candidates<'l>(&self, namespace_label: impl Fn(&str) -> Option<&'l str>) -> Candidates {
        let (mut candidates, mut by_keys) = (Candidates::default(), ByKeys::default());
        for (index, document) in (0_u32..).zip(&self.active) {
            let relevance = document.selection.relevance(&namespace_label);
            candidates.ask_for_service_account |= relevance != Relevance::Never && document.asks_for_service_account();
            match relevance {
                Relevance::Never => {}
                Relevance::Always => candidates.always.push(index),
                Relevance::WithLabel(key, value) => by_keys.with_label(key, Some(value), index),
                Relevance::WithAnyKey(enablement) => {
                    enablement.pod_labels.iter().for_each(|key| by_keys.with_label(key, None, index));
                    enablement.pod_annotations.iter().for_each(|key| by_keys.with_annotation(key, index));
                }
            }
        }
        (candidates.labels, candidates.annotations) = by_keys.into_indexes();
        candidates
    }
}

/// Which documents can be for a pod of a namespace: most namespaces share one of a few sets, and looking a pod up costs a search by
/// each of its labels and annotations, however many documents there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidates {
    always: Vec<u32>,
    /// By the key of a label, and by its value where that matters.
    labels: Index<Wanted>,
    annotations: Index<Vec<u32>>,
    /// Whether what one of them does depends on the labels of the pod's service account.
    pub ask_for_service_account: bool,
}

/// The documents that ask for a label: whatever its value, or of this value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    any: Vec<u32>,
    by_value: Index<Vec<u32>>,
}

/// The documents by the labels and annotations that they ask for, as they are found.
#[derive(Default)]
struct ByKeys {
    /// Those that ask for any value, and those that ask for one.
    labels: BTreeMap<Box<str>, (Vec<u32>, Numbers)>,
    annotations: Numbers,
}

/// The numbers of documents by texts.
type Numbers = BTreeMap<Box<str>, Vec<u32>>;

impl ByKeys {
    fn with_label(&mut self, key: &str, value: Option<&str>, index: u32) {
        let (any, by_value) = self.labels.entry(key.into()).or_default();
        match value {
            Some(value) => by_value.entry(value.into()).or_default().push(index),
            None => any.push(index),
        }
    }

    fn with_annotation(&mut self, key: &str, index: u32) {
        self.annotations.entry(key.into()).or_default().push(index);
    }

    fn into_indexes(self) -> (Index<Wanted>, Index<Vec<u32>>) {
        let wanted = |(key, (any, by_value)): (_, (_, Numbers))| (key, Wanted { any, by_value: by_value.into() });
        let labels: BTreeMap<Box<str>, Wanted> = self.labels.into_iter().map(wanted).collect();
        (labels.into(), self.annotations.into())
    }
}

impl Candidates {
    /// Whether any document can be for this pod.
    pub fn has_any_for(&self, pod: Unread<'_>) -> bool {
        let (labels, annotations) = (Node::new(pod.labels), Node::new(pod.annotations));
        !self.always.is_empty() || self.by_keys(Some(&labels), Some(&annotations)).next().is_some()
    }

    /// The documents that can be for this pod, in order.
    pub(super) fn of(&self, pod: &Node<'_>) -> Vec<u32> {
        let metadata = pod.get("metadata");
        let map = |field| metadata.and_then(|metadata| metadata.get(field));
        let mut numbers = self.always.clone();
        numbers.extend(self.by_keys(map("labels"), map("annotations")));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn by_keys<'s>(
        &'s self,
        labels: Option<&'s Node<'_>>,
        annotations: Option<&'s Node<'_>>,
    ) -> impl Iterator<Item = u32> + 's {
        let labels = labels.filter(|_| !self.labels.is_empty()).into_iter().flat_map(Node::members);
        let annotations = annotations.filter(|_| !self.annotations.is_empty()).into_iter().flat_map(Node::members);
        let by_labels =
            labels.filter_map(|(key, value)| Some((self.labels.get(key)?, value))).flat_map(|(wanted, value)| {
                let value = if wanted.by_value.is_empty() { None } else { value.string() };
                let of_value = value.and_then(|value| wanted.by_value.get(&value));
                wanted.any.iter().chain(of_value.into_iter().flatten())
            });
        let by_annotations = annotations.filter_map(|(key, _)| self.annotations.get(key)).flatten();
        by_labels.chain(by_annotations).copied()
    }
}

/// Values that many share, such as sets of candidates: each kept once while somebody has it.
#[derive(Debug, Clone, Default)]
pub struct Interned<T = Candidates> {
    kept: BTreeSet<Arc<T>>,
    /// How many there may be before those are dropped that nobody has.
    room: usize,
}

impl<T: Ord> Interned<T> {
    pub fn keep(&mut self, value: T) -> Arc<T> {
        if let Some(kept) = self.kept.get(&value) {
            return kept.clone();
        }
        if self.kept.len() >= self.room {
            self.kept.retain(|kept| Arc::strong_count(kept) > 1);
            self.room = (self.kept.len() * 2).max(64);
        }
        let value = Arc::new(value);
        self.kept.insert(value.clone());
        value
    }
}
