//! What is said of text that cannot be read, and where.

use super::super::{DEPTH_LIMIT, NODE_LIMIT};
use super::{complaint, json};

#[test]
fn says_what_is_wrong_and_where() {
    // Text, line and column, part of the message, part of the hint.
    let cases = [
        ("a: 1\nb: 2\na: 3", (3, 1), "the key `a` is there twice (first at line 1, column 1)", "one of the two"),
        ("{\"a\": 1,\n \"a\": 2}", (2, 2), "the key `a` is there twice (first at line 1, column 2)", "one of the two"),
        ("a: {b: 1, 'b': 2}", (1, 11), "the key `b` is there twice (first at line 1, column 5)", "one of the two"),
        ("1: a\n0x1: b", (2, 1), "the key `1` is there twice", ""),
        ("x: &x {p: 1}\na: 1\n<<: *x\na: 2", (4, 1), "the key `a` is there twice", ""),
        ("x: &x {p: 1}\na: 1\na: 2\n<<: *x", (3, 1), "the key `a` is there twice", ""),
        ("a:\n\tb: 1", (2, 1), "a tab is used for indentation", "spaces"),
        ("a:\n  b: 1\n\tc: 2", (3, 1), "a tab is used for indentation", "spaces"),
        ("a: *nowhere", (1, 4), "has no anchor", "&name"),
        ("a: &x [*x]", (1, 8), "stands within the value that it names", ""),
        ("a: b: c", (1, 5), "stands where no key can be", "quote the value"),
        ("a:\n  b: 1\n c: 2", (3, 2), "", ""),
        ("a: 1\n  b: 2", (2, 4), "stands where no key can be", ""),
        ("a: 'x", (1, 4), "not closed", "quote"),
        ("a: \"\\q\"", (1, 4), "escape does not exist", "backslash"),
        ("a: [1, 2", (1, 9), "", ""),
        ("a: @x", (1, 4), "cannot begin with this character", "quotes"),
        ("a: .inf", (1, 4), "JSON cannot express", "finite"),
        ("? [a]\n: b", (1, 3), "cannot be a key", "quote"),
        ("~: a", (1, 1), "a key is missing or null", ""),
        ("<<: 1", (1, 5), "takes a map", ""),
        ("a: !!int x", (1, 4), "`!!int`", ""),
        ("a: !!binary '*'", (1, 4), "base64", ""),
        ("a: {{ .Values.x }}", (1, 4), "is a template", "helm template"),
        ("{{- if .Values.x }}\na: 1\n{{- end }}", (1, 1), "is a template", "helm template"),
        ("a: 1\n{{- include \"x\" . }}\nb: 1", (2, 1), "is a template", "helm template"),
        ("a: &b:c", (1, 4), "not a name for an anchor", "letters"),
        ("a: {?hostPID: true}", (1, 5), "contains `?`", "quotes"),
        ("a: &x !!seq [ # list\n  ?d]", (2, 3), "contains `?`", "quotes"),
        ("a: {!t :b}", (1, 5), "begins with `:`", "quotes"),
        ("a: [:b]", (1, 5), "begins with `:`", "quotes"),
        ("a: [b, c?d]", (1, 8), "contains `?`", "quotes"),
        ("a: {b:}", (1, 5), "no space after its `:`", "space"),
        ("a: &x [b:, c]", (1, 8), "no space after its `:`", "space"),
        ("a:\tb", (1, 4), "no space after it", "space"),
        ("a: !!map &b:c {}", (1, 4), "not a name for an anchor", "letters"),
        ("a: x\u{7}", (1, 5), "control character", "escape"),
        ("a: 1\n] b", (2, 1), "", ""),
        ("a: x\u{2028}b: y", (1, 5), "U+2028", "\\u2028"),
        ("a: 1\r---\rb: 2", (1, 6), "second document", "---"),
        ("{\"a\": 1} x", (1, 10), "after the end of the JSON value", ""),
        ("{\"a\": tru x: y}", (1, 7), "a JSON value is expected", ""),
        ("{\"a\" 1}", (1, 6), "`:` is expected", ""),
        ("{\"a\": 1", (1, 8), "`,` or `}`", ""),
        ("{\"a\": 01 x: y}", (1, 7), "not a number", ""),
        ("[1e999]", (1, 2), "too large", ""),
    ];
    let mut wrong = Vec::new();
    for (text, place, message, hint) in cases {
        let error = complaint(text);
        let says = error.message.contains(message) && error.hint.as_deref().unwrap_or_default().contains(hint);
        if !says || (error.line, error.column) != place {
            wrong.push((text, error));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn finds_repeated_keys_in_large_maps() {
    let keys: String = (0..1000).map(|number| format!("key{number}: 1\n")).collect();
    let error = complaint(&format!("{keys}key500: 2\n"));
    assert_eq!(error.message, "the key `key500` is there twice (first at line 501, column 1)");
    assert_eq!(error.line, 1001);
}

#[test]
fn bounds_nesting() {
    let nested = |depth: usize, open: &str, close: &str| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("{a: ", "}")] {
        assert!(json(&nested(DEPTH_LIMIT, open, close)).len() > DEPTH_LIMIT);
        for depth in [DEPTH_LIMIT + 1, 100_000] {
            let error = complaint(&nested(depth, open, close));
            assert!(error.message.contains("nested"), "{open}: {error}");
        }
    }
    let block = |depth: usize| (0..depth).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>();
    assert!(json(&block(DEPTH_LIMIT)).len() > DEPTH_LIMIT);
    assert!(complaint(&block(DEPTH_LIMIT + 1)).message.contains("nested"));
    assert!(complaint(&"- ".repeat(100_000)).message.contains("nested"));
    let ladder: String = (1..=DEPTH_LIMIT + 1).map(|rung| format!("- &r{rung} [*r{}]\n", rung - 1)).collect();
    assert!(complaint(&format!("- &r0 1\n{ladder}")).message.contains("nested"));
}

#[test]
fn bounds_what_aliases_repeat() {
    let level = |level: usize| format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", "));
    let bomb: String = (1..=9).map(level).collect();
    let error = complaint(&format!("l0: &l0 [lol, lol, lol]\n{bomb}"));
    assert_eq!(error.message, format!("the document has more than {NODE_LIMIT} values"));
    assert!(error.hint.is_some_and(|hint| hint.contains("aliases")));
}
