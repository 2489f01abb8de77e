//! Objects within documents.

use super::super::{DocumentText, Object, objects, parse};

/// The objects of a text: prefix, version, kind and name of each, or its error.
fn listed(text: &str) -> Vec<String> {
    let document = DocumentText::new(text);
    let show = |object: Object| {
        let words =
            [Some(object.prefix.as_str()), object.api_version(), object.kind(), object.namespace(), object.name()];
        words.map(|word| word.unwrap_or("-")).join(" ")
    };
    let found = objects(&document, parse(&document).unwrap());
    found.into_iter().map(|object| object.map_or_else(|error| error.to_string(), show)).collect()
}

#[test]
fn takes_objects_out_of_lists() {
    let cases: [(&str, &[&str]); 11] = [
        ("{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}}", &[" v1 Pod b a"]),
        ("{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod}]}", &["items[0] v1 Pod - -"]),
        ("{apiVersion: v1, kind: PodList, items: [{metadata: {name: a}}]}", &["items[0] v1 Pod - a"]),
        (
            "{kind: List, items: [{kind: List, items: [{kind: Pod}, {kind: Job}]}, {kind: Pod}]}",
            &["items[0].items[0] - Pod - -", "items[0].items[1] - Job - -", "items[1] - Pod - -"],
        ),
        (
            "{kind: List, items: [1, {kind: Pod}, ~]}",
            &[
                "line 1, column 22: items[0] is a number, not a Kubernetes object",
                "items[1] - Pod - -",
                "line 1, column 38: items[2] is null, not a Kubernetes object",
            ],
        ),
        ("{kind: List}", &[]),
        ("{kind: PodList, items: ~}", &[]),
        ("{kind: AllowList, spec: {}}", &[" - AllowList - -"]),
        ("{kind: Menu, items: [{name: a}, {apiVersion: v1, kind: Pod}]}", &[" - Menu - -", "items[1] v1 Pod - -"]),
        ("[{kind: Pod}]", &["line 1, column 1: the document is a list, not a Kubernetes object"]),
        ("~", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(listed(text), expected, "{text}");
    }
}
