//! Values as YAML: in blocks, as people write them, or on one line as JSON, which YAML reads too.

use super::{Node, Value, word};

/// How far a block stands in from what holds it.
const STEP: usize = 2;

/// A value on one line, within a block.
pub(super) fn inline(value: &Node) -> String {
    match &value.value {
        Value::String(text) => word(text).into_owned(),
        _ => flow(value),
    }
}

/// A value as JSON, which may stand within brackets.
pub(super) fn flow(value: &Node) -> String {
    value.to_json()
}

/// An entry of a map on lines of its own.
pub(super) fn block_entry(key: &str, value: &Node, indent: usize) -> String {
    let mut text = String::new();
    push_entry(&mut text, key, value, indent);
    text
}

/// An item of a list on lines of its own.
pub(super) fn block_item(value: &Node, indent: usize) -> String {
    let mut text = String::new();
    push_item(&mut text, value, indent);
    text
}

fn push_entry(text: &mut String, key: &str, value: &Node, indent: usize) {
    text.push_str(&" ".repeat(indent));
    text.push_str(&word(key));
    text.push(':');
    match &value.value {
        Value::Map(entries) if !entries.is_empty() => {
            text.push('\n');
            entries.iter().for_each(|entry| push_entry(text, &entry.key, &entry.value, indent + STEP));
        }
        Value::List(items) if !items.is_empty() => {
            text.push('\n');
            items.iter().for_each(|item| push_item(text, item, indent));
        }
        _ => {
            text.push(' ');
            text.push_str(&inline(value));
            text.push('\n');
        }
    }
}

fn push_item(text: &mut String, value: &Node, indent: usize) {
    let dash = format!("{}- ", " ".repeat(indent));
    match &value.value {
        Value::Map(entries) if !entries.is_empty() => {
            let start = text.len();
            entries.iter().for_each(|entry| push_entry(text, &entry.key, &entry.value, indent + STEP));
            // The dash takes the place of the first entry's indentation.
            text.replace_range(start..start + indent + STEP, &dash);
        }
        Value::List(items) if !items.is_empty() => {
            let start = text.len();
            items.iter().for_each(|item| push_item(text, item, indent + STEP));
            text.replace_range(start..start + indent + STEP, &dash);
        }
        _ => {
            text.push_str(&dash);
            text.push_str(&inline(value));
            text.push('\n');
        }
    }
}
