//! Streams and texts as tools write them: standard input, marks, line ends, Lists, anchors; order; a reader that goes away.

use std::io::{Read, Write};
use std::process::Stdio;

use serde_json::Value;

use super::{BAD, GOOD, check, folder, judged, text, verdicts};

/// Judges what standard input holds.
fn judged_stream(content: &[u8]) -> (i32, Vec<Value>) {
    let files = folder::<&str>(&[]);
    let mut child = check(files.path(), &["-o", "json", "--level", "baseline", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("an input").write_all(content).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code().expect("a code"), serde_json::from_slice(&output.stdout).expect("one array"))
}

#[test]
fn a_stream_may_hold_documents_lists_and_json() {
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", GOOD.replace('\n', " "));
    let (code, elements) = judged_stream(format!("{BAD}---\n{list}\n---\n{GOOD}{GOOD}").as_bytes());
    assert_eq!(verdicts(&elements), ["Pod bad deny", "Pod good allow", "Pod good allow", "Pod good allow"]);
    assert_eq!((code, elements[0]["file"].as_str()), (1, Some("-")));
    assert_eq!(elements[1]["line"], 11);
}

#[test]
fn a_stream_that_is_too_large_for_memory_is_judged_all_the_same() {
    let padding = format!("# {}\n", "nothing ".repeat(1 << 10)).repeat(1200);
    let (code, elements) = judged_stream(format!("{BAD}---\n{padding}---\n{GOOD}").as_bytes());
    assert_eq!((code, verdicts(&elements)), (1, vec!["Pod bad deny".to_owned(), "Pod good allow".to_owned()]));
}

#[test]
fn an_empty_stream_has_nothing_to_judge_but_an_empty_list_is_clean() {
    let (code, elements) = judged_stream(b"");
    assert_eq!((code, elements.len()), (2, 1));
    assert_eq!(judged_stream(b"apiVersion: v1\nkind: List\nitems: []\n"), (0, vec![]));
}

#[test]
fn marks_and_line_ends_move_no_place() {
    let pod = format!("\u{feff}{}", BAD.replace('\n', "\r\n"));
    let (_, elements) = judged_stream(pod.as_bytes());
    let violation = &elements[0]["violations"][0];
    assert_eq!((violation["line"].as_u64(), violation["column"].as_u64()), (Some(6), Some(12)));
}

#[test]
fn merged_keys_violate_where_they_are_written() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-}\nspec:\n  containers:\n  - &first\n    name: a\n    \
               securityContext: {privileged: true}\n  - <<: *first\n    name: b\n";
    let (_, elements) = judged_stream(pod.as_bytes());
    assert_eq!(elements[0]["name"], "web-");
    let places: Vec<String> = elements[0]["violations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|violation| format!("{}:{} {}", violation["line"], violation["column"], violation["container"]))
        .collect();
    assert_eq!(places, ["8:35 \"a\"", "8:35 \"b\""]);
}

#[test]
fn defaults_are_those_of_the_api_server() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostNetwork: true, containers: [{name: c, ports: [{containerPort: 80}]}]}\n";
    let (_, elements) = judged_stream(pod.as_bytes());
    assert_eq!(
        elements[0]["message"],
        "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true), hostPort (container \"c\" uses hostPort 80)"
    );
}

#[test]
fn the_order_is_that_of_the_inputs() {
    let names: Vec<String> = (0..300).map(|number| format!("in/{:02}/{number:03}.yaml", number % 7)).collect();
    let files: Vec<(&str, String)> =
        names.iter().map(|name| (name.as_str(), BAD.replace("bad", &name.replace('/', "-")))).collect();
    let files = folder(&files);
    let (_, elements) = judged(files.path(), &["in"]);
    let mut sorted = names.clone();
    sorted.sort_unstable();
    let found: Vec<&str> = elements.iter().filter_map(|element| element["file"].as_str()).collect();
    assert_eq!(found, sorted);
    assert_eq!(judged(files.path(), &["in"]).1, elements, "twice the same");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let many = format!("{BAD}---\n").repeat(3000);
    let files = folder(&[("many.yaml", many)]);
    let mut child =
        check(files.path(), &["many.yaml"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut first = [0; 10];
    child.stdout.take().expect("an output").read_exact(&mut first).expect("it writes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(1), ""));
}
