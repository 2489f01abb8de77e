//! The annotation `portcullis.dev/applied`: which revision a pod got, and what was added to it, by document.
//!
//! A hint for later passes and for taking things back. It names parts and holds nothing of the pod; whoever writes it by hand gains
//! nothing: everything asked for is computed anew, and nothing is removed on its word alone.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::tree::{Node, quote, quoted};

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
            Self::Container(name) => format!("c/{name}"),
            Self::Completed(name) => format!("m/{name}"),
            Self::Volume(name) => format!("v/{name}"),
            Self::Variable(container, name) => format!("e/{container}/{name}"),
            Self::Replaced(container, name) => format!("r/{container}/{name}"),
            Self::Appended(container, name) => format!("p/{container}/{name}"),
            Self::Mount(container, path) => format!("t/{container}/{path}"),
            Self::Label(key) => format!("l/{key}"),
            Self::Annotation(key) => format!("a/{key}"),
            Self::PullSecret(name) => format!("s/{name}"),
            Self::Grown(side, resource, amount) => format!("q/{side}/{resource}/{}", amount.unwrap_or_default()),
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
            member(&mut text, name, &value.to_string());
        }
        member(&mut text, document, "");
        claim.write(&mut text);
        for (name, value) in after {
            member(&mut text, name, &value.to_string());
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
        member(text, "digest", &quoted(&self.digest));
        member(text, "for", &quoted(&self.identity));
        if !self.moved.is_empty() {
            member(text, "moved", "");
            list(text, &self.moved);
        }
        let (parts, is_cut) = self.listed();
        if is_cut {
            member(text, "more", "true");
        }
        member(text, "parts", "");
        list(text, parts);
        if !self.revision.is_empty() {
            member(text, "revision", &quoted(&self.revision));
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
        let text = part.text();
        self.parts.contains(&text)
    }
}

/// Begins a member of the object that the text ends in.
fn member(text: &mut String, key: &str, value: &str) {
    if !text.ends_with('{') {
        text.push(',');
    }
    quote(key, text);
    text.push(':');
    text.push_str(value);
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
