//! Pod Security admission: which requests are judged, by what, and in which order (upstream `admission/admission.go`).

mod asked;
mod document;
mod existing;
mod mutation;
mod namespace;
mod pod;
mod workload;

pub use asked::{Asked, Concern, judged, mutated, mutated_by_any};

use super::facts::{Facts, Needed};
use super::request::{Operation, Phase, Request};
use super::snapshot::{Namespace, Snapshot};
use super::verdict::{Details, Status, Verdict};

pub(super) use mutation::mutate;
pub use mutation::{Proposal, Subject, passed_over, propose};

/// Judges a request of the validate phase.
pub(super) fn validate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    if !is_judged(request) {
        Verdict::allow()
    } else if document::is_document(request) {
        document::validate(request, snapshot)
    } else if request.resource.is_namespaces() {
        namespace::validate(request, snapshot, facts)
    } else if request.resource.is_pods() {
        mutation::verify(pod::validate(request, snapshot, facts), request, snapshot, facts)
    } else {
        workload::validate(request, snapshot, facts)
    }
}

/// What has to be gathered before this request can be decided.
pub fn needed<'r>(request: &'r Request<'_>, snapshot: &Snapshot) -> Needed<'r> {
    if request.phase == Phase::Mutate {
        return mutation::needed(request, snapshot);
    }
    if !is_judged(request) || document::is_document(request) {
        return Needed::Nothing;
    }
    if request.resource.is_namespaces() {
        return if namespace::looks_at_pods(request, snapshot) {
            Needed::PodsOf(namespace::name_of(request))
        } else {
            Needed::Nothing
        };
    }
    let is_ignored = if request.resource.is_pods() { pod::is_ignored(request) } else { workload::is_ignored(request) };
    let is_exempt = pod::exemption(request, snapshot).is_some();
    let namespace = match snapshot.namespace(&request.namespace) {
        None if !is_ignored && !is_exempt => Needed::Namespace(&request.namespace),
        _ => Needed::Nothing,
    };
    mutation::needed_to_verify(request, snapshot, namespace)
}

/// Upstream registers for create and update alone; deleting and connecting never change what runs.
fn is_judged(request: &Request<'_>) -> bool {
    matches!(request.operation, Operation::Create | Operation::Update)
}

/// The namespace of a request: from the snapshot, else from the facts.
fn lookup<'s>(request: &Request<'_>, snapshot: &'s Snapshot, facts: &'s Facts) -> Option<&'s Namespace> {
    snapshot.namespace(&request.namespace).or(facts.namespace.as_ref())
}

/// `apierrors.NewBadRequest`.
fn bad_request(message: &str) -> Status {
    Status { code: 400, reason: "BadRequest", message: message.to_owned(), details: Details::default() }
}

/// `apierrors.NewForbidden` for the request's resource and name.
fn forbidden(request: &Request<'_>, why: &str) -> Status {
    forbidden_as(&request.name, request, why)
}

/// The same of an object that is called so.
fn forbidden_as(name: &str, request: &Request<'_>, why: &str) -> Status {
    use super::pod_security::quote;
    let group = &*request.resource.group;
    let resource = &*request.resource.resource;
    let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
    let subject = match name {
        "" => qualified,
        name => format!("{qualified} {}", quote(name)),
    };
    Status {
        code: 403,
        reason: "Forbidden",
        message: format!("{subject} is forbidden: {why}"),
        details: Details {
            name: request.name.to_string(),
            group: group.to_owned(),
            kind: resource.to_owned(),
            causes: Vec::new(),
        },
    }
}
