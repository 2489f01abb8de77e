//! A review of the mutate phase, read in one pass that goes into its object no deeper than it takes to tell whether anybody has to: most
//! pods are left as they are.
//!
//! What is not as the API server writes it is an error without a story: the slower way reads it again, and says what is wrong.

use super::envelope::{Envelope, EnvelopeRequest};
use crate::engine::Unread;
use crate::engine::json::{Cursor, DecodeError};
use crate::engine::object::Text;

/// Reads the body.
///
/// # Errors
/// It is not what the API server writes.
pub(super) fn envelope(body: &str) -> Result<Envelope<'_, Unread<'_>>, DecodeError> {
    let (mut cursor, mut envelope) = (Cursor::new(body), Envelope::default());
    cursor.members(|key, cursor| {
        match &*key {
            "apiVersion" => envelope.api_version = cursor.text()?,
            "kind" => envelope.kind = cursor.text()?,
            "request" => envelope.request = request(cursor)?,
            _ => drop(cursor.value()?),
        }
        Ok(())
    })?;
    cursor.end().map(|()| envelope)
}

fn request<'a>(cursor: &mut Cursor<'a>) -> Result<Option<EnvelopeRequest<'a, Unread<'a>>>, DecodeError> {
    let mut request = EnvelopeRequest::default();
    let is_there =
        cursor.members_or_null(|key, cursor| {
            match &*key {
                "kind" => texts(cursor, &mut request.kind, |kind, key| match key {
                    "group" => Some(&mut kind.group),
                    "version" => Some(&mut kind.version),
                    "kind" => Some(&mut kind.kind),
                    _ => None,
                })?,
                "resource" => texts(cursor, &mut request.resource, |resource, key| match key {
                    "group" => Some(&mut resource.group),
                    "resource" => Some(&mut resource.resource),
                    _ => None,
                })?,
                "userInfo" => texts(cursor, &mut request.user_info, |user, key| {
                    if key == "username" { Some(&mut user.username) } else { None }
                })?,
                "dryRun" => request.dry_run = cursor.boolean()?,
                "object" => request.object = object(cursor)?,
                "oldObject" => request.old_object = object(cursor)?,
                key => match text_of(&mut request, key) {
                    Some(text) => *text = cursor.text()?,
                    None => drop(cursor.value()?),
                },
            }
            Ok(())
        })?;
    Ok(is_there.then_some(request))
}

fn text_of<'r, 'a>(request: &'r mut EnvelopeRequest<'a, Unread<'a>>, key: &str) -> Option<&'r mut Text<'a>> {
    Some(match key {
        "uid" => &mut request.uid,
        "subResource" => &mut request.sub_resource,
        "requestSubResource" => &mut request.request_sub_resource,
        "name" => &mut request.name,
        "namespace" => &mut request.namespace,
        "operation" => &mut request.operation,
        _ => return None,
    })
}

/// Reads those members of an object that have a place, which are texts.
fn texts<'a, T>(
    cursor: &mut Cursor<'a>,
    object: &mut T,
    place: for<'t> fn(&'t mut T, &str) -> Option<&'t mut Text<'a>>,
) -> Result<(), DecodeError> {
    let read = cursor.members_or_null(|key, cursor| {
        match place(object, &key) {
            Some(text) => *text = cursor.text()?,
            None => drop(cursor.value()?),
        }
        Ok(())
    });
    read.map(drop)
}

fn object<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Unread<'a>>, DecodeError> {
    let mut object = Unread::default();
    let (is_there, text) = cursor.spanned(|cursor| {
        cursor.members_or_null(|key, cursor| {
            match &*key {
                "metadata" => object.metadata = metadata(cursor, &mut object)?,
                "spec" => object.spec = present(cursor.value()?),
                _ => drop(cursor.value()?),
            }
            Ok(())
        })
    })?;
    object.text = text;
    Ok(is_there.then_some(object))
}

fn metadata<'a>(cursor: &mut Cursor<'a>, object: &mut Unread<'a>) -> Result<&'a str, DecodeError> {
    let (_, text) = cursor.spanned(|cursor| {
        cursor.members_or_null(|key, cursor| {
            let value = cursor.value()?;
            match &*key {
                "labels" => object.labels = present(value),
                "annotations" => object.annotations = present(value),
                "managedFields" => object.managed_fields = present(value),
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(present(text))
}

/// What is `null` is not there.
fn present(text: &str) -> &str {
    if text == "null" { "" } else { text }
}
