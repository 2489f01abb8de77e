//! The mutate phase: pods that are being created, and nothing else. What is running is never changed, and templates of workloads
//! are left to their owners, whose tools would fight over them.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Facts, Needed, Operation, Request, Snapshot, Verdict, forbidden, lookup};
use crate::engine::mutation::{Labels, Mutated, Node, Note, Rules, Weight, mutate as change};
use crate::engine::request::Carried;
use crate::engine::verdict::{Annotation, Event};

/// The most bytes of what is said about a pod in an audit annotation.
const MOST_SAID: usize = 4096;

static NO_LABELS: Labels = BTreeMap::new();

pub(super) fn needed<'r>(request: &'r Request<'_>, snapshot: &Snapshot) -> Needed<'r> {
    let is_unknown = || snapshot.namespace(&request.namespace).is_none();
    if is_changed(request) && !snapshot.documents().is_empty() && is_unknown() {
        Needed::Namespace(&request.namespace)
    } else {
        Needed::Nothing
    }
}

/// Proposes what the documents ask for.
pub fn mutate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    let Carried::Unread(pod) = request.object else { return Verdict::allow() };
    if !is_changed(request) || snapshot.documents().is_empty() {
        return Verdict::allow();
    }
    let Some(namespace) = lookup(request, snapshot, facts) else { return without_namespace(request) };
    let Some(mutation) = &namespace.mutation else { return Verdict::allow() };
    if mutation.candidates.is_empty() {
        return Verdict::allow();
    }
    let labels = if mutation.labels.is_empty() { &NO_LABELS } else { &mutation.labels };
    let account = Node::new(pod);
    let account = account.at(&["spec", "serviceAccountName"]).and_then(Node::string).unwrap_or("default".into());
    let world = snapshot.surroundings.world(&request.namespace, labels, &account);
    let rules = Rules {
        documents: snapshot.documents(),
        candidates: &mutation.candidates,
        world: &world,
        enforced: namespace.pod_security.policy.enforce,
    };
    verdict(request, change(pod, rules))
}

fn is_changed(request: &Request<'_>) -> bool {
    request.operation == Operation::Create && request.resource.is_pods() && request.subresource.is_empty()
}

fn verdict(request: &Request<'_>, mutated: Mutated<'_>) -> Verdict {
    let mut verdict = Verdict::allow();
    if let Some(note) = mutated.denial() {
        verdict.deny(forbidden(request, &said(note)));
    } else if let Some(patch) = mutated.patch {
        verdict.change(patch);
    }
    for note in mutated.notes.iter().filter(|note| matches!(note.weight, Weight::Warning | Weight::Skipped)) {
        verdict.warn(said(note));
    }
    if !mutated.notes.is_empty() {
        verdict.annotate(Annotation::Mutation(all_said(&mutated.notes)));
    }
    verdict
}

/// The API server is asked again in the validate phase, which refuses what it cannot look up.
fn without_namespace(request: &Request<'_>) -> Verdict {
    let mut verdict = Verdict::allow();
    let name = &request.namespace;
    verdict.annotate(Annotation::Error(format!("nothing was changed: the namespace {name:?} cannot be looked up")));
    verdict.count(Event::Error { fatal: true });
    verdict
}

/// A note as a person reads it.
fn said(note: &Note) -> String {
    let Note { document, reason, about, weight } = note;
    let left_out = if *weight == Weight::Skipped { "left out: " } else { "" };
    format!("{document}: {left_out}{about}: {} ({})", reason.text(), reason.code())
}

/// All notes for a machine: document, reason and what it is about.
fn all_said(notes: &[Note]) -> String {
    let mut text = String::new();
    for note in notes {
        let separator = if text.is_empty() { "" } else { "; " };
        if text.len() + note.document.len() + note.about.len() + 80 > MOST_SAID {
            text.push_str("; …");
            break;
        }
        // Writing to a String cannot fail.
        drop(write!(text, "{separator}{} {} {}", note.document, note.reason.code(), note.about));
    }
    text
}
