//! Finds a field by its path in Kubernetes' own syntax.
//!
//! Kept true: an answer always has a place. When the field is not there, it is the place of the longest part of the
//! path that is.

use super::{Node, Span, Value};

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found<'a> {
    /// The last node on the way that exists.
    pub node: &'a Node,
    /// What to point at: the value where it is a scalar that is written, else its key; for a map within a list its
    /// first key, so that no place runs over many lines.
    pub span: Span,
    /// True when the whole path exists.
    pub exact: bool,
}

impl Node {
    /// Follows a path such as `spec.containers[0].securityContext.privileged` or
    /// `metadata.annotations[some.key/with.dots]`. The empty path is the node itself.
    pub fn find(&self, path: &str) -> Found<'_> {
        let mut node = self;
        let mut key = None;
        let mut rest = path;
        while !rest.is_empty() {
            let Some(step) = next_step(node, rest) else {
                return Found { node, span: anchor(node, key), exact: false };
            };
            (node, key, rest) = step;
        }
        Found { node, span: target(node, key), exact: true }
    }
}

/// A node that a step leads to, the span of its key where it has one, and the rest of the path.
type Step<'a, 'p> = (&'a Node, Option<Span>, &'p str);

fn next_step<'a, 'p>(node: &'a Node, path: &'p str) -> Option<Step<'a, 'p>> {
    if let Some(inner) = path.strip_prefix('[') {
        // A key may hold brackets too: of the places where the bracket may close, the first that leads somewhere counts.
        return inner.match_indices(']').find_map(|(at, _)| {
            let (name, after) = (inner.get(..at)?, inner.get(at + 1..)?);
            let (next, key) = bracket(node, name).filter(|_| after.is_empty() || after.starts_with(['.', '[']))?;
            Some((next, key, after))
        });
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let (name, after) = path.split_at_checked(path.find(['.', '[']).unwrap_or(path.len()))?;
    let (next, key) = entry(node, name)?;
    Some((next, key, after))
}

/// What `[name]` leads to: an item of a list or an entry of a map.
fn bracket<'a>(node: &'a Node, name: &str) -> Option<(&'a Node, Option<Span>)> {
    match &node.value {
        Value::List(items) => items.get(name.parse::<usize>().ok()?).map(|item| (item, None)),
        _ => entry(node, name),
    }
}

fn entry<'a>(node: &'a Node, name: &str) -> Option<(&'a Node, Option<Span>)> {
    let entry = node.entries().iter().find(|entry| entry.key == name)?;
    Some((&entry.value, Some(entry.key_span)))
}

/// What to point at when the path ends here.
fn target(node: &Node, key: Option<Span>) -> Span {
    let scalar = !matches!(node.value, Value::List(_) | Value::Map(_));
    if scalar && !node.span.is_empty() { node.span } else { anchor(node, key) }
}

/// What to point at when something is missing within this node.
fn anchor(node: &Node, key: Option<Span>) -> Span {
    let first = || node.entries().first().map(|entry| entry.key_span);
    key.filter(|span| !span.is_empty()).or_else(first).unwrap_or(node.span)
}
