//! How an input is cut into documents.

use std::io::{self, BufReader, Read};

use super::super::{DocumentText, Documents, ParseError};
use super::all;

#[test]
fn cuts_at_markers_only() {
    let cases: [(&str, &[&str]); 20] = [
        ("a: 1\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("---\na: 1\n--- # next\nb: 2", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("---\r\na: 1\r\n---\r\nb: 2\r\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("a: 1\n...\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("a: 1\n...\n---\nb: 2\n...\n...\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("--- {a: 1}\n--- [b]\n--- text\n", &[r#"{"a":1}"#, r#"["b"]"#, r#""text""#]),
        ("--- |\n  a\n  ---\n", &["\"a\\n---\\n\""]),
        ("---\n---\n# nothing\n---\n\n--- # nothing\n", &[]),
        ("# heading\n---\n# comment\na: 1\n", &[r#"{"a":1}"#]),
        ("%YAML 1.2\n---\na: 1\n", &[r#"{"a":1}"#]),
        ("a: 1\n...\n%YAML 1.1\n---\nb: 2\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
        ("\u{FEFF}a: 1\n", &[r#"{"a":1}"#]),
        ("\u{FEFF}---\na: 1\n", &[r#"{"a":1}"#]),
        ("\u{FEFF}{\"a\":1}", &[r#"{"a":1}"#]),
        ("a: b---\nc: '--- '\n", &[r#"{"a":"b---","c":"--- "}"#]),
        ("", &[]),
        ("{\"a\":1}{\"b\":2}\n[3]\n{\n\"c\":\"}{\"}", &[r#"{"a":1}"#, r#"{"b":2}"#, "[3]", r#"{"c":"}{"}"#]),
        ("{\"a\":1}\n---\n{\"b\":\"\\\"\"} {\"c\":3}", &[r#"{"a":1}"#, r#"{"b":"\""}"#, r#"{"c":3}"#]),
        ("{a: '}{'}\n--- \n{b: x}", &[r#"{"a":"}{"}"#, r#"{"b":"x"}"#]),
        ("null\n", &["null"]),
    ];
    for (input, expected) in cases {
        assert_eq!(all(input.as_bytes()), expected, "{input:?}");
    }
}

#[test]
fn goes_on_after_a_bad_document() {
    let input = b"a: 1\n---\nb: [\n---\nc: \xFF\n---\n{\"d\" 4}{\"e\":5}\n---\nf: 6\n";
    let documents = all(input);
    assert_eq!(documents.len(), 6, "{documents:?}");
    assert_eq!(documents[0], r#"{"a":1}"#);
    assert!(documents[1].starts_with("error: line "), "{documents:?}");
    assert_eq!(documents[2], "error: line 5, column 4: the byte at offset 21 of the input is not UTF-8");
    assert_eq!(documents[3], "error: line 7, column 6: `:` is expected after a key");
    assert_eq!(documents[4], r#"{"e":5}"#);
    assert_eq!(documents[5], r#"{"f":6}"#);
}

#[test]
fn refuses_a_document_above_the_limit_and_goes_on() {
    let long = "x".repeat(100);
    for large in [format!("a: {long}\n"), format!("a: 1\n{}", "b: [\n".repeat(30)), format!("{{\"a\":\"{long}\"}}\n")] {
        let input = format!("a: 1\n---\n{large}---\nb: 2\n");
        let documents: Vec<_> = Documents::with_limit(input.as_bytes(), 64).collect();
        let [first, second, third] = documents.as_slice() else { panic!("{documents:?}") };
        assert_eq!(first.as_ref().map(|document| document.text.as_str()), Ok("a: 1\n"));
        let error = second.as_ref().unwrap_err();
        assert_eq!((error.line, error.message.as_str()), (2, "the document is larger than 64 bytes"));
        assert_eq!(third.as_ref().map(|document| document.text.as_str()), Ok("---\nb: 2\n"));
    }
}

#[test]
fn says_that_utf_16_is_to_be_saved_as_utf_8() {
    let error = Documents::new(&b"\xFF\xFEa\0:\0"[..]).next().unwrap().unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("it looks like UTF-16: save the file as UTF-8"));
}

#[test]
fn keeps_the_place_and_the_source_of_a_document() {
    let input = "---\n# Source: chart/templates/a.yaml\na: 1\n---\n# Source: chart/templates/empty.yaml\n---\nb: 2\n";
    let documents: Vec<DocumentText> = Documents::new(input.as_bytes()).map(Result::unwrap).collect();
    let places: Vec<_> = documents.iter().map(|document| (document.first_line, document.source.as_deref())).collect();
    assert_eq!(places, [(1, Some("chart/templates/a.yaml")), (6, None)]);

    let values: Vec<DocumentText> = Documents::new(&b"\n {} []\n\n{}"[..]).map(Result::unwrap).collect();
    let places: Vec<_> = values.iter().map(|value| (value.first_line, value.first_column)).collect();
    assert_eq!(places, [(1, 1), (2, 5), (4, 1)]);
}

#[test]
fn gives_the_same_documents_whatever_the_size_of_a_read() {
    let input = "# é\n---\na: é\r\n---\n{\"b\":\n1}{}\n...\n--- x\n";
    let whole: Vec<_> = Documents::new(input.as_bytes()).collect();
    assert_eq!(whole.len(), 4, "{whole:?}");
    for size in 1..input.len() {
        let piecewise: Vec<_> = Documents::new(BufReader::with_capacity(size, input.as_bytes())).collect();
        assert_eq!(piecewise, whole, "reads of {size} bytes");
    }
}

/// An input that breaks after its first bytes.
struct Broken(Option<&'static [u8]>);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.0.take().ok_or_else(|| io::Error::other("the disk is on fire"))?;
        bytes.read(buffer)
    }
}

#[test]
fn ends_at_an_input_that_cannot_be_read_on() {
    let documents: Vec<_> = Documents::new(BufReader::new(Broken(Some(b"a: 1\n---\nb: 2\n")))).collect();
    let [first, second] = documents.as_slice() else { panic!("{documents:?}") };
    assert!(first.is_ok());
    let expected = "the input cannot be read on: the disk is on fire";
    assert!(matches!(second, Err(ParseError { message, .. }) if message == expected), "{second:?}");
}
