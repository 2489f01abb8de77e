//! What was done to a tree, as RFC 6902 operations: the fewest that do it, in an order that depends on nothing but the tree.
//!
//! Nothing that was not edited is named in them, and no list is ever replaced: the API server may hold fields that we do not know.
//! Indexes count what is there when an operation's turn comes; parents that were missing come with what is put into them.

use std::fmt::Write;

use super::tree::{Member, Node, Origin, Parts};
use super::written::quote;

/// A JSON Patch; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    json: String,
    operations: usize,
}

impl Patch {
    /// The patch that makes of the tree's original what the tree is now; none if that is the same.
    pub fn of(tree: &Node<'_>) -> Option<Self> {
        let mut writer = Writer { json: begun(), operations: 0, path: String::with_capacity(64) };
        writer.node(tree);
        let Writer { mut json, operations, .. } = writer;
        json.push(']');
        (operations > 0).then_some(Self { json, operations })
    }

    /// A JSON array of operations.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// How many operations there are.
    pub fn operations(&self) -> usize {
        self.operations
    }
}

fn begun() -> String {
    let mut json = String::with_capacity(1024);
    json.push('[');
    json
}

struct Writer {
    json: String,
    operations: usize,
    path: String,
}

impl Writer {
    fn node(&mut self, node: &Node<'_>) {
        if !node.is_edited() {
            return;
        }
        match node.parts() {
            // What is removed for good goes last, so that an object whose members are exchanged is never empty in between: its text can
            // then be edited in the layout that it has.
            Parts::Object(members) => {
                let is_removed = |member: &&Member<'_>| member.node.origin == Origin::Removed;
                let is_there = |key: &str| members.iter().any(|member| member.key == key && !is_removed(&member));
                let is_gone = |member: &&Member<'_>| is_removed(member) && !is_there(&member.key);
                members.iter().filter(|member| !is_gone(member)).for_each(|member| self.member(member));
                members.iter().filter(is_gone).for_each(|member| self.member(member));
            }
            Parts::Array(elements) => self.elements(elements),
            Parts::Scalar | Parts::Vacant => {}
        }
    }

    fn member(&mut self, member: &Member<'_>) {
        if is_as_it_came(&member.node) || member.node.is_vacant() {
            return;
        }
        let end = self.path.len();
        self.path.push('/');
        escape(&member.key, &mut self.path);
        match member.node.origin {
            Origin::Kept => self.node(&member.node),
            Origin::Added => self.operation("add", Some(&member.node)),
            Origin::Replaced => self.operation("replace", Some(&member.node)),
            Origin::Removed => self.operation("remove", None),
        }
        self.path.truncate(end);
    }

    fn elements(&mut self, elements: &[Node<'_>]) {
        let kept = |element: &Node<'_>| element.origin != Origin::Added;
        let last_kept = elements.iter().rposition(kept);
        let mut index = 0;
        for (place, element) in elements.iter().enumerate() {
            if is_as_it_came(element) {
                index += 1;
                continue;
            }
            let end = self.path.len();
            let is_at_the_end = last_kept.is_none_or(|last| place > last);
            match element.origin {
                Origin::Added if is_at_the_end => self.path.push_str("/-"),
                // Writing to a String cannot fail.
                _ => drop(write!(self.path, "/{index}")),
            }
            match element.origin {
                Origin::Kept => self.node(element),
                Origin::Added => self.operation("add", Some(element)),
                Origin::Replaced => self.operation("replace", Some(element)),
                Origin::Removed => self.operation("remove", None),
            }
            self.path.truncate(end);
            index += usize::from(element.origin != Origin::Removed);
        }
    }

    fn operation(&mut self, name: &str, value: Option<&Node<'_>>) {
        if self.operations > 0 {
            self.json.push(',');
        }
        self.operations += 1;
        self.json.push_str(r#"{"op":""#);
        self.json.push_str(name);
        self.json.push_str(r#"","path":"#);
        quote(&self.path, &mut self.json);
        if let Some(value) = value {
            self.json.push_str(r#","value":"#);
            value.write(&mut self.json);
        }
        self.json.push('}');
    }
}

fn is_as_it_came(node: &Node<'_>) -> bool {
    node.origin == Origin::Kept && !node.is_edited()
}

/// A key as a reference token of a JSON Pointer (RFC 6901).
fn escape(key: &str, path: &mut String) {
    let mut rest = key;
    while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'~' | b'/')) {
        let (plain, special) = rest.split_at(at);
        path.push_str(plain);
        path.push_str(if special.starts_with('~') { "~0" } else { "~1" });
        rest = special.get(1..).unwrap_or_default();
    }
    path.push_str(rest);
}
