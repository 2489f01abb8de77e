//! The tree against the json-patch crate: whatever is done to a tree, the patch read off it does the same to the original.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::engine::mutation::{Node, Patch, quoted};

/// The original with the patch applied, as an independent reader of RFC 6902 has it.
fn patched(original: &str, patch: Option<&Patch>) -> Value {
    let mut document: Value = serde_json::from_str(original).expect("JSON");
    if let Some(patch) = patch {
        let operations: json_patch::Patch = serde_json::from_str(patch.json()).expect("operations");
        json_patch::patch(&mut document, &operations).expect("a patch that applies");
    }
    document
}

fn agree(original: &str, tree: &Node<'_>) -> Option<Patch> {
    let patch = Patch::of(tree);
    let text = tree.to_json();
    let edited: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(patched(original, patch.as_ref()), edited, "{patch:?}");
    patch
}

fn operations(patch: Option<&Patch>) -> Value {
    patch.map_or(json!([]), |patch| serde_json::from_str(patch.json()).expect("operations"))
}

#[test]
fn a_tree_that_nobody_edits_is_its_text_and_has_no_patch() {
    let original = r#"{ "spec" : {"a":[1,{"b":null}] , "c" : 1.50}}"#;
    let tree = Node::new(original);
    assert_eq!(tree.at(&["spec", "c"]).and_then(Node::scalar).as_deref(), Some("1.50"));
    assert_eq!(tree.to_json(), original);
    assert_eq!(agree(original, &tree), None);
}

#[test]
fn missing_parents_come_in_one_operation_and_present_ones_stay() {
    let original = r#"{"metadata":{"annotations":{},"labels":null},"spec":{}}"#;
    let mut tree = Node::new(original);
    tree.within(&["metadata", "annotations"]).expect("an object").set("a/b~c", quoted("x\n\"y"));
    tree.within(&["metadata", "labels"]).expect("vacant").set("l", "\"1\"");
    let context = tree.within(&["spec", "securityContext", "seccompProfile"]).expect("vacant");
    context.set("type", "\"RuntimeDefault\"");
    assert!(tree.within(&["spec", "volumes"]).expect("vacant").push("{}"));
    assert!(tree.within(&["spec", "never", "used"]).is_some(), "looking alone puts nothing there");
    assert_eq!(
        operations(agree(original, &tree).as_ref()),
        json!([
            {"op": "add", "path": "/metadata/annotations/a~1b~0c", "value": "x\n\"y"},
            {"op": "replace", "path": "/metadata/labels", "value": {"l": "1"}},
            {"op": "add", "path": "/spec/securityContext", "value": {"seccompProfile": {"type": "RuntimeDefault"}}},
            {"op": "add", "path": "/spec/volumes", "value": [{}]},
        ])
    );
}

#[test]
fn insertions_are_single_operations_and_name_no_neighbour() {
    let original = r#"{"c":[{"name":"a","future":{"x":[1]}},{"name":"b"}]}"#;
    let mut tree = Node::new(original);
    let list = tree.member("c").expect("a list");
    list.insert(0, r#"{"name":"first"}"#);
    list.item(1).expect("a").member("env").expect("vacant").push(r#"{"name":"E"}"#);
    list.push(r#"{"name":"last"}"#);
    assert_eq!(
        operations(agree(original, &tree).as_ref()),
        json!([
            {"op": "add", "path": "/c/0", "value": {"name": "first"}},
            {"op": "add", "path": "/c/1/env", "value": [{"name": "E"}]},
            {"op": "add", "path": "/c/-", "value": {"name": "last"}},
        ])
    );
}

#[test]
fn what_was_added_and_taken_back_leaves_no_trace() {
    let original = r#"{"a":[1,2],"b":{"x":1}}"#;
    let mut tree = Node::new(original);
    tree.member("a").expect("a list").push("3");
    assert_eq!(tree.member("a").expect("a list").take_item(2).and_then(|node| node.integer()), Some(3));
    tree.member("b").expect("an object").set("y", "2");
    assert!(tree.member("b").expect("an object").remove("y"));
    assert_eq!(agree(original, &tree), None);
}

#[test]
fn what_gets_back_what_it_was_leaves_no_trace() {
    let original = r#"{"a":1,"b":{"x":"y"},"c":[1]}"#;
    let mut tree = Node::new(original);
    tree.set("a", "2");
    tree.set("a", "1");
    let inner = tree.member("b").expect("an object");
    assert!(inner.remove("x"));
    inner.set("x", r#""y""#);
    tree.member("c").expect("a list").push("2");
    tree.set("c", "[1]");
    assert_eq!(agree(original, &tree), None);
    tree.set("a", "3");
    assert_eq!(agree(original, &tree).map(|patch| patch.operations()), Some(1));
}

#[test]
fn a_moved_element_keeps_what_it_holds() {
    let original = r#"{"a":[{"n":1},{"n":2,"future":"x"},{"n":3}]}"#;
    let mut tree = Node::new(original);
    let list = tree.member("a").expect("a list");
    let moved = list.take_item(1).expect("an element");
    list.insert_node(0, moved);
    assert_eq!(
        operations(agree(original, &tree).as_ref()),
        json!([
            {"op": "add", "path": "/a/0", "value": {"n": 2, "future": "x"}},
            {"op": "remove", "path": "/a/2"},
        ])
    );
}

#[derive(Debug, Clone)]
enum Edit {
    Set(Vec<usize>, String, Value),
    Remove(Vec<usize>, usize),
    Insert(Vec<usize>, usize, Value),
    Take(Vec<usize>, usize),
    Move(Vec<usize>, usize, usize),
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c/~\"\n]{0,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c/~]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let path = || prop::collection::vec(0..4_usize, 0..4);
    prop_oneof![
        (path(), "[a-c/~]{0,2}", value()).prop_map(|(path, key, value)| Edit::Set(path, key, value)),
        (path(), 0..4_usize).prop_map(|(path, index)| Edit::Remove(path, index)),
        (path(), 0..5_usize, value()).prop_map(|(path, index, value)| Edit::Insert(path, index, value)),
        (path(), 0..4_usize).prop_map(|(path, index)| Edit::Take(path, index)),
        (path(), 0..4_usize, 0..4_usize).prop_map(|(path, from, to)| Edit::Move(path, from, to)),
    ]
}

/// Goes down by the numbers of members and elements, as far as there are any.
fn down<'n, 'a>(node: &'n mut Node<'a>, path: &[usize]) -> &'n mut Node<'a> {
    let Some((first, rest)) = path.split_first() else { return node };
    let key = node.members().map(|(key, _)| key.to_owned()).nth(*first);
    let has_item = node.items().nth(*first).is_some();
    match key {
        Some(key) => down(node.member(&key).expect("a member"), rest),
        None if has_item => down(node.item(*first).expect("an element"), rest),
        None => node,
    }
}

fn apply(tree: &mut Node<'_>, edit: &Edit) {
    match edit {
        Edit::Set(path, key, value) => drop(down(tree, path).set(key.clone(), value.to_string())),
        Edit::Insert(path, index, value) => drop(down(tree, path).insert(*index, value.to_string())),
        Edit::Take(path, index) => drop(down(tree, path).take_item(*index)),
        Edit::Remove(path, index) => {
            let node = down(tree, path);
            let key = node.members().map(|(key, _)| key.to_owned()).nth(*index);
            key.map(|key| node.remove(&key));
        }
        Edit::Move(path, from, to) => {
            let node = down(tree, path);
            node.take_item(*from).map(|taken| node.insert_node(*to, taken));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_patch_does_to_the_original_what_was_done_to_the_tree(
        original in value(),
        edits in prop::collection::vec(edit(), 0..12),
    ) {
        let text = original.to_string();
        let mut tree = Node::new(&*text);
        for edit in &edits {
            apply(&mut tree, edit);
            agree(&text, &tree);
        }
    }
}
