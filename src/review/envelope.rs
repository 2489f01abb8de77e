//! An AdmissionReview with a request, as far as decisions rest on it. `O` is what is read of its objects.

use serde::Deserialize;

use crate::engine::Carried;
use crate::engine::object::{Text, or_default};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope<'a, O> {
    #[serde(borrow, default)]
    pub(super) api_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
    #[serde(bound(deserialize = "O: Deserialize<'de>"))]
    pub(super) request: Option<EnvelopeRequest<'a, O>>,
}

/// The fields of an AdmissionRequest that decisions rest on: as upstream, those of the resource that the webhook was
/// registered for (`resource`, not `requestResource`), and `requestSubResource`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvelopeRequest<'a, O> {
    #[serde(borrow, default)]
    pub(super) uid: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) kind: EnvelopeKind<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) resource: EnvelopeResource<'a>,
    #[serde(borrow, default)]
    pub(super) sub_resource: Text<'a>,
    #[serde(borrow, default)]
    pub(super) request_sub_resource: Text<'a>,
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) namespace: Text<'a>,
    #[serde(borrow, default)]
    pub(super) operation: Text<'a>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) user_info: UserInfo<'a>,
    pub(super) dry_run: Option<bool>,
    pub(super) object: Option<O>,
    pub(super) old_object: Option<O>,
}

#[derive(Default, Deserialize)]
pub(super) struct EnvelopeKind<'a> {
    #[serde(borrow, default)]
    pub(super) group: Text<'a>,
    #[serde(borrow, default)]
    pub(super) version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) kind: Text<'a>,
}

impl<'a> EnvelopeKind<'a> {
    /// Gives an object that does not say what it is the kind that the request says, as Go's decoder does.
    pub(super) fn complete(&self, mut carried: Carried<'a>) -> Carried<'a> {
        if let Carried::Object(object) = &mut carried {
            if object.kind.is_empty() {
                object.kind = self.kind.clone();
            }
            if object.api_version.is_empty() {
                object.api_version = match &*self.group {
                    "" => self.version.clone(),
                    group => Text::from(format!("{group}/{}", &*self.version)),
                };
            }
        }
        carried
    }
}

#[derive(Default, Deserialize)]
pub(super) struct EnvelopeResource<'a> {
    #[serde(borrow, default)]
    pub(super) group: Text<'a>,
    #[serde(borrow, default)]
    pub(super) resource: Text<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct UserInfo<'a> {
    #[serde(borrow, default)]
    pub(super) username: Text<'a>,
}
