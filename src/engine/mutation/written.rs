//! JSON as it is written: strings, and what stands between brackets.

use std::borrow::Cow;

pub(super) use crate::engine::json::quote;

/// A string as JSON.
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    quote(text, &mut json);
    json
}

/// The text of a string; none of anything else.
pub(super) fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}

/// Writes items between brackets, with commas between them.
pub(super) fn enclosed<T>(
    text: &mut String,
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    text.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

/// Begins a member of the object that the text ends in; its value is to follow.
pub(super) fn begin_member(key: &str, text: &mut String) {
    if !text.ends_with('{') {
        text.push(',');
    }
    quote(key, text);
    text.push(':');
}
