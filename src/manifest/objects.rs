//! Takes the Kubernetes objects out of a document: itself, or the items of a list.
//!
//! Source: kubectl's reading of lists (`decodeToList` of k8s.io/apimachinery v0.37.1): an item without kind and
//! version has those of its typed list (`PodList` holds Pods).
//!
//! Kept true: an item that is no object is an error of its own and hides no other.

use super::error::Fault;
use super::{DocumentText, Lines, Node, ParseError, Span, Value};

/// An object of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub node: Node,
    /// Where in its document the object stands: empty, or as `items[3]`. Paths within the object do not begin with it.
    pub prefix: String,
}

impl Object {
    /// The `kind`, when it is a string.
    pub fn kind(&self) -> Option<&str> {
        self.node.field("kind")?.text()
    }

    /// The `apiVersion`, when it is a string.
    pub fn api_version(&self) -> Option<&str> {
        self.node.field("apiVersion")?.text()
    }

    /// The name in the object's metadata.
    pub fn name(&self) -> Option<&str> {
        self.node.field("metadata")?.field("name")?.text()
    }

    /// The namespace in the object's metadata.
    pub fn namespace(&self) -> Option<&str> {
        self.node.field("metadata")?.field("namespace")?.text()
    }
}

/// The objects of a document whose tree is `root`, lists within lists included. A document that is `null` has none.
pub fn objects(document: &DocumentText, root: Node) -> Vec<Result<Object, ParseError>> {
    let mut found = Vec::new();
    if !root.is_null() {
        unfold(root, String::new(), &mut found);
    }
    let mut lines = None;
    let mut place = |fault: Fault| {
        let lines = lines.get_or_insert_with(|| Lines::of(document));
        ParseError::new(lines.position(u32::try_from(fault.offset).unwrap_or(u32::MAX)), fault)
    };
    found.into_iter().map(|object| object.map_err(&mut place)).collect()
}

fn unfold(mut node: Node, prefix: String, found: &mut Vec<Result<Object, Fault>>) {
    if !matches!(node.value, Value::Map(_)) {
        found.push(Err(no_object(&node, &prefix)));
        return;
    }
    let typed = list_type(&node);
    let Some(items) = items_of(&mut node, typed.is_some()) else {
        found.push(Ok(Object { node, prefix }));
        return;
    };
    let before = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
    if typed.is_none() {
        found.push(Ok(Object { node, prefix }));
    }
    for (index, mut item) in items.into_iter().enumerate() {
        if let Some(list) = &typed {
            list.name_item(&mut item);
        } else if item.field("kind").is_none() || item.field("apiVersion").is_none() {
            continue;
        }
        unfold(item, format!("{before}items[{index}]"), found);
    }
}

/// Takes the items out of a list; nothing when the object has no items. Kinds that do not end in `List` keep theirs.
fn items_of(node: &mut Node, is_list: bool) -> Option<Vec<Node>> {
    let bare = node.field("kind").and_then(Node::text) == Some("List");
    match node.field_mut("items") {
        Some(Node { value: Value::List(items), .. }) if is_list => Some(std::mem::take(items)),
        Some(Node { value: Value::List(items), .. }) => Some(items.clone()),
        Some(Node { value: Value::Null, .. }) if is_list => Some(Vec::new()),
        None if bare => Some(Vec::new()),
        _ => None,
    }
}

/// What a typed list says of its items.
struct ListType {
    kind: String,
    kind_span: Span,
    version: Option<Node>,
}

fn list_type(node: &Node) -> Option<ListType> {
    let kind = node.field("kind")?;
    let item_kind = kind.text()?.strip_suffix("List")?;
    Some(ListType { kind: item_kind.to_owned(), kind_span: kind.span, version: node.field("apiVersion").cloned() })
}

impl ListType {
    /// Gives an item that has neither kind nor version those of the list.
    fn name_item(&self, item: &mut Node) {
        let unnamed = |key| item.field(key).and_then(Node::text).is_none_or(str::is_empty);
        if self.kind.is_empty() || !unnamed("kind") || !unnamed("apiVersion") {
            return;
        }
        item.set("kind", Node { value: Value::String(self.kind.clone()), span: self.kind_span });
        if let Some(version) = &self.version {
            item.set("apiVersion", version.clone());
        }
    }
}

fn no_object(node: &Node, prefix: &str) -> Fault {
    let subject = if prefix.is_empty() { "the document" } else { prefix };
    let message = format!("{subject} is {}, not a Kubernetes object", node.describe());
    let fault = Fault::new(node.span.start as usize, message);
    match node.value {
        Value::List(_) => fault.hint("wrap the objects: {\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": […]}"),
        _ => fault.hint("an object is a map with `apiVersion`, `kind` and `metadata`"),
    }
}
