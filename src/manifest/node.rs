//! The tree of one document: values as JSON knows them, each with the span of its text.
//!
//! Kept true: the order of keys is that of the text, no map holds a key twice, and a number keeps all its digits.

use super::Span;

/// A value and the place where it is written.
///
/// The span of a value that stands for an anchor (`*name`) is that of the alias; what lies within it keeps the spans
/// of the anchor's own text. A value that is not written at all (`key:`) has an empty span.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub value: Value,
    pub span: Span,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    /// The number's JSON text, so that integers of 64 bits survive.
    Number(String),
    String(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Node,
}

impl Node {
    /// The value under `key`, when this is a map that has it.
    pub fn field(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Like [`Node::field`], to be changed.
    pub fn field_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.value),
            _ => None,
        }
    }

    /// The text, when this is a string.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, when this is one.
    pub fn truth(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The items, none when this is not a list.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Like [`Node::items`], to be changed.
    pub fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.value {
            Value::List(items) => items,
            _ => &mut [],
        }
    }

    /// The entries in the order of the text, none when this is not a map.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// True for `null`, `~` and a value that is not written.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// Sets `key` of a map, in its place when the map has it, else at the end; does nothing when this is not a map.
    pub fn set(&mut self, key: &str, value: Self) {
        let Value::Map(entries) = &mut self.value else { return };
        match entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => entries.push(Entry { key: key.to_owned(), key_span: value.span, value }),
        }
    }

    /// What the value is, for messages: `a list`, `a string`.
    pub fn describe(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value as compact JSON.
    pub fn to_json(&self) -> String {
        let mut json = Vec::new();
        self.write_json(&mut json);
        String::from_utf8_lossy(&json).into_owned()
    }

    /// Appends the value as compact JSON.
    pub fn write_json(&self, json: &mut Vec<u8>) {
        match &self.value {
            Value::Null => json.extend_from_slice(b"null"),
            Value::Bool(true) => json.extend_from_slice(b"true"),
            Value::Bool(false) => json.extend_from_slice(b"false"),
            Value::Number(text) => json.extend_from_slice(text.as_bytes()),
            Value::String(text) => write_string(text, json),
            Value::List(items) => write_list(items, json),
            Value::Map(entries) => write_map(entries, json),
        }
    }
}

fn write_list(items: &[Node], json: &mut Vec<u8>) {
    json.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        item.write_json(json);
    }
    json.push(b']');
}

fn write_map(entries: &[Entry], json: &mut Vec<u8>) {
    json.push(b'{');
    for (index, entry) in entries.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        write_string(&entry.key, json);
        json.push(b':');
        entry.value.write_json(json);
    }
    json.push(b'}');
}

fn write_string(text: &str, json: &mut Vec<u8>) {
    json.push(b'"');
    for part in text.as_bytes().split_inclusive(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        match part.split_last() {
            Some((last @ (b'"' | b'\\' | 0..0x20), plain)) => {
                json.extend_from_slice(plain);
                write_escape(*last, json);
            }
            _ => json.extend_from_slice(part),
        }
    }
    json.push(b'"');
}

fn write_escape(byte: u8, json: &mut Vec<u8>) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => return json.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
    };
    json.extend_from_slice(&[b'\\', short]);
}
