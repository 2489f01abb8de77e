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
    let is_there = cursor.members_or_null(|key, cursor| member_of_request(&key, cursor, &mut request))?;
    Ok(is_there.then_some(request))
}

fn member_of_request<'a>(
    key: &str,
    cursor: &mut Cursor<'a>,
    request: &mut EnvelopeRequest<'a, Unread<'a>>,
) -> Result<(), DecodeError> {
    match key {
        "kind" => texts(cursor, &mut request.kind, |kind, key| match key {
            "group" => Some(&mut kind.group),
            "version" => Some(&mut kind.version),
            "kind" => Some(&mut kind.kind),
            _ => None,
        }),
        "resource" => texts(cursor, &mut request.resource, |resource, key| match key {
            "group" => Some(&mut resource.group),
            "resource" => Some(&mut resource.resource),
            _ => None,
        }),
        "userInfo" => texts(cursor, &mut request.user_info, |user, key| match key {
            "username" => Some(&mut user.username),
            _ => None,
        }),
        "dryRun" => {
            request.dry_run = cursor.boolean()?;
            Ok(())
        }
        "object" => object(cursor, &mut request.object),
        "oldObject" => object(cursor, &mut request.old_object),
        _ => match text_of(request, key) {
            Some(text) => read_text(cursor, text),
            None => cursor.value().map(drop),
        },
    }
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
    let read = cursor.members_or_null(|key, cursor| match place(object, &key) {
        Some(text) => read_text(cursor, text),
        None => cursor.value().map(drop),
    });
    read.map(drop)
}

fn read_text<'a>(cursor: &mut Cursor<'a>, place: &mut Text<'a>) -> Result<(), DecodeError> {
    if !place.is_empty() {
        return twice(cursor);
    }
    *place = cursor.text()?;
    Ok(())
}

fn object<'a>(cursor: &mut Cursor<'a>, place: &mut Option<Unread<'a>>) -> Result<(), DecodeError> {
    if place.is_some() {
        return twice(cursor);
    }
    let mut object = Unread::default();
    let (is_there, text) = cursor.spanned(|cursor| {
        cursor.members_or_null(|key, cursor| match &*key {
            "metadata" => metadata(cursor, &mut object),
            "spec" => read_value(cursor, &mut object.spec),
            _ => cursor.value().map(drop),
        })
    })?;
    object.text = text;
    *place = is_there.then_some(object);
    Ok(())
}

fn metadata<'a>(cursor: &mut Cursor<'a>, object: &mut Unread<'a>) -> Result<(), DecodeError> {
    if !object.metadata.is_empty() {
        return twice(cursor);
    }
    let (is_there, text) = cursor.spanned(|cursor| {
        cursor.members_or_null(|key, cursor| match &*key {
            "labels" => read_value(cursor, &mut object.labels),
            "annotations" => read_value(cursor, &mut object.annotations),
            "managedFields" => read_value(cursor, &mut object.managed_fields),
            _ => cursor.value().map(drop),
        })
    })?;
    object.metadata = if is_there { text } else { "" };
    Ok(())
}

/// Keeps a value as it is written; what is `null` is not there.
fn read_value<'a>(cursor: &mut Cursor<'a>, place: &mut &'a str) -> Result<(), DecodeError> {
    if !place.is_empty() {
        return twice(cursor);
    }
    let value = cursor.value()?;
    *place = if value == "null" { "" } else { value };
    Ok(())
}

#[cold]
fn twice(cursor: &Cursor<'_>) -> Result<(), DecodeError> {
    cursor.refuse("a member that is there twice")
}
