//! C3 and D5 between documents: what one document's container demands of another's holds in the first pass, whichever comes first.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::injection;
use crate::engine::mutation::{Active, Documents, Note, Reason, Rules, Weight, World, mutate};
use crate::engine::pod_security::LevelVersion;

fn native(document: &str, container: &str, order: Value) -> Arc<Active> {
    let placement = json!({"kind": "Native", "order": order});
    let sidecar = json!({"container": {"name": container, "image": "i:1"}, "placement": placement});
    injection(document, &json!({"containers": [sidecar]}), json!({}))
}

fn pod(inits: &[&str]) -> Value {
    let inits: Vec<Value> = inits.iter().map(|name| json!({"name": name, "image": "i:1"})).collect();
    json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "app:1"}], "initContainers": inits}})
}

struct Pass {
    pod: Value,
    is_changed: bool,
    notes: Vec<Note>,
}

fn pass(documents: &Documents, pod: &Value) -> Pass {
    let world = World { namespace: "shop", has_native_sidecars: true, ..World::default() };
    let candidates = documents.candidates(|_| None);
    let text = pod.to_string();
    let rules = Rules { documents, candidates: &candidates, world: &world, enforced: LevelVersion::PRIVILEGED };
    let mutated = mutate(crate::engine::Unread::of(&text), rules);
    let result = serde_json::from_str(&mutated.pod.to_json()).expect("JSON");
    Pass { pod: result, is_changed: mutated.patch.is_some(), notes: mutated.notes }
}

/// The init containers after one pass, which has to be enough.
fn placed(documents: Vec<Arc<Active>>, inits: &[&str]) -> (String, Vec<(String, Reason, Weight)>) {
    let documents = Documents::new(documents);
    let first = pass(&documents, &pod(inits));
    assert!(!pass(&documents, &first.pod).is_changed, "a second pass moves somebody: {:#}", first.pod);
    let list = first.pod["spec"]["initContainers"].as_array().expect("a list");
    let names: Vec<_> = list.iter().map(|container| container["name"].as_str().expect("a name")).collect();
    let said = first.notes.into_iter().filter(|note| note.weight > Weight::Detail);
    (names.join(" "), said.map(|note| (note.document, note.reason, note.weight)).collect())
}

#[test]
fn d5_a_container_of_a_later_document_is_found_in_its_place_at_once() {
    let cases = [
        (json!({"after": ["b"]}), json!({}), "one two b a"),
        (json!({"after": ["b"], "before": ["*"]}), json!({"before": ["*"]}), "b a one two"),
        (json!({"after": ["b"]}), json!({"after": ["one"]}), "one b a two"),
        (json!({"before": ["b"]}), json!({"before": ["two"]}), "one a b two"),
        (json!({}), json!({"before": ["a"], "after": ["one"]}), "one b a two"),
    ];
    for (one, other, expected) in cases {
        let documents =
            |first: &str, second: &str| vec![native(first, "a", one.clone()), native(second, "b", other.clone())];
        assert_eq!(placed(documents("x", "y"), &["one", "two"]), (expected.to_owned(), Vec::new()), "{one} {other}");
        let (_, said) = placed(documents("y", "x"), &["one", "two"]);
        assert_eq!(said, []);
    }
}

#[test]
fn d5_a_chain_over_three_documents_holds() {
    let documents = vec![
        native("x", "a", json!({"after": ["b"]})),
        native("y", "b", json!({"after": ["c"]})),
        native("z", "c", json!({"after": ["one"]})),
    ];
    assert_eq!(placed(documents, &["one", "two"]), ("one c b a two".to_owned(), Vec::new()));
}

#[test]
fn d5_the_first_and_the_last_of_all_stay_so_whatever_comes_after_them() {
    let named = |order: Value| vec![native("x", "a", json!({"last": true})), native("y", "b", order)];
    for order in [json!({}), json!({"after": ["*"]}), json!({"after": ["two"]}), json!({"last": true})] {
        assert_eq!(placed(named(order.clone()), &["one", "two"]).0, "one two b a", "{order}");
    }
    let behind = vec![
        native("x", "a", json!({"after": ["b"]})),
        native("y", "b", json!({"last": true})),
        native("z", "c", json!({"after": ["*"]})),
    ];
    assert_eq!(placed(behind, &["one"]), ("one c b a".to_owned(), Vec::new()), "what is behind the last is last too");
    let (names, said) = placed(named(json!({"after": ["a"]})), &["one"]);
    assert_eq!((names.as_str(), said), ("one a b", Vec::new()), "who is named comes before who is meant");
    let first = |order: Value| vec![native("x", "a", json!({"first": true})), native("y", "b", order)];
    for order in [json!({"before": ["*"]}), json!({"before": ["one"]}), json!({"first": true})] {
        assert_eq!(placed(first(order.clone()), &["one", "two"]).0, "a b one two", "{order}");
    }
}

#[test]
fn c3_documents_that_demand_a_circle_have_one_result_and_are_told() {
    let circle =
        || vec![native("x", "one-a", json!({"after": ["two-*"]})), native("y", "two-b", json!({"after": ["one-*"]}))];
    let (names, said) = placed(circle(), &["migrate"]);
    assert_eq!(said, [("SidecarInjection/y".to_owned(), Reason::OrderConflict, Weight::Warning)]);
    assert_eq!(placed(circle(), &["migrate"]).0, names);
}
