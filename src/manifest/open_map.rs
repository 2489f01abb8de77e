//! A YAML map that is being read: repeated keys and merge keys.
//!
//! Kept true: a key that is written twice is an error; a merged key is overridden by what comes after it and overrides
//! what stands before it, as in go-yaml v2 when it reads for kubectl. The work grows with the text, not its square.

use std::collections::HashMap;

use super::error::Fault;
use super::parse::check_repeated_keys;
use super::{Entry, Node, Span, Value};

#[derive(Default)]
pub(super) struct OpenMap {
    entries: Vec<Entry>,
    /// The place of each key among the entries; kept from the first merge on.
    known: Option<HashMap<String, Known>>,
    /// The key that waits for its value.
    key: Option<Key>,
}

#[derive(Clone, Copy)]
struct Known {
    index: usize,
    /// Where the key is written in this map itself, when it is.
    written: Option<Span>,
}

/// A key of the text.
pub(super) enum Key {
    Name { text: String, span: Span },
    Merge,
}

impl OpenMap {
    pub(super) fn waits_for_key(&self) -> bool {
        self.key.is_none()
    }

    pub(super) fn key(&mut self, key: Key) {
        self.key = Some(key);
    }

    /// Takes a value; a value that comes where a key is due is the key. `aliased` when it is written as an alias.
    pub(super) fn value(&mut self, node: Node, aliased: bool) -> Result<(), Fault> {
        match self.key.take() {
            None => self.key = Some(key_of(node)?),
            Some(Key::Name { text, span }) => self.insert(Entry { key: text, key_span: span, value: node })?,
            Some(Key::Merge) => self.merge(node, aliased)?,
        }
        Ok(())
    }

    /// The map's end.
    pub(super) fn finish(self) -> Result<Value, Fault> {
        if self.known.is_none() {
            check_repeated_keys(&self.entries)?;
        }
        Ok(Value::Map(self.entries))
    }

    /// The offset at which the last entry ends.
    pub(super) fn end(&self) -> Option<u32> {
        self.entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end))
    }

    fn insert(&mut self, entry: Entry) -> Result<(), Fault> {
        let Some(known) = &mut self.known else {
            self.entries.push(entry);
            return Ok(());
        };
        let written = Some(entry.key_span);
        match known.get_mut(&entry.key) {
            Some(Known { written: Some(first), .. }) => return Err(repeated_key(&entry.key, *first, entry.key_span)),
            Some(merged) => {
                merged.written = written;
                replace(&mut self.entries, merged.index, entry);
            }
            None => {
                known.insert(entry.key.clone(), Known { index: self.entries.len(), written });
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    fn merge(&mut self, node: Node, aliased: bool) -> Result<(), Fault> {
        let at = node.span.start as usize;
        match node.value {
            Value::Map(entries) => self.merge_entries(entries),
            Value::List(items) if !aliased => {
                for item in items.into_iter().rev() {
                    self.merge_item(item)?;
                }
                Ok(())
            }
            _ => Err(wants_maps(at)),
        }
    }

    fn merge_item(&mut self, item: Node) -> Result<(), Fault> {
        match item.value {
            Value::Map(entries) => self.merge_entries(entries),
            _ => Err(wants_maps(item.span.start as usize)),
        }
    }

    fn merge_entries(&mut self, merged: Vec<Entry>) -> Result<(), Fault> {
        if self.known.is_none() {
            check_repeated_keys(&self.entries)?;
        }
        let known = self.known.get_or_insert_with(|| index(&self.entries));
        for entry in merged {
            match known.get(&entry.key) {
                Some(place) => replace(&mut self.entries, place.index, entry),
                None => {
                    known.insert(entry.key.clone(), Known { index: self.entries.len(), written: None });
                    self.entries.push(entry);
                }
            }
        }
        Ok(())
    }
}

fn index(entries: &[Entry]) -> HashMap<String, Known> {
    let place = |(index, entry): (usize, &Entry)| (entry.key.clone(), Known { index, written: Some(entry.key_span) });
    entries.iter().enumerate().map(place).collect()
}

fn replace(entries: &mut [Entry], index: usize, entry: Entry) {
    if let Some(old) = entries.get_mut(index) {
        *old = entry;
    }
}

/// An alias as a key: what it stands for, as text.
fn key_of(node: Node) -> Result<Key, Fault> {
    let Node { value, span } = node;
    let text = match value {
        Value::String(text) | Value::Number(text) => text,
        Value::Bool(truth) => truth.to_string(),
        Value::Null => return Err(null_key(span)),
        Value::List(_) | Value::Map(_) => return Err(collection_key(span)),
    };
    Ok(Key::Name { text, span })
}

pub(super) fn null_key(span: Span) -> Fault {
    Fault::new(span.start as usize, "a key is missing or null")
        .hint("write the key before the `:`; quote it when it is meant to be `null`")
}

pub(super) fn collection_key(span: Span) -> Fault {
    Fault::new(span.start as usize, "a list or map cannot be a key").hint("quote it when it is meant to be text")
}

fn wants_maps(offset: usize) -> Fault {
    Fault::new(offset, "a merge key `<<` takes a map, an alias of a map, or a list of these")
}

/// The fault of a key that is there a second time.
pub(super) fn repeated_key(key: &str, first: Span, second: Span) -> Fault {
    Fault::new(second.start as usize, format!("the key `{key}` is there twice"))
        .also("first at", first.start)
        .hint("keep one of the two")
}
