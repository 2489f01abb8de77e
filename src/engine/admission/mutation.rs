//! The mutate phase: pods that are being created, and nothing else. What is running is never changed, and templates of workloads
//! are left to their owners, whose tools would fight over them.

use super::{Facts, Namespace, Needed, Operation, Request, Snapshot, Status, Verdict, forbidden_as, lookup};
use crate::engine::facts::ServiceAccountName;
use crate::engine::mutation::{
    Around, Labels, Mutated, Node, Note, Patch, Rules, Weight, World, mutate as change, passed_over as not_looked_at,
    service_account_of, verify as look,
};
use crate::engine::request::{Carried, Unread};
use crate::engine::snapshot::NamespaceMutation;
use crate::engine::verdict::{Annotation, Event};

/// The most bytes of what is said about a pod in an audit annotation.
const MOST_SAID: usize = 4096;

pub(super) fn needed<'r>(request: &'r Request<'_>, snapshot: &Snapshot) -> Needed<'r> {
    if !is_changed(request) || snapshot.documents().is_empty() {
        return Needed::Nothing;
    }
    let Carried::Unread(pod) = request.object else { return Needed::Nothing };
    let is_known = snapshot.namespace(&request.namespace).is_some();
    match (is_known, unknown_service_account(request, snapshot, || Some(pod))) {
        (true, None) => Needed::Nothing,
        (false, None) => Needed::Namespace(&request.namespace),
        (true, Some(account)) => Needed::ServiceAccount(account),
        (false, Some(account)) => Needed::ServiceAccountAndNamespace(account),
    }
}

/// What has to be gathered before a finished pod can be looked at, beside its namespace if the snapshot lacks that.
pub(super) fn needed_to_verify<'r>(request: &'r Request<'_>, snapshot: &Snapshot, namespace: Needed<'r>) -> Needed<'r> {
    if !is_changed(request) {
        return namespace;
    }
    let account = unknown_service_account(request, snapshot, || finished_pod(request));
    match (namespace, account.filter(|_| snapshot.documents().verify_by_service_account())) {
        (Needed::Nothing, Some(account)) => Needed::ServiceAccount(account),
        (Needed::Namespace(_), Some(account)) => Needed::ServiceAccountAndNamespace(account),
        (needed, _) => needed,
    }
}

fn finished_pod<'r>(request: &Request<'r>) -> Option<Unread<'r>> {
    let review = Node::new(str::from_utf8(request.review).unwrap_or_default());
    review.at(&["request", "object"]).and_then(Node::as_written).map(Unread::of)
}

/// The pod's service account, if documents ask for its labels and the snapshot lacks it.
fn unknown_service_account<'r, 't>(
    request: &'r Request<'_>,
    snapshot: &Snapshot,
    pod: impl FnOnce() -> Option<Unread<'t>>,
) -> Option<ServiceAccountName<'r>> {
    let asked = &snapshot.documents().asks().service_account_labels;
    let namespace: &'r str = &request.namespace;
    let may_matter = |namespace: &Namespace| {
        namespace.mutation.as_ref().is_some_and(|mutation| mutation.candidates.ask_for_service_account)
    };
    if asked.is_empty() || !snapshot.namespace(namespace).is_none_or(may_matter) {
        return None;
    }
    let name = service_account_of(pod()?);
    let is_known = snapshot.surroundings.service_accounts.find(asked, namespace, &name).is_some();
    (!is_known).then_some(ServiceAccountName { namespace, name })
}

/// Proposes what the documents ask for.
pub(in crate::engine) fn mutate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    let Carried::Unread(pod) = request.object else { return Verdict::allow() };
    if !is_changed(request) || snapshot.documents().is_empty() {
        return Verdict::allow();
    }
    let Some(namespace) = lookup(request, snapshot, facts) else { return without_namespace(request) };
    let account = facts.service_account.as_ref();
    let home = Home { name: &request.namespace, namespace, account };
    verdict(request, proposal(pod, home, snapshot, Subject::Pod))
}

/// What the JSON of a pod is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A pod, as the API server sends it.
    Pod,
    /// The template of a workload, as its owner writes it.
    Template,
}

/// What the documents that are for a pod ask for.
#[derive(Debug, Default)]
pub struct Proposal {
    /// None if nothing is to be changed.
    pub patch: Option<Patch>,
    /// Everything that was decided, in order.
    pub notes: Vec<Note>,
}

impl Proposal {
    /// Why the pod is refused; none if it is not.
    pub fn denial(&self) -> Option<&Note> {
        self.notes.iter().find(|note| note.weight == Weight::Denied)
    }
}

/// Proposes what the documents ask for in a pod that belongs to a namespace of this name.
pub fn propose(pod: Unread<'_>, name: &str, namespace: &Namespace, snapshot: &Snapshot, subject: Subject) -> Proposal {
    proposal(pod, Home { name, namespace, account: None }, snapshot, subject)
}

/// Where a pod is to be.
#[derive(Clone, Copy)]
struct Home<'a> {
    /// Of the namespace.
    name: &'a str,
    namespace: &'a Namespace,
    /// The labels of its service account, where the snapshot lacks it.
    account: Option<&'a Labels>,
}

impl<'a> Home<'a> {
    /// The world of a pod there; none where no document is in force.
    fn world(
        self,
        pod: Unread<'_>,
        snapshot: &'a Snapshot,
        subject: Subject,
    ) -> Option<(&'a NamespaceMutation, World<'a>)> {
        let mutation = self.namespace.mutation.as_deref()?;
        let around = Around {
            namespace: self.name,
            labels: &mutation.labels,
            annotations: &mutation.annotations,
            service_account: self.account,
            asks: snapshot.documents().asks(),
        };
        let world = snapshot.surroundings.world(around, pod);
        Some((mutation, World { is_template: subject == Subject::Template, ..world }))
    }
}

fn proposal(pod: Unread<'_>, home: Home<'_>, snapshot: &Snapshot, subject: Subject) -> Proposal {
    let may_be_for = |mutation: &NamespaceMutation| mutation.candidates.has_any_for(pod);
    if !home.namespace.mutation.as_deref().is_some_and(may_be_for) {
        return Proposal::default();
    }
    let Some((mutation, world)) = home.world(pod, snapshot, subject) else { return Proposal::default() };
    let Mutated { patch, notes, .. } = change(pod, rules(snapshot, home.namespace, mutation, &world));
    Proposal { patch, notes }
}

/// Why the documents of which [`propose`] says nothing are not for the pod.
pub fn passed_over(
    pod: Unread<'_>,
    name: &str,
    namespace: &Namespace,
    snapshot: &Snapshot,
    subject: Subject,
) -> Vec<Note> {
    let home = Home { name, namespace, account: None };
    let Some((mutation, world)) = home.world(pod, snapshot, subject) else { return Vec::new() };
    not_looked_at(pod, rules(snapshot, namespace, mutation, &world))
}

fn rules<'a>(
    snapshot: &'a Snapshot,
    namespace: &Namespace,
    mutation: &'a NamespaceMutation,
    world: &'a World<'a>,
) -> Rules<'a> {
    let enforced = namespace.pod_security.policy.enforce;
    Rules { documents: snapshot.documents(), candidates: &mutation.candidates, world, enforced }
}

/// Adds to the verdict on a pod that is about to be stored what it lacks of what it must have.
pub(super) fn verify(mut verdict: Verdict, request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    if !is_changed(request) || !verdict.is_allowed() || !snapshot.documents().verify_any() {
        return verdict;
    }
    let Some(namespace) = lookup(request, snapshot, facts) else { return verdict };
    let Some(pod) = finished_pod(request) else { return verdict };
    let home = Home { name: &request.namespace, namespace, account: facts.service_account.as_ref() };
    let Some((mutation, world)) = home.world(pod, snapshot, Subject::Pod) else { return verdict };
    let notes = look(pod, rules(snapshot, namespace, mutation, &world));
    for note in &notes {
        match note.weight {
            Weight::Denied if verdict.is_allowed() => verdict.deny(refused(request, note)),
            _ => verdict.warn(note.to_string()),
        }
    }
    record(&mut verdict, notes);
    verdict
}

fn is_changed(request: &Request<'_>) -> bool {
    request.operation == Operation::Create && request.resource.is_pods() && request.subresource.is_empty()
}

fn refused(request: &Request<'_>, note: &Note) -> Status {
    forbidden_as(&request.called(), request, &note.to_string())
}

fn verdict(request: &Request<'_>, proposal: Proposal) -> Verdict {
    let mut verdict = Verdict::allow();
    if let Some(note) = proposal.denial() {
        verdict.deny(refused(request, note));
    } else if let Some(patch) = proposal.patch {
        verdict.change(patch);
    }
    for note in proposal.notes.iter().filter(|note| matches!(note.weight, Weight::Warning | Weight::Skipped)) {
        verdict.warn(note.to_string());
    }
    record(&mut verdict, proposal.notes);
    verdict
}

/// For the audit log, and for whoever counts and tells.
fn record(verdict: &mut Verdict, notes: Vec<Note>) {
    if !notes.is_empty() {
        verdict.annotate(Annotation::Mutation(all_said(&notes)));
        verdict.note(notes);
    }
}

/// The API server is asked again in the validate phase, which refuses what it cannot look up.
fn without_namespace(request: &Request<'_>) -> Verdict {
    let mut verdict = Verdict::allow();
    let name = &request.namespace;
    verdict.annotate(Annotation::Error(format!("nothing was changed: the namespace {name:?} cannot be looked up")));
    verdict.count(Event::Error { fatal: true });
    verdict
}

/// All notes for a machine: document, reason and what it is about.
fn all_said(notes: &[Note]) -> String {
    let mut text = String::with_capacity(256);
    for note in notes {
        let separator = if text.is_empty() { "" } else { "; " };
        if text.len() + note.document.len() + note.about.len() + 80 > MOST_SAID {
            text.push_str(separator);
            text.push('…');
            break;
        }
        for piece in [separator, &note.document, " ", note.reason.code(), " ", &note.about] {
            text.push_str(piece);
        }
    }
    text
}
