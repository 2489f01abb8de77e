//! Edits keep every comment and every spelling, and read as what they should.

use super::super::{DocumentText, Node, Operation, OperationKind, SpliceError, parse, splice};

fn value(json: &str) -> Node {
    parse(&DocumentText::new(json)).expect("JSON")
}

fn operation(kind: OperationKind, pointer: &str, json: &str) -> Operation {
    let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
    let path = pointer.trim_start_matches('/').split('/').map(unescape).collect();
    Operation { kind, path, value: value(json) }
}

fn add(pointer: &str, json: &str) -> Operation {
    operation(OperationKind::Add, pointer, json)
}

fn replace(pointer: &str, json: &str) -> Operation {
    operation(OperationKind::Replace, pointer, json)
}

fn remove(pointer: &str) -> Operation {
    operation(OperationKind::Remove, pointer, "null")
}

fn edited(text: &str, operations: &[Operation]) -> String {
    splice(&DocumentText::new(text), operations).expect("a text that can be edited")
}

const POD: &str = "\
# a web server
metadata:
  name: web # its name
spec:
  # the containers
  containers:
    # the first
    - name: app
      image: \"nginx\"   # pinned elsewhere
      env: [{name: A, value: 'b'}]
  volumes:
";

#[test]
fn additions_leave_everything_else_as_it_is() {
    let operations = [
        add("/metadata/labels", r#"{"a/b":"true","c":"1"}"#),
        add("/spec/containers/0/env/-", r#"{"name":"B","value":"x: y"}"#),
        add("/spec/containers/0/volumeMounts", r#"[{"name":"v","mountPath":"/v"}]"#),
        add("/spec/containers/-", r#"{"name":"side","args":["-v","2"],"resources":{}}"#),
        add("/spec/containers/0", r#"{"name":"first"}"#),
        replace("/spec/volumes", r#"[{"name":"v","emptyDir":{}}]"#),
    ];
    assert_eq!(
        edited(POD, &operations),
        "\
# a web server
metadata:
  name: web # its name
  labels:
    a/b: \"true\"
    c: \"1\"
spec:
  # the containers
  containers:
    - name: first
    # the first
    - name: app
      image: \"nginx\"   # pinned elsewhere
      env: [{name: A, value: 'b'}, {\"name\":\"B\",\"value\":\"x: y\"}]
      volumeMounts:
      - name: v
        mountPath: /v
    - name: side
      args:
      - \"-v\"
      - \"2\"
      resources: {}
  volumes: [{\"name\":\"v\",\"emptyDir\":{}}]
"
    );
}

#[test]
fn what_is_taken_away_takes_its_lines_with_it() {
    let text = "a:\n- x: 1\n  y: 2\n- z: 3 # gone\nb: {c: 1, d: 2}\ne:\n  f: 1\n";
    assert_eq!(edited(text, &[remove("/a/0/x")]), "a:\n- y: 2\n- z: 3 # gone\nb: {c: 1, d: 2}\ne:\n  f: 1\n");
    assert_eq!(edited(text, &[remove("/a/1")]), "a:\n- x: 1\n  y: 2\nb: {c: 1, d: 2}\ne:\n  f: 1\n");
    assert_eq!(edited(text, &[remove("/a/0"), remove("/a/0")]), "a: [] # gone\nb: {c: 1, d: 2}\ne:\n  f: 1\n");
    assert_eq!(edited(text, &[remove("/b/c")]), "a:\n- x: 1\n  y: 2\n- z: 3 # gone\nb: {d: 2}\ne:\n  f: 1\n");
    assert_eq!(edited(text, &[remove("/b"), remove("/e")]), "a:\n- x: 1\n  y: 2\n- z: 3 # gone\n");
    assert_eq!(edited("e:\n  f: 1\n", &[remove("/e/f")]), "e:\n  {}\n");
}

#[test]
fn replacements_keep_the_layout_where_they_can() {
    let text = "a: 10m # cpu\nb:\n  - 1\n  - 2\nc:\nd: |\n  text\ne: {}\n";
    let operations = [
        replace("/a", "\"20m\""),
        replace("/b", "[3]"),
        replace("/c", "{\"k\":null}"),
        replace("/d", "\"one line\""),
        add("/e/x", "\"no\""),
    ];
    assert_eq!(
        edited(text, &operations),
        "a: \"20m\" # cpu\nb:\n- 3\nc: {\"k\":null}\nd: \"one line\"\ne: {\"x\":\"no\"}\n"
    );
}

#[test]
fn parents_that_are_missing_come_with_what_is_put_into_them() {
    assert_eq!(
        edited("a: {}\nb:\n", &[add("/c/d/e", "1"), add("/b/x/y", "2")]),
        "a: {}\nb: {\"x\":{\"y\":2}}\nc:\n  d:\n    e: 1\n"
    );
}

#[test]
fn json_stays_json() {
    let text = "{\n  \"spec\": {\"containers\": [{\"name\": \"app\"}]},\n  \"empty\": {}\n}\n";
    let operations =
        [add("/spec/containers/0/image", "\"nginx\""), add("/spec/containers/0", "1"), add("/empty/a", "true")];
    let after = edited(text, &operations);
    assert_eq!(
        after,
        "{\n  \"spec\": {\"containers\": [1, {\"name\": \"app\", \"image\":\"nginx\"}]},\n  \"empty\": {\"a\":true}\n}\n"
    );
}

#[test]
fn a_text_without_a_last_line_end_is_no_trouble() {
    assert_eq!(edited("a:\n  b: 1", &[add("/a/c", "2"), add("/d", "3")]), "a:\n  b: 1\n  c: 2\nd: 3");
}

#[test]
fn what_is_shared_is_left_alone() {
    let text = "a: &x\n  k: 1\nb: *x\nc:\n  <<: *x\n  l: 2\n";
    let refused = |pointer: &str| splice(&DocumentText::new(text), &[add(pointer, "1")]);
    assert!(matches!(refused("/b/new"), Err(SpliceError::Shared(_))), "{:?}", refused("/b/new"));
    assert!(matches!(refused("/c/k"), Err(SpliceError::Shared(_))), "{:?}", refused("/c/k"));
    let nothing = splice(&DocumentText::new(text), &[remove("/z")]);
    assert!(matches!(nothing, Err(SpliceError::Nowhere(_))), "{nothing:?}");
}

#[test]
fn comments_behind_what_is_replaced_stay() {
    let text = "a:\n  b: {c: 1}  # map\n  d: [1]  # list\n  e: 'it''s'  # text\n  f: \"a\\\"b\\\\\" # more\n";
    let operations = [
        replace("/a/b", r#"{"c":2}"#),
        replace("/a/d", r#"["y"]"#),
        replace("/a/e", r#""z""#),
        add("/a/b/i", "3"),
        replace("/a/f", r#""c d""#),
    ];
    assert_eq!(
        edited(text, &operations),
        "a:\n  b: {\"c\":2, \"i\":3}  # map\n  d: [\"y\"]  # list\n  e: z  # text\n  f: \"c d\" # more\n"
    );
}

#[test]
fn an_object_whose_only_member_is_exchanged_keeps_its_layout() {
    let text = "probe:\n  tcpSocket:\n    port: 80\nnext: 1\n";
    let operations = [add("/probe/httpGet", r#"{"path":"/","port":80}"#), remove("/probe/tcpSocket")];
    assert_eq!(edited(text, &operations), "probe:\n  httpGet:\n    path: /\n    port: 80\nnext: 1\n");
}
