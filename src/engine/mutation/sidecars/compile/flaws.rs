//! Collects what is wrong with a document, each with its place; and checks of names that every part needs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::mutation::document::Flaw;

/// The flaws found so far.
#[derive(Debug, Default)]
pub(super) struct Flaws(pub(super) Vec<Flaw>);

impl Flaws {
    pub(super) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Flaw { path: path.into(), problem: problem.into() });
    }

    /// Notes a name that is no DNS label, or that is taken already.
    pub(super) fn name(&mut self, path: &str, name: &str, taken: &mut BTreeSet<String>) {
        if !is_dns_label(name) {
            self.add(path, format!("{name:?} is no name: at most 63 of a-z, 0-9 and -, neither first nor last a -"));
        } else if !taken.insert(name.to_owned()) {
            self.add(path, format!("{name:?} is the name of another one; names must differ"));
        }
    }

    /// The string that the object must have at this key.
    pub(super) fn text<'v>(&mut self, path: &str, object: &'v Value, key: &str) -> Option<&'v str> {
        let text = object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text.is_none() {
            self.add(format!("{path}.{key}"), "must be given, as a text");
        }
        text
    }
}

fn is_dns_label(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}
