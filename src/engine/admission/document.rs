//! Our own documents: one that does not compile is refused, with every flaw at its field, before anything rests on it.

use super::{Request, Snapshot, Verdict, bad_request};
use crate::engine::mutation::document::{Document, Flaw, GROUP};
use crate::engine::mutation::{Active, Node};
use crate::engine::verdict::{Annotation, Cause, Details, Event, Status};

/// The most flaws that are told of.
const MOST: usize = 20;

pub(super) fn is_document(request: &Request<'_>) -> bool {
    &*request.resource.group == GROUP && request.subresource.is_empty()
}

/// Judges a document by compiling it.
pub(super) fn validate(request: &Request<'_>, snapshot: &Snapshot) -> Verdict {
    let mut verdict = Verdict::allow();
    let review = Node::new(str::from_utf8(request.review).unwrap_or_default());
    let Some(object) = review.at(&["request", "object"]).and_then(Node::as_written) else {
        let status = bad_request("the review carries no document");
        verdict.annotate(Annotation::Error(status.message.clone()));
        verdict.count(Event::Error { fatal: true });
        verdict.deny(status);
        return verdict;
    };
    let document = Document::read(object);
    match document.and_then(|document| Active::compile(&document)) {
        Ok(active) => {
            let others = snapshot.documents().iter().filter(|other| other.title != active.title);
            let clashes: Vec<Flaw> = others.flat_map(|other| active.clashes_with(other)).collect();
            if !clashes.is_empty() {
                verdict.deny(invalid(request, &clashes));
                return verdict;
            }
            for other in snapshot.documents().iter().filter(|other| other.title != active.title) {
                let shared = active.own_containers().filter(|name| other.own_containers().any(|own| own == *name));
                shared.for_each(|name| {
                    verdict.warn(format!(
                        "{} adds a container {name:?} too: a pod that both are for has a conflict",
                        other.title
                    ));
                });
            }
        }
        Err(flaws) => verdict.deny(invalid(request, &flaws)),
    }
    verdict
}

/// `apierrors.NewInvalid`.
fn invalid(request: &Request<'_>, flaws: &[Flaw]) -> Status {
    let (kind, name) = (&*request.kind.kind, &*request.name);
    let texts: Vec<String> = flaws.iter().take(MOST).map(ToString::to_string).collect();
    let more = flaws.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
    let cause =
        |flaw: &Flaw| Cause { reason: "FieldValueInvalid", message: flaw.problem.clone(), field: flaw.path.clone() };
    Status {
        code: 422,
        reason: "Invalid",
        message: format!("{kind}.{GROUP} {name:?} is invalid: {}{more}", texts.join("; ")),
        details: Details {
            name: name.to_owned(),
            group: GROUP.to_owned(),
            kind: kind.to_owned(),
            causes: flaws.iter().take(MOST).map(cause).collect(),
        },
    }
}
