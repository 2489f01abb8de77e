//! Properties that hold for any value and any bytes.

use proptest::prelude::*;

use super::super::{DocumentText, Documents, Node, Value, apply_api_defaults, objects, parse};
use super::compact;

/// Text with what YAML and JSON find special.
fn texts() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(vec![
        "", "~", "yes", "0x1", "1.5", "- ", ": ", "#", " #", "é", "😀", "\n", "\t", "\"", "'", "\\", "{", "]", "&a",
        "*a", "a", "<<", "---", "\u{7f}", "\u{1}", "b: c",
    ]);
    proptest::collection::vec(special, 0..5).prop_map(|parts| parts.concat())
}

fn values() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<u64>().prop_map(serde_json::Value::from),
        (-1e15..1e15f64).prop_map(serde_json::Value::from),
        texts().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            proptest::collection::vec((texts(), inner), 0..6).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

/// Renders a value in YAML's block style, its scalars as JSON writes them.
fn yaml(value: &serde_json::Value, indent: usize, out: &mut String) {
    let margin = " ".repeat(indent);
    match value {
        serde_json::Value::Array(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&format!("\n{margin}-"));
                yaml(item, indent + 2, out);
            }
        }
        serde_json::Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                out.push_str(&format!("\n{margin}{}:", serde_json::Value::from(key.as_str())));
                yaml(value, indent + 2, out);
            }
        }
        scalar => out.push_str(&format!(" {scalar}")),
    }
}

/// Every written scalar of a tree with its text.
fn scalars<'a>(node: &'a Node, out: &mut Vec<&'a Node>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| scalars(item, out)),
        Value::Map(entries) => entries.iter().for_each(|entry| scalars(&entry.value, out)),
        _ => out.push(node),
    }
}

/// Numbers may be written in another way: compares them by their value.
fn same(ours: &Node, theirs: &serde_json::Value) -> bool {
    match (&ours.value, theirs) {
        (Value::Number(text), serde_json::Value::Number(number)) if number.is_f64() => {
            text.parse() == Ok(number.as_f64().unwrap())
        }
        (Value::List(ours), serde_json::Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Map(entries), serde_json::Value::Object(theirs)) => {
            let equal = |key: &str, ours: &Node| theirs.get(key).is_some_and(|theirs| same(ours, theirs));
            entries.len() == theirs.len() && entries.iter().all(|entry| equal(&entry.key, &entry.value))
        }
        _ => serde_json::from_str(&compact(ours)).is_ok_and(|ours: serde_json::Value| ours == *theirs),
    }
}

proptest! {
    #[test]
    fn reads_any_value_from_json_and_from_yaml(value in values(), pretty in any::<bool>()) {
        let json = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        let mut block = String::from("---");
        yaml(&value, 0, &mut block);
        for text in [json, block] {
            let documents: Vec<_> = Documents::new(text.as_bytes()).collect();
            prop_assert_eq!(documents.len(), 1, "{:?}", text);
            let node = parse(documents[0].as_ref().unwrap());
            prop_assert!(node.is_ok(), "{:?}: {:?}", text, node);
            let node = node.unwrap();
            prop_assert!(same(&node, &value), "{:?} was read as {}", text, compact(&node));
            let mut written = Vec::new();
            scalars(&node, &mut written);
            for scalar in written {
                let there = parse(&DocumentText::new(&text[scalar.span.range()])).map(|node| node.value);
                prop_assert_eq!(there, Ok(scalar.value.clone()), "{:?} at {:?}", text, scalar.span);
            }
        }
    }

    #[test]
    fn what_it_writes_it_reads_again(text in "[-a-c0-9:{}\\[\\],\"' \\n&*#|>!~.?%é\u{2028}<\\t]{0,60}") {
        if let Ok(node) = parse(&DocumentText::new(text.as_str())) {
            let json = compact(&node);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{:?} became {}", text, json);
            let again = parse(&DocumentText::new(json.as_str()));
            prop_assert_eq!(again.map(|node| compact(&node)), Ok(json));
        }
    }

    #[test]
    fn never_panics_on_any_bytes(
        pieces in proptest::collection::vec(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..8),
            "(---|\\.\\.\\.|%YAML|kind: (Pod|List)\n|spec:|items:|volumes:|- |: |\n| |\\{|\\}|\\[|\\]|\"|'|&a|\\*a|<<: |\\t|\u{FEFF}|é|#|,|\\||>|\\?|!!int)"
                .prop_map(String::into_bytes),
        ], 0..40),
    ) {
        for document in Documents::new(pieces.concat().as_slice()).flatten() {
            if let Ok(node) = parse(&document) {
                for object in objects(&document, node).into_iter().flatten() {
                    let mut object = object.node;
                    apply_api_defaults(&mut object);
                    let found = object.find("spec.volumes[0].name");
                    prop_assert!(document.text.get(found.span.range()).is_some());
                }
            }
        }
    }
}
