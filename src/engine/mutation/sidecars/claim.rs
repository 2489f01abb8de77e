//! The annotation `portcullis.dev/applied`: which revision a pod got, and what was added to it, by document.
//!
//! A hint for later passes and for taking things back. It names parts and holds nothing of the pod; whoever writes it by hand gains
//! nothing: everything asked for is computed anew, and nothing is removed on its word alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::tree::Node;
use super::super::written::{begin_member, quote};

pub(super) const KEY: &str = "portcullis.dev/applied";
/// The most bytes that are read; what is longer was not written by us.
const MOST_READ: usize = 32 * 1024;
/// The most bytes that one document's part may have, in its JSON.
const MOST_WRITTEN: usize = 2 * 1024;

/// One document's part of the annotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) revision: String,
    /// Of what was rendered.
    pub(super) digest: String,
    /// Which pod it was written for.
    pub(super) identity: String,
    /// Containers that were moved because others had put themselves where they may not be.
    pub(super) moved: Vec<String>,
    /// What was added, by the names that [`Part`] gives.
    pub(super) parts: Vec<String>,
    /// Whether there was no room for all of them.
    pub(super) is_cut: bool,
    /// Whether it was written earlier in the same admission; else it came with a copy of another pod.
    pub(super) is_of_this_admission: bool,
}

/// One document's part as it is written.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    revision: String,
    digest: String,
    #[serde(rename = "for")]
    identity: String,
    moved: Vec<String>,
    more: bool,
    parts: Vec<String>,
}

/// Something that was added.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'n> {
    Container(&'n str),
    /// A container of the pod's that was completed.
    Completed(&'n str),
    Volume(&'n str),
    /// A variable of a container, added, replaced or appended to.
    Variable(&'n str, &'n str),
    Replaced(&'n str, &'n str),
    Appended(&'n str, &'n str),
    Mount(&'n str, &'n str),
    Label(&'n str),
    Annotation(&'n str),
    PullSecret(&'n str),
    /// The grace period, with what it was in seconds, if it was there.
    Grace(Option<i64>),
    /// An amount of the pod's own resources that grew, by its side and resource, with what it was as JSON, if it was there.
    Grown(&'n str, &'n str, Option<&'n str>),
}

impl Part<'_> {
    pub(super) fn text(self) -> String {
        match self {
            Self::Container(name) => ["c/", name].concat(),
            Self::Completed(name) => ["m/", name].concat(),
            Self::Volume(name) => ["v/", name].concat(),
            Self::Variable(container, name) => ["e/", container, "/", name].concat(),
            Self::Replaced(container, name) => ["r/", container, "/", name].concat(),
            Self::Appended(container, name) => ["p/", container, "/", name].concat(),
            Self::Mount(container, path) => ["t/", container, "/", path].concat(),
            Self::Label(key) => ["l/", key].concat(),
            Self::Annotation(key) => ["a/", key].concat(),
            Self::PullSecret(name) => ["s/", name].concat(),
            Self::Grown(side, resource, amount) => {
                ["q/", side, "/", resource, "/", amount.unwrap_or_default()].concat()
            }
            Self::Grace(seconds) => format!("g/{}", seconds.map(|seconds| seconds.to_string()).unwrap_or_default()),
        }
    }
}

/// The whole annotation.
#[derive(Debug, Default)]
pub(super) struct Claims {
    by_document: BTreeMap<String, Value>,
    /// Whether there is an annotation that is none of ours.
    is_malformed: bool,
}

impl Claims {
    pub(super) fn of(pod: &Node<'_>) -> Self {
        let Some(text) = pod.at(&["metadata", "annotations", KEY]) else { return Self::default() };
        let read = || {
            let text = text.string().filter(|text| text.len() <= MOST_READ)?;
            serde_json::from_str::<BTreeMap<String, Value>>(&text).ok()
        };
        match read() {
            Some(by_document) => Self { by_document, is_malformed: false },
            None => Self { by_document: BTreeMap::new(), is_malformed: true },
        }
    }

    /// What it says of this document; none if it says nothing, or nothing that can be read.
    pub(super) fn claim(&self, document: &str) -> Option<Claim> {
        let written = Written::deserialize(self.by_document.get(document)?).ok()?;
        Some(Claim {
            revision: written.revision,
            digest: written.digest,
            identity: written.identity,
            moved: written.moved,
            parts: written.parts,
            is_cut: written.more,
            is_of_this_admission: false,
        })
    }

    /// Whether it says anything of this document.
    pub(super) fn has(&self, document: &str) -> bool {
        self.by_document.contains_key(document)
    }

    /// Whether what it says of this document is nothing that we write.
    pub(super) fn is_malformed_for(&self, document: &str) -> bool {
        self.is_malformed || (self.by_document.contains_key(document) && self.claim(document).is_none())
    }

    /// The annotation with the document's part put in, shortened to what there is room for.
    pub(super) fn with(&self, document: &str, claim: &Claim) -> String {
        let mut text = String::with_capacity(256);
        text.push('{');
        let others = self.by_document.iter().filter(|(name, _)| *name != document);
        let (before, after): (Vec<_>, Vec<_>) = others.partition(|(name, _)| name.as_str() < document);
        for (name, value) in before {
            begin_member(name, &mut text);
            text.push_str(&value.to_string());
        }
        begin_member(document, &mut text);
        claim.write(&mut text);
        for (name, value) in after {
            begin_member(name, &mut text);
            text.push_str(&value.to_string());
        }
        text.push('}');
        text
    }

    /// Takes the document's part out; none if nothing is left.
    pub(super) fn without(mut self, document: &str) -> Option<String> {
        self.by_document.remove(document);
        (!self.by_document.is_empty()).then(|| self.text())
    }

    fn text(&self) -> String {
        // Texts by text always have a JSON form.
        serde_json::to_string(&self.by_document).unwrap_or_default()
    }
}

impl Claim {
    fn write(&self, text: &mut String) {
        text.push('{');
        begin_member("digest", text);
        quote(&self.digest, text);
        begin_member("for", text);
        quote(&self.identity, text);
        if !self.moved.is_empty() {
            begin_member("moved", text);
            list(text, &self.moved);
        }
        let (parts, is_cut) = self.listed();
        if is_cut {
            begin_member("more", text);
            text.push_str("true");
        }
        begin_member("parts", text);
        list(text, parts);
        if !self.revision.is_empty() {
            begin_member("revision", text);
            quote(&self.revision, text);
        }
        text.push('}');
    }

    /// The parts that there is room for, and whether those are not all. Then what can be found again without being listed comes last:
    /// variables and mounts.
    fn listed(&self) -> (Vec<&String>, bool) {
        let cost = |part: &String| part.len() + 3;
        let room = MOST_WRITTEN.saturating_sub(256 + self.moved.iter().map(cost).sum::<usize>());
        if !self.is_cut && self.parts.iter().map(cost).sum::<usize>() < room {
            return (self.parts.iter().collect(), false);
        }
        let is_found_again = |part: &&String| part.starts_with("e/") || part.starts_with("t/");
        let (last, first): (Vec<&String>, Vec<&String>) = self.parts.iter().partition(is_found_again);
        let mut left = room;
        let fits = |part: &&String| {
            left = left.saturating_sub(cost(part));
            left > 0
        };
        (first.into_iter().chain(last).take_while(fits).collect(), true)
    }

    pub(super) fn has(&self, part: Part<'_>) -> bool {
        !self.parts.is_empty() && self.parts.contains(&part.text())
    }
}

fn list<'t>(text: &mut String, items: impl IntoIterator<Item = &'t String>) {
    text.push('[');
    for item in items {
        if !text.ends_with('[') {
            text.push(',');
        }
        quote(item, text);
    }
    text.push(']');
}
