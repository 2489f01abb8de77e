//! Collects what is wrong with a document, each with its place; and checks of names that every part needs.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::engine::mutation::document::Flaw;
use crate::engine::mutation::schema::Grammar;

/// The flaws found so far.
#[derive(Debug, Default)]
pub(super) struct Flaws(pub(super) Vec<Flaw>);

impl Flaws {
    pub(super) fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Flaw { path: path.into(), problem: problem.into() });
    }

    /// Notes a name that is no DNS label, or that is taken already.
    pub(super) fn name(&mut self, path: &str, name: &str, taken: &mut BTreeSet<String>) {
        if !Grammar::Label.accepts(name) {
            self.add(path, format!("{name:?} is no name: {}", Grammar::Label.wanted()));
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
