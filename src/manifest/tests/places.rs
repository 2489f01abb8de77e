//! Where things are: spans, lines, columns and paths.

use super::super::{DocumentText, Documents, Entry, Node, Value, parse};
use super::tree;

const POD: &str = "\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    some.key/with.dots: \"x\"
    odd[0].key: y
spec:
  # ünïcode before the fields
  hostPID: true
  containers:
  - name: äpp
    image: >-
      nginx
    securityContext:
      privileged: true
      capabilities: {add: [SYS_ADMIN, 'NET_RAW']}
  - name: empty
    securityContext:
  volumes: []
";

#[test]
fn finds_fields_or_the_longest_part_of_their_path() {
    // Path, whether it is there, the text that is pointed at, its line and column.
    let cases = [
        ("spec.hostPID", true, "true", 9, 12),
        ("spec.containers[0].securityContext.privileged", true, "true", 15, 19),
        ("spec.containers[0].securityContext.capabilities.add[1]", true, "'NET_RAW'", 16, 39),
        ("spec.containers[0].securityContext.capabilities.add", true, "add", 16, 22),
        ("spec.containers[0].name", true, "äpp", 11, 11),
        ("metadata.annotations[some.key/with.dots]", true, "\"x\"", 5, 25),
        ("metadata.annotations[odd[0].key]", true, "y", 6, 17),
        ("spec.containers[1]", true, "name", 17, 5),
        ("spec.containers[1].securityContext", true, "securityContext", 18, 5),
        ("spec.containers[1].securityContext.runAsNonRoot", false, "securityContext", 18, 5),
        ("spec.containers[1].ports[0].hostPort", false, "name", 17, 5),
        ("spec.containers[7].name", false, "containers", 10, 3),
        ("spec.containers[x].name", false, "containers", 10, 3),
        ("spec.volumes", true, "volumes", 19, 3),
        ("spec.securityContext", false, "spec", 7, 1),
        ("status", false, "apiVersion", 1, 1),
        ("", true, "apiVersion", 1, 1),
    ];
    let document = DocumentText::new(POD);
    let pod = parse(&document).unwrap();
    for (path, exact, text, line, column) in cases {
        let found = pod.find(path);
        let position = document.position(found.span.start);
        assert_eq!((found.exact, &POD[found.span.range()]), (exact, text), "{path}");
        assert_eq!((position.line, position.column), (line, column), "{path}");
    }
}

#[test]
fn spans_hold_the_text_of_their_values() {
    let text = "a: é\nb: \"ü\"\nc: [x, {d: y}]\ne:\n- f: 1\n  g: |\n    h\n- i\n";
    let node = tree(text);
    let written = |path: &str| &text[node.find(path).node.span.range()];
    assert_eq!(written("a"), "é");
    assert_eq!(written("b"), "\"ü\"");
    assert_eq!(written("c"), "[x, {d: y}]");
    assert_eq!(written("c[1]"), "{d: y}");
    assert_eq!(written("e[0].f"), "1");
    assert_eq!(written("e[0].g"), "|\n    h\n");
    assert_eq!(written("e[0]"), "f: 1\n  g: |\n    h\n");
    assert_eq!(written("e[1]"), "i");
}

#[test]
fn an_alias_is_where_it_is_written_and_its_content_where_the_anchor_is() {
    let text = "a: &x\n  p: 1\nb: *x\nc:\n  <<: *x\n";
    let node = tree(text);
    assert_eq!(&text[node.find("b").node.span.range()], "*x");
    assert_eq!(node.find("b.p").span, node.find("a.p").span);
    assert_eq!(node.find("c.p").span, node.find("a.p").span);
}

#[test]
fn counts_lines_and_columns_within_the_whole_input() {
    let input =
        format!("\u{FEFF}# é\n---\na: [é, b]\n---\n{{\"c\": \"é\"}} {{\"d\": 1,\n\"{}\": 2}}\n", "é".repeat(5000));
    let documents: Vec<DocumentText> = Documents::new(input.as_bytes()).map(Result::unwrap).collect();
    let place = |index: usize, path: &str| {
        let document: &DocumentText = &documents[index];
        let position = document.position(parse(document).unwrap().find(path).span.start);
        (position.line, position.column)
    };
    assert_eq!(place(0, "a[1]"), (3, 8));
    assert_eq!(place(1, "c"), (5, 7));
    assert_eq!(place(2, "d"), (5, 18));
    assert_eq!(place(2, &"é".repeat(5000)), (6, 5005));
}

#[test]
fn looks_up_fields_by_type() {
    let mut node = tree("a: text\nb: true\nc: [1]\nd: ~\n");
    assert_eq!(node.field("a").and_then(Node::text), Some("text"));
    assert_eq!(node.field("b").and_then(Node::truth), Some(true));
    assert_eq!(node.field("c").map(|list| list.items().len()), Some(1));
    assert!(node.field("d").is_some_and(Node::is_null));
    assert_eq!(node.field("e"), None);
    node.set("d", Node { value: Value::Bool(false), span: node.span });
    node.set("e", Node { value: Value::Null, span: node.span });
    let keys: Vec<&str> = node.entries().iter().map(|Entry { key, .. }| key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c", "d", "e"]);
    assert_eq!(node.field("d").and_then(Node::truth), Some(false));
}
