//! Edits a document's text at the places that the reader remembers, so that comments, order and spelling stay as they are.
//!
//! Kept true: what comes out reads as the document with the operations applied, or nothing comes out. Each operation is spliced into the
//! text that the one before has left, which is read anew: places never go stale.

use super::emit::{block_entry, block_item, flow, inline};
use super::{DocumentText, Entry, Node, Span, Value, parse};

/// One operation of a JSON Patch (RFC 6902).
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    pub kind: OperationKind,
    /// The reference tokens of the pointer, unescaped.
    pub path: Vec<String>,
    /// Null for a removal.
    pub value: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationKind {
    Add,
    Replace,
    Remove,
}

/// Why a text cannot be edited in place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpliceError {
    #[error("there is nothing at {0}")]
    Nowhere(String),
    #[error(
        "what stands at {0} comes from an anchor or a merge, and an edit would change other places too: write it out"
    )]
    Shared(String),
    #[error(
        "the text around {0} is laid out in a way that cannot be edited in place: put each entry on a line of its own"
    )]
    Layout(String),
}

/// The document's text with these operations applied, one after the other.
///
/// # Errors
/// A place that is not there, that stands for an anchor, or whose layout leaves no way to edit it.
pub fn splice(document: &DocumentText, operations: &[Operation]) -> Result<String, SpliceError> {
    let mut document = document.clone();
    for operation in operations {
        let place = || format!("/{}", operation.path.join("/"));
        let root = parse(&document).map_err(|_| SpliceError::Layout(place()))?;
        let operation = &grounded(&root, operation);
        let mut expected = root.clone();
        apply(&mut expected, operation).ok_or_else(|| SpliceError::Nowhere(place()))?;
        let edit = Splicer { text: &document.text, place: place() }.edit(&root, operation)?;
        document.text.replace_range(edit.span.range(), &edit.text);
        let is_right = parse(&document).is_ok_and(|read| read.to_json() == expected.to_json());
        if !is_right {
            return Err(SpliceError::Layout(place()));
        }
    }
    Ok(document.text)
}

/// The operation from where the document begins to lack something: parents that are missing or null come with what is put into them.
fn grounded(root: &Node, operation: &Operation) -> Operation {
    let mut node = root;
    for (depth, token) in operation.path.iter().enumerate() {
        let next = match &node.value {
            Value::Map(_) => node.field(token),
            Value::List(_) => token.parse::<usize>().ok().and_then(|index| node.items().get(index)),
            _ => None,
        };
        let rest = operation.path.get(depth + 1..).unwrap_or_default();
        let is_map = matches!(node.value, Value::Map(_));
        match next {
            Some(next) if !next.is_null() => node = next,
            found if is_map && !rest.is_empty() && operation.kind == OperationKind::Add => {
                let wrap = |value, token: &String| {
                    let entry = Entry { key: token.clone(), key_span: Span::default(), value };
                    Node { value: Value::Map(vec![entry]), span: Span::default() }
                };
                let value = rest.iter().rev().fold(operation.value.clone(), wrap);
                let kind = if found.is_some() { OperationKind::Replace } else { OperationKind::Add };
                let path = operation.path.get(..=depth).unwrap_or_default().to_vec();
                return Operation { kind, path, value };
            }
            _ => break,
        }
    }
    operation.clone()
}

/// Applies an operation to the tree; none if it has no such place.
fn apply(root: &mut Node, operation: &Operation) -> Option<()> {
    let (last, parents) = operation.path.split_last()?;
    let parent = parents.iter().try_fold(root, |node, token| child_mut(node, token))?;
    let value = || operation.value.clone();
    match (&mut parent.value, operation.kind) {
        (Value::List(items), OperationKind::Add) => {
            let index = if last == "-" { items.len() } else { last.parse().ok()? };
            (index <= items.len()).then(|| items.insert(index, value()))
        }
        (Value::List(items), OperationKind::Replace) => {
            items.get_mut(last.parse::<usize>().ok()?).map(|item| *item = value())
        }
        (Value::List(items), OperationKind::Remove) => {
            let index = last.parse::<usize>().ok()?;
            (index < items.len()).then(|| drop(items.remove(index)))
        }
        (Value::Map(entries), OperationKind::Remove) => {
            let index = entries.iter().position(|entry| entry.key == *last)?;
            entries.remove(index);
            Some(())
        }
        (Value::Map(_), _) => {
            parent.set(last, value());
            Some(())
        }
        _ => None,
    }
}

fn child_mut<'n>(node: &'n mut Node, token: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::List(items) => items.get_mut(token.parse::<usize>().ok()?),
        Value::Map(entries) => entries.iter_mut().find(|entry| entry.key == token).map(|entry| &mut entry.value),
        _ => None,
    }
}

/// A range of the text and what is to stand there.
struct Edit {
    span: Span,
    text: String,
}

struct Splicer<'t> {
    text: &'t str,
    place: String,
}

impl<'t> Splicer<'t> {
    fn edit(&self, root: &Node, operation: &Operation) -> Result<Edit, SpliceError> {
        let nowhere = || SpliceError::Nowhere(self.place.clone());
        let (last, parents) = operation.path.split_last().ok_or_else(nowhere)?;
        let (mut node, mut holder) = (root, None);
        for token in parents {
            let next = match &node.value {
                Value::List(items) => {
                    token.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item, None))
                }
                _ => node.entries().iter().find(|entry| entry.key == *token).map(|entry| (&entry.value, Some(entry))),
            };
            let (inner, entry) = next.ok_or_else(nowhere)?;
            self.own(node, inner.span)?;
            (node, holder) = (inner, entry);
        }
        match &node.value {
            Value::Map(entries) => self.in_map(node, entries, last, operation),
            Value::List(items) => self.in_list(node, items, holder, last, operation),
            _ => Err(nowhere()),
        }
    }

    /// What is edited must be written where it stands.
    fn own(&self, outer: &Node, inner: Span) -> Result<(), SpliceError> {
        let is_within = outer.span.start <= inner.start && inner.end <= outer.span.end;
        if is_within && !self.slice(inner).starts_with('*') {
            Ok(())
        } else {
            Err(SpliceError::Shared(self.place.clone()))
        }
    }

    fn in_map(&self, map: &Node, entries: &[Entry], key: &str, operation: &Operation) -> Result<Edit, SpliceError> {
        let known = entries.iter().position(|entry| entry.key == key);
        match (operation.kind, known.and_then(|index| Some((index, entries.get(index)?)))) {
            (OperationKind::Remove, Some((index, entry))) => self.remove_entry(map, entries, index, entry),
            (_, Some((_, entry))) => self.replace(map, entry, &operation.value),
            (_, None) => self.add_entry(map, entries, key, &operation.value),
        }
    }

    fn add_entry(&self, map: &Node, entries: &[Entry], key: &str, value: &Node) -> Result<Edit, SpliceError> {
        let Some(last) = entries.last() else {
            return Ok(Edit { span: map.span, text: flow_map(key, value) });
        };
        self.own(map, last.key_span)?;
        if self.is_flow(map) {
            let end = last.value.span.end.max(last.key_span.end);
            let inner = flow_map(key, value);
            let inner = inner.get(1..inner.len() - 1).unwrap_or_default();
            return Ok(Edit { span: Span { start: end, end }, text: format!(", {inner}") });
        }
        let first = entries.first().map_or(last.key_span, |first| first.key_span);
        let indent = self.column(first.start)?;
        self.lines_after(self.end_of(last), &block_entry(key, value, indent))
    }

    fn replace(&self, map: &Node, entry: &Entry, value: &Node) -> Result<Edit, SpliceError> {
        self.own(map, entry.key_span)?;
        let (old, is_flow) = (&entry.value, self.is_flow(map));
        if old.span.is_empty() {
            let colon =
                self.rest(entry.key_span.end).find(':').ok_or_else(|| SpliceError::Layout(self.place.clone()))?;
            let at = entry.key_span.end + u32::try_from(colon).unwrap_or_default() + 1;
            return Ok(Edit { span: Span { start: at, end: at }, text: format!(" {}", inline(value)) });
        }
        let is_line = !self.slice(old.span).contains('\n');
        let is_collection = matches!(old.value, Value::Map(_) | Value::List(_));
        if is_flow || (is_line && (!is_collection || self.is_flow(old))) {
            return Ok(Edit { span: old.span, text: if is_flow { flow(value) } else { inline(value) } });
        }
        // A block is replaced with its key, in the lines that it has.
        let span = Span { start: entry.key_span.start, end: self.end_of(entry) };
        let indent = self.column(entry.key_span.start)?;
        let text = block_entry(&entry.key, value, indent);
        Ok(Edit { span, text: self.fitted(span, &text) })
    }

    fn remove_entry(&self, map: &Node, entries: &[Entry], index: usize, entry: &Entry) -> Result<Edit, SpliceError> {
        self.own(map, entry.key_span)?;
        if entries.len() == 1 {
            return Ok(Edit { span: map.span, text: "{}".to_owned() });
        }
        let end = self.end_of(entry);
        let next = entries.get(index + 1).map(|next| next.key_span.start);
        if self.is_flow(map) {
            let before = index.checked_sub(1).and_then(|before| entries.get(before));
            let start = before.map_or(entry.key_span.start, |before| before.value.span.end.max(before.key_span.end));
            let end = if before.is_some() { end } else { next.unwrap_or(end) };
            return Ok(Edit { span: Span { start, end }, text: String::new() });
        }
        match next {
            // The first key after a dash shares its line.
            Some(next) if !self.begins_line(entry.key_span.start) => {
                Ok(Edit { span: Span { start: entry.key_span.start, end: next }, text: String::new() })
            }
            _ => Ok(Edit { span: self.whole_lines(entry.key_span.start, end), text: String::new() }),
        }
    }

    fn in_list(
        &self,
        list: &Node,
        items: &[Node],
        holder: Option<&Entry>,
        token: &str,
        operation: &Operation,
    ) -> Result<Edit, SpliceError> {
        let nowhere = || SpliceError::Nowhere(self.place.clone());
        let index = if token == "-" { items.len() } else { token.parse().map_err(|_| nowhere())? };
        let item = items.get(index);
        if let Some(item) = item.or(items.last()) {
            self.own(list, item.span)?;
        }
        match (operation.kind, item) {
            (OperationKind::Add, _) => self.add_item(list, items, index, &operation.value),
            (OperationKind::Replace, Some(item)) if self.is_flow(list) || !self.slice(item.span).contains('\n') => {
                let value = &operation.value;
                Ok(Edit { span: item.span, text: if self.is_flow(list) { flow(value) } else { inline(value) } })
            }
            (OperationKind::Replace, Some(item)) => {
                let indent = self.column(self.dash(item)?)?;
                let text = block_item(&operation.value, indent);
                let span = Span { start: self.dash(item)?, end: item.span.end };
                Ok(Edit { span, text: self.fitted(span, &text) })
            }
            (OperationKind::Remove, Some(item)) => self.remove_item(list, items, holder, index, item),
            (_, None) => Err(nowhere()),
        }
    }

    fn add_item(&self, list: &Node, items: &[Node], index: usize, value: &Node) -> Result<Edit, SpliceError> {
        let Some(last) = items.last() else {
            return Ok(Edit { span: list.span, text: format!("[{}]", flow(value)) });
        };
        let next = items.get(index);
        if self.is_flow(list) {
            let (at, text) = match next {
                Some(next) => (next.span.start, format!("{}, ", flow(value))),
                None => (last.span.end, format!(", {}", flow(value))),
            };
            return Ok(Edit { span: Span { start: at, end: at }, text });
        }
        let dash = self.dash(next.unwrap_or(last))?;
        let text = block_item(value, self.column(dash)?);
        match next {
            None => self.lines_after(last.span.end, &text),
            // The first dash may share its line with the dash of an outer list.
            Some(_) if !self.begins_line(dash) => Err(SpliceError::Layout(self.place.clone())),
            Some(_) => {
                let at = self.above_comments(dash);
                Ok(Edit { span: Span { start: at, end: at }, text })
            }
        }
    }

    fn remove_item(
        &self,
        list: &Node,
        items: &[Node],
        holder: Option<&Entry>,
        index: usize,
        item: &Node,
    ) -> Result<Edit, SpliceError> {
        if self.is_flow(list) {
            let before = index.checked_sub(1).and_then(|before| items.get(before)).map(|before| before.span.end);
            let start = before.unwrap_or(item.span.start);
            let next = items.get(index + 1).map(|next| next.span.start);
            let end = if before.is_some() { item.span.end } else { next.unwrap_or(item.span.end) };
            return Ok(Edit { span: Span { start, end }, text: String::new() });
        }
        if items.len() == 1 {
            let holder = holder.ok_or_else(|| SpliceError::Layout(self.place.clone()))?;
            let colon = self.rest(holder.key_span.end).find(':').unwrap_or_default();
            let start = holder.key_span.end + u32::try_from(colon).unwrap_or_default() + 1;
            return Ok(Edit { span: Span { start, end: item.span.end }, text: " []".to_owned() });
        }
        let dash = self.dash(item)?;
        if !self.begins_line(dash) {
            return Err(SpliceError::Layout(self.place.clone()));
        }
        Ok(Edit { span: self.whole_lines(dash, item.span.end), text: String::new() })
    }

    fn slice(&self, span: Span) -> &'t str {
        self.text.get(span.range()).unwrap_or_default()
    }

    fn rest(&self, from: u32) -> &'t str {
        self.text.get(from as usize..).unwrap_or_default()
    }

    fn before(&self, to: u32) -> &'t str {
        self.text.get(..to as usize).unwrap_or_default()
    }

    fn is_flow(&self, collection: &Node) -> bool {
        self.slice(collection.span).starts_with(['{', '['])
    }

    /// Where an entry ends: with its value, or where that is not written, with the colon.
    fn end_of(&self, entry: &Entry) -> u32 {
        entry.value.span.end.max(entry.key_span.end)
    }

    /// The text of the line before this place.
    fn line_before(&self, at: u32) -> &'t str {
        let before = self.before(at);
        before.get(before.rfind('\n').map_or(0, |end| end + 1)..).unwrap_or_default()
    }

    fn begins_line(&self, at: u32) -> bool {
        self.line_before(at).bytes().all(|byte| byte == b' ')
    }

    /// How many columns stand before this place; a tab leaves no answer.
    fn column(&self, at: u32) -> Result<usize, SpliceError> {
        let line = self.line_before(at);
        let is_plain = line.bytes().all(|byte| byte == b' ' || byte == b'-');
        if is_plain { Ok(line.len()) } else { Err(SpliceError::Layout(self.place.clone())) }
    }

    /// The dash of a list's item.
    fn dash(&self, item: &Node) -> Result<u32, SpliceError> {
        let before = self.before(item.span.start).trim_end_matches([' ', '\n', '\r']);
        match before.strip_suffix('-') {
            Some(before) => Ok(Span::empty(before.len()).start),
            None => Err(SpliceError::Layout(self.place.clone())),
        }
    }

    /// Puts whole lines after the line on which something ends.
    fn lines_after(&self, end: u32, lines: &str) -> Result<Edit, SpliceError> {
        let is_at_line_start = self.before(end).ends_with('\n');
        let to_line_end =
            if is_at_line_start { 0 } else { self.rest(end).find('\n').map_or(self.rest(end).len(), |at| at + 1) };
        let at = Span::empty(end as usize + to_line_end).start;
        let has_line_end = self.before(at).ends_with('\n');
        let text = if has_line_end { lines.to_owned() } else { format!("\n{}", lines.trim_end_matches('\n')) };
        Ok(Edit { span: Span { start: at, end: at }, text })
    }

    /// Whole lines, to stand in the place of something that need not begin or end a line.
    fn fitted(&self, span: Span, lines: &str) -> String {
        let line_end = if self.slice(span).ends_with('\n') { "\n" } else { "" };
        format!("{}{line_end}", lines.trim_start().trim_end_matches('\n'))
    }

    /// From the beginning of the line of `start` to the end of the line of `end`.
    fn whole_lines(&self, start: u32, end: u32) -> Span {
        let begin = start as usize - self.line_before(start).len();
        let is_at_line_start = self.before(end).ends_with('\n');
        let rest = self.rest(end);
        let length = if is_at_line_start { 0 } else { rest.find('\n').map_or(rest.len(), |at| at + 1) };
        Span::new(begin, end as usize + length)
    }

    /// The beginning of the comments that stand right above this line, with the same indentation: they belong to what follows.
    fn above_comments(&self, dash: u32) -> u32 {
        let indent = self.line_before(dash);
        let mut at = dash as usize - indent.len();
        while let Some(above) = self.text.get(..at).and_then(|before| before.strip_suffix('\n')) {
            let start = above.rfind('\n').map_or(0, |end| end + 1);
            let is_comment =
                above.get(start..).and_then(|line| line.strip_prefix(indent)).is_some_and(|line| line.starts_with('#'));
            if !is_comment {
                break;
            }
            at = start;
        }
        Span::empty(at).start
    }
}

fn flow_map(key: &str, value: &Node) -> String {
    let entry = Entry { key: key.to_owned(), key_span: Span::default(), value: value.clone() };
    flow(&Node { value: Value::Map(vec![entry]), span: Span::default() })
}
