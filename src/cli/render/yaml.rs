//! Writes objects as plain YAML: block style, two blanks a level, texts in quotes wherever a reader might take them for
//! something else.
//!
//! Kept true: whoever reads YAML, 1.1 or 1.2, gets back the same value.

use serde_json::{Map, Value};

use crate::manifest::word;

/// These come first in an object, in this order; the rest follows by name.
const FIRST: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// A document of its own, with its marker.
pub(super) fn document(object: &Value) -> String {
    let mut text = String::from("---\n");
    match object {
        Value::Object(map) => write_map(map, 0, &mut text),
        other => {
            write_scalar(other, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

fn write_map(map: &Map<String, Value>, depth: usize, text: &mut String) {
    let first = FIRST.iter().filter_map(|key| map.get_key_value(*key));
    let rest = map.iter().filter(|(key, _)| !FIRST.contains(&key.as_str()));
    for (index, (key, value)) in first.chain(rest).enumerate() {
        // The first key of a map in a list stands behind the hyphen.
        if index > 0 || !text.ends_with("- ") {
            indent(depth, text);
        }
        text.push_str(&word(key));
        text.push(':');
        write_value(value, depth, text);
    }
}

/// What follows a colon.
fn write_value(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            text.push('\n');
            write_map(map, depth + 1, text);
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('\n');
            write_list(items, depth, text);
        }
        other => {
            text.push(' ');
            write_scalar(other, depth, text);
            text.push('\n');
        }
    }
}

fn write_list(items: &[Value], depth: usize, text: &mut String) {
    for item in items {
        indent(depth, text);
        text.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => write_map(map, depth + 1, text),
            Value::Array(items) if !items.is_empty() => {
                text.push_str(&Value::Array(items.clone()).to_string());
                text.push('\n');
            }
            other => {
                write_scalar(other, depth, text);
                text.push('\n');
            }
        }
    }
}

fn write_scalar(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::String(string) if is_block(string) => write_block(string, depth + 1, text),
        Value::String(string) => text.push_str(&word(string)),
        // Empty lists and maps, numbers, truth values and null are in YAML what they are in JSON.
        other => text.push_str(&other.to_string()),
    }
}

/// Lines that can stand as they are: the first is not indented, and the last one ends.
fn is_block(string: &str) -> bool {
    let is_plain = |line: &str| !line.ends_with(' ') && !line.chars().any(char::is_control);
    let ends_once = string.ends_with('\n') && !string.ends_with("\n\n");
    ends_once && !string.starts_with([' ', '\n']) && string.split('\n').all(is_plain) && string.lines().count() > 1
}

fn write_block(string: &str, depth: usize, text: &mut String) {
    text.push('|');
    for line in string.lines() {
        text.push('\n');
        if !line.is_empty() {
            indent(depth, text);
            text.push_str(line);
        }
    }
}

fn indent(depth: usize, text: &mut String) {
    text.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::{Documents, parse};

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({
            "kind": "K", "apiVersion": "v1", "metadata": {"name": "m", "labels": {}}, "a": [],
            "texts": ["", " ", "100", "1e3", "true", "No", "~", "null", "0x1", "-", "- a", "a: b", "a #b", "#", "{}", "é\u{7f}",
                "2001-01-01", "=", "*a", "&a", "!a", "a:", "a\tb", "--mode=audit", "/readyz", "a.b/c-d_e", "'", "\"", "\\"],
            "lines": ["a\nb\n", "a\nb", "\na\n", " a\nb\n", "a\n\nb\n", "a \nb\n", "a\n\n", "a\r\nb\n"],
            "block": "groups:\n  - name: x # y\n\n    rules: \"é\"\n",
            "nested": [[1, [2]], {"a": {"b": [{"c": null, "d": [true, 1.5, -3]}]}}, [], {}],
        });
        let text = document(&value);
        assert!(text.starts_with(
            "---\napiVersion: v1\nkind: K\nmetadata:\n  labels: {}\n  name: m\na: []\nblock: |\n  groups:\n"
        ));
        let parsed = Documents::new(text.as_bytes()).next().expect("a document").expect("text");
        let json = parse(&parsed).unwrap_or_else(|error| panic!("{error:?}\n{text}")).to_json();
        assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), value, "{text}");
    }
}
