//! One document's text to its tree: as JSON where it is JSON, else as YAML.
//!
//! Kept true: nesting and the number of nodes are bounded, whatever the text says, and no map holds a key twice.

use super::error::Fault;
use super::json::{self, Refusal};
use super::open_map::repeated_key;
use super::{DocumentText, Entry, Node, ParseError, yaml};

/// How deeply lists and maps may be nested.
pub const DEPTH_LIMIT: usize = 200;

/// How many values one document may hold, those counted that aliases repeat.
pub const NODE_LIMIT: usize = 4_000_000;

/// Reads a document. Scalars mean what kubectl takes them to mean; anchors, aliases and merge keys are resolved.
///
/// Errors say what is wrong, where, and, where that is known, what to do instead. Repeated keys, values that JSON
/// cannot express, too much nesting and too many values are errors.
pub fn parse(document: &DocumentText) -> Result<Node, ParseError> {
    read(document).map_err(|fault| document.error(fault))
}

fn read(document: &DocumentText) -> Result<Node, Fault> {
    let text = document.text.as_str();
    let Some(start) = json_start(text) else { return yaml::read(text) };
    match json::read(text, start) {
        Ok(node) => Ok(node),
        Err(Refusal::Final(fault)) => Err(fault),
        Err(Refusal::Syntax(fault)) => {
            yaml::read(text).map_err(|yaml| if looks_like_json(text, start) { fault } else { yaml })
        }
    }
}

/// Where the JSON begins, when the first content is a bracket; a marker line and comments may stand before it.
fn json_start(text: &str) -> Option<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let content = if line.starts_with("--- ") { line.get(3..)? } else { line };
        let content = content.trim_start_matches('\u{FEFF}').trim_start();
        match content.as_bytes() {
            [b'{' | b'[', ..] => return Some(offset + line.len() - content.len()),
            [] | [b'#', ..] => offset += line.len(),
            _ if line.trim_end() == "---" => offset += line.len(),
            _ => return None,
        }
    }
    None
}

/// True when a text that is neither JSON nor YAML was more likely meant to be JSON: its first key is quoted.
fn looks_like_json(text: &str, start: usize) -> bool {
    let inner = text.get(start..).unwrap_or_default().trim_start_matches(['{', '[', ' ', '\t', '\r', '\n']);
    inner.is_empty() || inner.starts_with(['"', '}', ']'])
}

/// What is left of the number of values that a document may hold.
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: NODE_LIMIT }
    }
}

impl Budget {
    /// Accounts for `nodes` more values, met at `offset`.
    pub(super) fn spend(&mut self, nodes: usize, offset: usize) -> Result<(), Fault> {
        match self.left.checked_sub(nodes) {
            Some(left) => self.left = left,
            None => {
                return Err(Fault::new(offset, format!("the document has more than {NODE_LIMIT} values"))
                    .hint("split the document; aliases (`*name`) count as often as they repeat a value"));
            }
        }
        Ok(())
    }

    pub(super) fn too_deep(offset: usize) -> Fault {
        Fault::new(offset, format!("lists and maps are nested more than {DEPTH_LIMIT} deep"))
            .hint("no Kubernetes object needs this; flatten the document")
    }
}

/// Refuses a map that has a key twice, naming the second place; the message names the first.
pub(super) fn check_repeated_keys(entries: &[Entry]) -> Result<(), Fault> {
    let repeated = if entries.len() <= 12 { repeated_among_few(entries) } else { repeated_among_many(entries) };
    match repeated {
        None => Ok(()),
        Some((first, second)) => Err(repeated_key(&second.key, first.key_span, second.key_span)),
    }
}

fn repeated_among_few(entries: &[Entry]) -> Option<(&Entry, &Entry)> {
    entries.iter().enumerate().find_map(|(index, second)| {
        let first = entries.iter().take(index).find(|first| first.key == second.key)?;
        Some((first, second))
    })
}

fn repeated_among_many(entries: &[Entry]) -> Option<(&Entry, &Entry)> {
    let mut seen = std::collections::HashMap::with_capacity(entries.len());
    entries.iter().find_map(|second| seen.insert(second.key.as_str(), second).map(|first| (first, second)))
}
