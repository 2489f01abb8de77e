//! Bytes to a request, in one borrowing pass. Where that fails, a slower second pass tells a bad review, which is an error,
//! from a good review that carries an object nobody can decode, which is for decide to judge.

use serde_json::value::RawValue;

use super::envelope::Envelope;
use super::sketch;
use crate::engine::object::Object;
use crate::engine::{Carried, ObjectKind, Operation, Phase, Request, Resource, Unread, json};

/// Why a body is no AdmissionReview: the caller's fault, answered with HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadReview {
    #[error("the body is empty: an AdmissionReview of admission.k8s.io/v1 is expected")]
    Empty,
    #[error("the body is no AdmissionReview: {0}")]
    Malformed(String),
    #[error("expected an AdmissionReview of admission.k8s.io/v1, got {kind:?} of {api_version:?}")]
    WrongKind { api_version: String, kind: String },
    #[error("the AdmissionReview has no request (is it an answer?)")]
    NoRequest,
    #[error("the AdmissionReview's request has no uid")]
    NoUid,
    #[error("the AdmissionReview's operation {0:?} is none of CREATE, UPDATE, DELETE, CONNECT")]
    UnknownOperation(String),
}

/// Decodes a review that was sent for this phase.
///
/// # Errors
/// The body is not an AdmissionReview of `admission.k8s.io/v1` with a request. An object of the request that does not decode
/// is no error: it is [`Carried::Undecodable`].
pub fn decode(phase: Phase, body: &[u8]) -> Result<Request<'_>, BadReview> {
    let mut request = decode_body(phase, body)?;
    request.review = body;
    Ok(request)
}

fn decode_body(phase: Phase, body: &[u8]) -> Result<Request<'_>, BadReview> {
    match phase {
        Phase::Validate => decode_objects(body),
        Phase::Mutate => match simdutf8::basic::from_utf8(body).map(sketch::envelope) {
            Ok(Ok(envelope)) => request(phase, envelope, |pod| pod.map_or(Carried::Absent, Carried::Unread)),
            _ => decode_in_parts(phase, body),
        },
    }
}

fn decode_objects(body: &[u8]) -> Result<Request<'_>, BadReview> {
    let phase = Phase::Validate;
    match json::from_slice::<Envelope<'_, Box<Object<'_>>>>(body) {
        Ok(envelope) => request(phase, envelope, carried),
        Err(_) => decode_in_parts(phase, body),
    }
}

pub(super) fn decode_in_parts(phase: Phase, body: &[u8]) -> Result<Request<'_>, BadReview> {
    if body.trim_ascii().is_empty() {
        return Err(BadReview::Empty);
    }
    let envelope: Envelope<'_, &RawValue> =
        serde_json::from_slice(body).map_err(|error| BadReview::Malformed(error.to_string()))?;
    request(phase, envelope, |object: Option<&RawValue>| match (phase, object) {
        (_, None) => Carried::Absent,
        (Phase::Mutate, Some(raw)) => Carried::Unread(Unread::of(raw.get())),
        (Phase::Validate, Some(raw)) => match json::from_slice(raw.get().as_bytes()) {
            Ok(object) => Carried::Object(Box::new(object)),
            Err(error) => Carried::Undecodable(error.to_string()),
        },
    })
}

fn carried(object: Option<Box<Object<'_>>>) -> Carried<'_> {
    object.map_or(Carried::Absent, Carried::Object)
}

fn request<'a, O>(
    phase: Phase,
    envelope: Envelope<'a, O>,
    carry: impl Fn(Option<O>) -> Carried<'a>,
) -> Result<Request<'a>, BadReview> {
    let (api_version, kind) = (&*envelope.api_version, &*envelope.kind);
    // As upstream, a review that says nothing of its kind is taken for what was expected.
    if !matches!(api_version, "" | "admission.k8s.io/v1") || !matches!(kind, "" | "AdmissionReview") {
        return Err(BadReview::WrongKind { api_version: api_version.to_owned(), kind: kind.to_owned() });
    }
    let request = envelope.request.ok_or(BadReview::NoRequest)?;
    if request.uid.is_empty() {
        return Err(BadReview::NoUid);
    }
    let object = request.kind.complete(carry(request.object));
    let old_object = request.kind.complete(carry(request.old_object));
    Ok(Request {
        phase,
        uid: request.uid,
        operation: operation(&request.operation)?,
        kind: ObjectKind { group: request.kind.group, kind: request.kind.kind },
        resource: Resource { group: request.resource.group, resource: request.resource.resource },
        subresource: match phase {
            // Nothing but pods themselves is changed, whichever of the two says that it is something else.
            Phase::Mutate if request.request_sub_resource.is_empty() => request.sub_resource,
            Phase::Mutate | Phase::Validate => request.request_sub_resource,
        },
        name: request.name,
        namespace: request.namespace,
        username: request.user_info.username,
        dry_run: request.dry_run.unwrap_or_default(),
        object,
        old_object,
        review: &[],
    })
}

fn operation(name: &str) -> Result<Operation, BadReview> {
    [Operation::Create, Operation::Update, Operation::Delete, Operation::Connect]
        .into_iter()
        .find(|operation| operation.name() == name)
        .ok_or_else(|| BadReview::UnknownOperation(name.to_owned()))
}
