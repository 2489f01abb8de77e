//! The pure middle: decides requests over a snapshot of all that we know, with no input, output, clock or randomness.
//!
//! [`decide`] cannot fail and gives the same answer for the same arguments. Nothing else makes an allowed [`Verdict`].

#![deny(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::iter_over_hash_type,
    reason = "the engine is pure"
)]

pub mod json;
pub mod mutation;
pub mod object;
pub mod pod_security;

mod admission;
mod facts;
mod request;
mod shards;
mod snapshot;
mod verdict;

pub use admission::{Asked, Concern, Proposal, Subject, judged, mutated, mutated_by_any, needed, passed_over, propose};
pub use facts::{ExistingPods, Facts, Needed, ServiceAccountName};
pub use request::{Carried, ObjectKind, Operation, Phase, Request, Resource, Unread, Unusable};
pub use snapshot::{Mode, Namespace, Snapshot, Unlisted, WORKLOADS_LABEL, Workloads};
pub use verdict::{Annotation, Cause, Details, Event, Exempt, Judgement, PolicyMode, Status, Verdict};

/// Decides one request.
///
/// The mutate phase proposes edits, and refuses only where a document says so; the validate phase judges.
pub fn decide(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    let verdict = match request.phase {
        Phase::Mutate => admission::mutate(request, snapshot, facts),
        Phase::Validate => admission::validate(request, snapshot, facts),
    };
    match snapshot.mode {
        Mode::Enforce => verdict,
        Mode::Audit => verdict.without_effect(),
    }
}
