//! What text means: scalars, tags, aliases and merge keys, as kubectl reads them.

use super::json;

#[test]
fn reads_plain_scalars_as_kubectl_does() {
    // The right-hand sides are what sigs.k8s.io/yaml v1.6.0 makes of them.
    let cases = [
        ("y", "true"),
        ("N", "false"),
        ("yes", "true"),
        ("Off", "false"),
        ("TRUE", "true"),
        ("tRue", r#""tRue""#),
        ("~", "null"),
        ("Null", "null"),
        ("nUll", r#""nUll""#),
        ("", "null"),
        ("0", "0"),
        ("-0", "0"),
        ("0x1F", "31"),
        ("-0b101", "-5"),
        ("0b-1", "-1"),
        ("0o17", "15"),
        ("0644", "420"),
        ("+012", "10"),
        ("08", "8"),
        ("1_000", "1000"),
        ("+12", "12"),
        ("0x", r#""0x""#),
        ("9223372036854775807", "9223372036854775807"),
        ("18446744073709551615", "18446744073709551615"),
        ("+18446744073709551615", "18446744073709552000"),
        ("123456789012345678901234", "1.2345678901234569e+23"),
        ("1.0", "1"),
        ("-0.0", "-0"),
        ("1e3", "1000"),
        ("1e21", "1e+21"),
        ("1e-7", "1e-7"),
        ("1e400", r#""1e400""#),
        (".5", "0.5"),
        (".1_0", "0.1"),
        ("._1", r#""._1""#),
        ("+.5", "0.5"),
        ("1.", "1"),
        (".", r#"".""#),
        ("1.2.3", r#""1.2.3""#),
        ("12:30:45", r#""12:30:45""#),
        ("2001-12-14", r#""2001-12-14""#),
        ("2001-12-14T21:59:43Z", r#""2001-12-14T21:59:43Z""#),
        ("-", r#"[null]"#),
        ("100m", r#""100m""#),
        ("'yes'", r#""yes""#),
        (r#""12""#, r#""12""#),
        ("|\n  12\n", r#""12\n""#),
        (">-\n  a\n  b\n", r#""a b""#),
        ("!!str 1", r#""1""#),
        ("!!str", r#""""#),
        ("!!int '12'", "12"),
        ("!!float 3", "3"),
        ("!!bool 'on'", "true"),
        ("!!null ''", "null"),
        ("!!binary aGVsbG8=", r#""hello""#),
        ("!<tag:yaml.org,2002:int> '7'", "7"),
        ("!custom 12", r#""12""#),
        ("! 12", r#""12""#),
    ];
    for (scalar, expected) in cases {
        let text = format!("- {scalar}\n");
        assert_eq!(json(&text), format!("[{expected}]"), "{scalar:?}");
    }
}

#[test]
fn turns_keys_into_strings() {
    let cases = [
        ("on: 1", r#"{"true":1}"#),
        ("0x10: 1", r#"{"16":1}"#),
        ("1.50: 1", r#"{"1.5":1}"#),
        ("1e6: 1", r#"{"1e+06":1}"#),
        (".inf: 1", r#"{".inf":1}"#),
        ("'on': 1", r#"{"on":1}"#),
        ("a: &k x\n*k : 1", r#"{"a":"x","x":1}"#),
        ("? a\n: 1", r#"{"a":1}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(json(text), expected, "{text:?}");
    }
}

#[test]
fn resolves_aliases_and_merge_keys() {
    let cases = [
        ("a: &x [1, 2]\nb: *x", r#"{"a":[1,2],"b":[1,2]}"#),
        ("a: &x 1\nb: &x 2\nc: *x", r#"{"a":1,"b":2,"c":2}"#),
        ("a: &x\nb: *x", r#"{"a":null,"b":null}"#),
        ("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3", r#"{"a":{"p":1,"q":2},"b":{"p":1,"q":3}}"#),
        // A merge that stands behind a key overrides it: go-yaml v2, not the YAML specification.
        ("a: &x {p: 1}\nb:\n  p: 2\n  <<: *x", r#"{"a":{"p":1},"b":{"p":1}}"#),
        (
            "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc:\n  <<: [*x, *y]",
            r#"{"a":{"p":1},"b":{"p":2,"q":2},"c":{"p":1,"q":2}}"#,
        ),
        ("b:\n  <<: {p: 1}\n  <<: {q: 2}", r#"{"b":{"p":1,"q":2}}"#),
        ("'<<': 1", r#"{"<<":1}"#),
        ("a: &x {p: {q: 1}}\nb: {<<: *x, r: 2}", r#"{"a":{"p":{"q":1}},"b":{"p":{"q":1},"r":2}}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(json(text), expected, "{text:?}");
    }
}

#[test]
fn reads_json_as_it_is() {
    let cases = [
        (r#"{"a":[1,-2.50,1e3,true,false,null,"x"]}"#, r#"{"a":[1,-2.5,1000,true,false,null,"x"]}"#),
        (r#"{"a":"\u00e9\ud83d\ude00\ud800\n\/"}"#, "{\"a\":\"é😀\u{FFFD}\\n/\"}"),
        ("[ ]", "[]"),
        ("{ \"yes\" : \"no\" }\n\n", r#"{"yes":"no"}"#),
        (r#"{"a":18446744073709551615}"#, r#"{"a":18446744073709551615}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(json(text), expected, "{text:?}");
    }
}

#[test]
fn reads_flow_style_that_is_not_json_as_yaml() {
    let cases = [
        ("{a: b, c: [d, 1]}", r#"{"a":"b","c":["d",1]}"#),
        ("{\"a\": 1,}", r#"{"a":1}"#),
        ("[1, 2] # a list", "[1,2]"),
        ("{'a': 0x10}", r#"{"a":16}"#),
    ];
    for (text, expected) in cases {
        assert_eq!(json(text), expected, "{text:?}");
    }
}

#[test]
fn escapes_what_json_cannot_hold() {
    assert_eq!(json(r#"["\u0001\"\\\t\r\u007f"]"#), "[\"\\u0001\\\"\\\\\\t\\r\u{7f}\"]");
}
