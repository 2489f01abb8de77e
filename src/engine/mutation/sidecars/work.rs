//! One document at work on one pod: what was chosen for this pod, and what was done so far.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::document::{OnConflict, OperatingSystem};
use super::super::plan::{Conflict, Plan, Reason, Reserved, Weight};
use super::super::selection::operating_system;
use super::super::tree::Node;
use super::super::written::quoted;
use super::claim::{Claim, Claims, KEY, Part};
use super::digest::{digest, hexadecimal};
use super::overrides::Chosen;
use super::parts::{Item, Parts};
use super::revision::Revision;
use super::{Injection, owner};

/// The most bytes of all annotations of an object (`TotalAnnotationSizeLimitB` of k8s.io/apimachinery).
const MOST_ANNOTATED: usize = 256 * 1024;

/// The two lists that containers are added to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Init,
    Plain,
}

impl List {
    pub(super) const BOTH: [Self; 2] = [Self::Init, Self::Plain];

    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Plain => "containers",
        }
    }
}

pub(super) struct Work<'a, 'p> {
    pub(super) injection: &'a Injection,
    pub(super) parts: &'a Parts,
    pub(super) plan: &'p mut Plan<'a>,
    pub(super) is_windows: bool,
    pub(super) is_on_host_network: bool,
    pub(super) overrides: Vec<Chosen<'a>>,
    /// In which list each item is, in the order of the items.
    pub(super) lists: Vec<List>,
    /// Ports that had to move, by what they were.
    pub(super) ports: BTreeMap<u16, u16>,
    /// Volumes that had to take another name, by what it was.
    pub(super) volumes: BTreeMap<&'a str, String>,
    /// What the probes were, as JSON; none if none were rewritten.
    pub(super) probes: Option<String>,
    /// What an annotation says was done earlier; empty if there is none.
    pub(super) claim: Claim,
    claims: Claims,
    /// What the annotation is going to say.
    pub(super) record: Claim,
    pub(super) reserved: Reserved<'a>,
    /// Amounts of the pod's own that grew with what was added, now or in an earlier pass: parts of the annotation.
    pub(super) grown: Vec<String>,
}

impl<'a, 'p> Work<'a, 'p> {
    pub(super) fn begin(injection: &'a Injection, plan: &'p mut Plan<'a>) -> Option<Self> {
        let claims = Claims::of(&plan.pod);
        if claims.is_malformed_for(&injection.name) {
            plan.note(&injection.title, Reason::StaleClaimIgnored, Weight::Warning, format!("annotation {KEY:?}"));
        }
        let identity = identity(plan);
        let claim = claim_of(injection, plan, &claims, &identity);
        let moved = if claim.identity == identity { claim.moved.clone() } else { Vec::new() };
        let revision = injection.revision(plan, &claim)?;
        for name in injection.own_names() {
            if !plan.is_ours(name) {
                plan.own_containers.push(name);
            }
        }
        let is_true = |field| plan.pod.at(&["spec", field]).and_then(Node::boolean) == Some(true);
        let is_cut = claim.is_cut;
        Some(Self {
            injection,
            parts: &revision.parts,
            is_windows: operating_system(&plan.pod) == OperatingSystem::Windows,
            is_on_host_network: is_true("hostNetwork"),
            overrides: Vec::new(),
            lists: Vec::new(),
            ports: BTreeMap::new(),
            volumes: BTreeMap::new(),
            probes: None,
            grown: claim.parts.iter().filter(|part| part.starts_with("q/")).cloned().collect(),
            claim,
            claims,
            record: Claim { is_cut, ..Self::record(revision, identity, moved) },
            reserved: plan.reserved.clone(),
            plan,
        })
    }

    fn record(revision: &Revision, identity: String, moved: Vec<String>) -> Claim {
        Claim { revision: revision.name.clone(), digest: revision.digest.clone(), identity, moved, ..Claim::default() }
    }

    pub(super) fn note(&mut self, reason: Reason, weight: Weight, about: impl Into<String>) {
        self.plan.note(&self.injection.title, reason, weight, about);
    }

    /// Ends the document's part in the pod, or notes a warning and goes on, as the document has it.
    pub(super) fn conflict(
        &mut self,
        how: OnConflict,
        reason: Reason,
        about: impl Into<String>,
    ) -> Result<(), Conflict> {
        self.plan.conflict(&self.injection.title, how, reason, about)
    }

    /// Records something that was added now.
    pub(super) fn record_part(&mut self, part: Part<'_>) {
        let text = part.text();
        if !self.record.parts.contains(&text) {
            self.record.parts.push(text);
        }
    }

    /// Keeps on record what was added in an earlier pass.
    pub(super) fn keep_part(&mut self, part: Part<'_>) {
        if self.claim.has(part) {
            self.record_part(part);
        }
    }

    pub(super) fn spec(&mut self) -> Option<&mut Node<'a>> {
        self.plan.pod.member("spec")
    }

    pub(super) fn list(&mut self, list: List) -> Option<&mut Node<'a>> {
        self.spec()?.member(list.field())
    }

    /// The place of a container in a list.
    pub(super) fn place_of(&self, list: List, name: &str) -> Option<usize> {
        let spec = self.plan.pod.get("spec")?;
        spec.list(list.field()).position(|container| container.string_at("name").is_some_and(|found| found == name))
    }

    /// All containers that none of our documents added, init containers first.
    pub(super) fn foreign(&self) -> impl Iterator<Item = (List, usize, &Node<'a>)> {
        let spec = self.plan.pod.get("spec");
        List::BOTH.into_iter().flat_map(move |list| {
            let containers = spec.into_iter().flat_map(move |spec| spec.list(list.field())).enumerate();
            let is_foreign =
                move |container: &Node<'_>| container.string_at("name").is_none_or(|name| !self.plan.is_ours(&name));
            containers.filter(move |(_, container)| is_foreign(container)).map(move |(index, node)| (list, index, node))
        })
    }

    /// The items, each with its list.
    pub(super) fn items(&self) -> Vec<(&'a Item, List)> {
        self.parts.items.iter().zip(self.lists.iter().copied()).collect()
    }

    /// Writes the annotation, and tells the documents to come what is taken. Where nothing is the document's there is nothing to say.
    pub(super) fn finish(mut self) {
        self.plan.reserved = std::mem::take(&mut self.reserved);
        let says_something = !self.record.parts.is_empty() || self.injection.revisions.len() > 1;
        if !says_something && !self.claims.has(&self.injection.name) {
            return;
        }
        let text = self.claims.with(&self.injection.name, &self.record);
        let annotations = self.plan.pod.at(&["metadata", "annotations"]);
        let others = annotations.into_iter().flat_map(Node::members).filter(|(key, _)| *key != KEY);
        let bytes: usize = others.map(|(key, value)| key.len() + value.to_json().len()).sum();
        if bytes + KEY.len() + text.len() > MOST_ANNOTATED {
            self.note(Reason::AnnotationsFull, Weight::Detail, format!("annotation {KEY:?}"));
        } else if let Some(metadata) = self.plan.pod.within(&["metadata", "annotations"]) {
            set_text(metadata, KEY, &text);
        }
    }
}

/// What the pod's annotation says of a document.
pub(super) fn known_claim(injection: &Injection, plan: &Plan<'_>) -> Claim {
    claim_of(injection, plan, &Claims::of(&plan.pod), &identity(plan))
}

fn claim_of(injection: &Injection, plan: &Plan<'_>, claims: &Claims, identity: &str) -> Claim {
    let mut claim = claims.claim(&injection.name).unwrap_or_default();
    // A pod that has been on a node is a copy: none has one yet while it is being admitted.
    let is_copy = plan.pod.at(&["spec", "nodeName"]).is_some();
    claim.is_of_this_admission = claim.identity == identity && !is_copy;
    claim
}

/// Which pod is being admitted, as far as it can be told.
fn identity(plan: &Plan<'_>) -> String {
    let identity = owner::identity(&plan.pod, plan.world);
    hexadecimal(digest(identity.iter().map(Cow::as_ref)))
}

/// Gives a member this text, if it has another.
pub(super) fn set_text<'a>(object: &mut Node<'a>, key: &'a str, text: &str) {
    if object.string_at(key).is_none_or(|found| found != text) {
        object.set(key, quoted(text));
    }
}
