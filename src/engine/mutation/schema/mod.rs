//! Parts of Kubernetes objects that documents hold, held against Kubernetes' own types and against what its validation refuses in
//! every pod.
//!
//! Kept true: what passes here is decoded by the API server without a field being lost or refused, whatever pod it lands in. What is
//! newer than the table passes only where the document names it (`newerFields`). An empty text is as good as none where a form is
//! asked for, and is none of several words.

mod documents;
mod grammar;
mod metadata;
mod nearest;
mod resources;
mod rules;
mod special;
mod storage;
mod table;

pub(super) use documents::{of_defaults, of_injection};
pub(super) use grammar::Grammar;
pub(super) use nearest::nearest;
pub(super) use resources::{STANDARD, flaw_of_amount, flaw_of_resource, is_huge_pages};

use serde_json::{Map, Value};

use super::document::Flaw;
use crate::engine::object::Quantity;
use table::{Field, Kind, fields};

/// Whether a type of Kubernetes has a field of this name.
pub(super) fn is_field_of(name: &str, field: &str) -> bool {
    fields(name).iter().any(|known| known.name == field)
}

/// What is wrong with a document, as far as it is found; and what is not looked at.
#[derive(Debug)]
struct Inspection<'d> {
    /// Names of fields that are newer than the table, or whose values are.
    newer: &'d [String],
    flaws: Vec<Flaw>,
}

impl Inspection<'_> {
    fn add(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        self.flaws.push(Flaw { path: path.into(), problem: problem.into() });
    }

    /// Looks at an object of Kubernetes and at all that is in it.
    fn object(&mut self, value: &Value, name: &str, path: &str) {
        let Value::Object(members) = value else {
            return self.add(path, format!("must be {}, not {}", a(name), described(value)));
        };
        let before = self.flaws.len();
        let known = fields(name);
        let mut meant = Vec::new();
        for (key, value) in members.iter().filter(|(key, _)| !self.newer.contains(key)) {
            let at = member(path, key);
            match known.iter().find(|field| field.name == key) {
                Some(_) if value.is_null() => self.add(at, "null says nothing; leave it out"),
                Some(field) => self.field(value, field, &at),
                None => {
                    meant.extend(meant_by(key, name));
                    self.add(at, unknown(key, name));
                }
            }
        }
        for field in known.iter().filter(|field| field.is_required && !meant.contains(&field.name)) {
            let is_empty = |value: &Value| value == "" && (name, field.name) != ("HTTPHeader", "value");
            if members.get(field.name).is_none_or(is_empty) {
                self.add(member(path, field.name), "must be given");
            }
        }
        // Rules rest on types.
        if self.flaws.len() == before {
            rules::judge(self, members, name, path);
        }
    }

    fn field(&mut self, value: &Value, field: &Field, path: &str) {
        self.value(value, &field.kind, path);
        let Value::String(text) = value else { return };
        if !field.words.is_empty() && !field.words.contains(&text.as_str()) {
            self.add(path, not_one_of(text, &field.words));
        }
    }

    fn value(&mut self, value: &Value, kind: &Kind, path: &str) {
        match (kind, value) {
            (Kind::Anything, _) | (Kind::Text, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Object(name), _) => self.object(value, name, path),
            (Kind::List(items), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.value(value, items, &format!("{path}[{index}]"));
                }
            }
            (Kind::Map(values), Value::Object(members)) => {
                members.iter().for_each(|(key, value)| self.value(value, values, &member(path, key)));
            }
            (Kind::Int64, Value::Number(number)) if number.is_i64() => {}
            (Kind::Int32 | Kind::IntegerOrText, Value::Number(number)) if is_int32(number) => {}
            (Kind::IntegerOrText, Value::String(_)) => {}
            (Kind::Quantity, Value::String(text)) => self.quantity(text, path),
            (Kind::Quantity, Value::Number(number)) => self.quantity(&number.to_string(), path),
            (kind, value) => self.add(path, mistaken(kind, value)),
        }
    }

    fn quantity(&mut self, text: &str, path: &str) {
        if let Err(error) = Quantity::parse(text) {
            self.add(path, error.to_string());
        }
    }
}

fn is_int32(number: &serde_json::Number) -> bool {
    number.as_i64().is_some_and(|number| i32::try_from(number).is_ok())
}

/// The path of a member, in Kubernetes' syntax.
pub(super) fn member(path: &str, key: &str) -> String {
    let is_plain =
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if is_plain { format!("{path}.{key}") } else { format!("{path}[{key}]") }
}

/// What to say of a field that the type does not have: the name that was meant, or where it belongs.
fn unknown(key: &str, name: &str) -> String {
    if let Some(meant) = meant_by(key, name) {
        return format!("{} has no such field; did you mean {meant}?", a(name));
    }
    let known = fields(name);
    let has_it = |field: &&Field| matches!(field.kind, Kind::Object(inner) if fields(inner).iter().any(|field| field.name == key));
    if let Some(holder) = known.iter().find(has_it) {
        return format!("{} has no such field; it belongs in {}", a(name), holder.name);
    }
    let newer = format!("if yours is newer and has it, list {key:?} in spec.newerFields");
    format!("{} of {} has no such field; {newer}", a(name), table::version())
}

fn meant_by(key: &str, name: &str) -> Option<&'static str> {
    nearest(key, fields(name).iter().map(|field| field.name))
}

fn mistaken(kind: &Kind, value: &Value) -> String {
    let wanted = match (kind, value) {
        (Kind::Text, Value::Number(_) | Value::Bool(_)) => {
            return format!("must be a text: put it in quotes, \"{value}\"");
        }
        (Kind::Int32 | Kind::Int64, Value::String(text)) if text.parse::<i64>().is_ok() => {
            return format!("must be a whole number: write {text}, without quotes");
        }
        (Kind::Boolean, Value::String(text)) if text == "true" || text == "false" => {
            return format!("must be true or false: write {text}, without quotes");
        }
        (Kind::Text, _) => "a text",
        (Kind::Boolean, _) => "true or false",
        (Kind::Int32 | Kind::Int64, _) => "a whole number",
        (Kind::IntegerOrText, _) => "a whole number or a name",
        (Kind::Quantity, _) => "a quantity, such as 250m or 64Mi",
        (Kind::List(_), _) => "a list",
        (Kind::Map(_) | Kind::Object(_) | Kind::Anything, _) => "an object",
    };
    format!("must be {wanted}, not {}", described(value))
}

fn not_one_of(text: &str, words: &[&str]) -> String {
    if text.is_empty() {
        return format!("must be one of {}; or leave it out", words.join(", "));
    }
    let meant = nearest(text, words.iter().copied()).map(|word| format!("; did you mean {word}?")).unwrap_or_default();
    // The signals of Linux are many.
    let shown: Vec<&str> = words.iter().copied().take(8).collect();
    let more = if words.len() > shown.len() { ", …" } else { "" };
    format!("must be one of {}{more}, not {text:?}{meant}", shown.join(", "))
}

fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) if text.len() > 60 => "this text".to_owned(),
        scalar => scalar.to_string(),
    }
}

/// A type's name with its article.
fn a(name: &str) -> String {
    let article = if name.starts_with(['A', 'E', 'I', 'O']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// The value at the end of a path of members.
fn at<'v>(members: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    let mut names = path.split('.');
    let first = members.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

#[cfg(test)]
mod tests;
