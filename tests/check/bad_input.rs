//! Bad input: each kind has a place, a sentence and exit code 2, and hides nothing of what stands beside it.

use serde_json::Value;

use super::{BAD, GOOD, folder, judged, run, text, verdicts};

/// Judges a file with this text between two sound ones; gives what became of it.
fn between_sound_files(content: &[u8]) -> Vec<Value> {
    let files = folder(&[("a.json", GOOD.as_bytes()), ("b.yaml", content), ("c.yaml", BAD.as_bytes())]);
    let (code, mut elements) = judged(files.path(), &["a.json", "b.yaml", "c.yaml"]);
    let (first, last) = (elements.remove(0), elements.pop().expect("an element"));
    assert_eq!(verdicts(&[first, last]), ["Pod good allow", "Pod bad deny"]);
    assert_eq!(code, if elements.iter().any(|element| element["verdict"] == "not-judged") { 2 } else { 1 });
    elements
}

#[track_caller]
fn assert_not_judged(content: &[u8], place: (u64, u64), message: &str) {
    let elements = between_sound_files(content);
    let element = elements.iter().find(|element| element["verdict"] == "not-judged").expect("something is not judged");
    let found = element["message"].as_str().expect("a message");
    assert!(found.contains(message), "{found}");
    assert_eq!((element["line"].as_u64(), element["column"].as_u64()), (Some(place.0), Some(place.1)), "{found}");
    assert!(element["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{found}: says what to do instead");
}

fn pod(spec: &str) -> Vec<u8> {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: odd}}\nspec: {spec}\n").into_bytes()
}

#[test]
fn texts_that_are_no_manifests() {
    assert_not_judged(b"", (1, 1), "holds no objects");
    assert_not_judged(b"# nothing yet\n---\n", (1, 1), "holds no objects");
    assert_not_judged(b"null\n", (1, 1), "the document is null");
    assert_not_judged(b"just words\n", (1, 1), "a string, not a Kubernetes object");
    assert_not_judged(b"[1, 2]\n", (1, 1), "a list, not a Kubernetes object");
    assert_not_judged(b"a: 1\n", (1, 1), "neither `apiVersion` nor `kind`");
    assert_not_judged(b"kind: Pod\n", (1, 1), "no `apiVersion`");
    assert_not_judged(b"apiVersion: v1\nkind: [Pod]\n", (1, 1), "no `kind`");
}

#[test]
fn texts_that_cannot_be_parsed() {
    assert_not_judged(b"kind: Pod\n\tspec: {}\n", (2, 1), "a tab");
    assert_not_judged(b"kind: Pod\nkind: Pod\n", (2, 1), "twice");
    assert_not_judged(b"kind: *nowhere\n", (1, 7), "no anchor");
    assert_not_judged(b"kind: {{ .Values.kind }}\n", (1, 7), "");
    assert_not_judged(b"kind: Pod\nname: \xff\xfe\n", (2, 7), "not UTF-8");
    assert_not_judged("[".repeat(5000).as_bytes(), (1, 201), "nested more than");
}

#[test]
fn a_truncated_document_is_told_where_it_ends() {
    let elements = between_sound_files(br#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name""#);
    assert_eq!(verdicts(&elements), ["  not-judged"]);
    assert_eq!(elements[0]["line"], 1);
}

#[test]
fn fields_of_a_wrong_type_are_named_and_placed() {
    for (spec, column, path) in [
        (
            "{containers: [{name: a, securityContext: {privileged: \"yes\"}}]}",
            61,
            "spec.containers[0].securityContext.privileged",
        ),
        ("{containers: {}}", 20, "spec.containers"),
        ("{hostPID: 1}", 17, "spec.hostPID"),
        ("{securityContext: {runAsUser: 99999999999999999999999}}", 37, "spec.securityContext.runAsUser"),
        ("words", 7, "spec"),
    ] {
        assert_not_judged(&pod(spec), (4, column), &format!("{path}: "));
    }
}

#[test]
fn null_reads_as_go_reads_it_and_unknown_volumes_are_refused() {
    let null = between_sound_files(&pod("{containers: [null], securityContext: null, volumes: null}"));
    assert_eq!(verdicts(&null), ["Pod odd deny"]);
    let unknown = between_sound_files(&pod("{volumes: [{name: x, futureDisk: {}}], unknownField: 1}"));
    let checks: Vec<&str> =
        unknown[0]["violations"].as_array().expect("a list").iter().filter_map(|v| v["check"].as_str()).collect();
    assert_eq!(checks, ["restrictedVolumes"]);
    assert_eq!(unknown[0]["violations"][0]["value"], "unknown");
    assert_not_judged(b"apiVersion: v1\nkind: List\nitems: [null]\n", (3, 9), "items[0] is null");
}

#[test]
fn kinds_at_versions_that_are_gone_are_not_passed_over() {
    assert_not_judged(
        b"apiVersion: extensions/v1beta1\nkind: Deployment\n",
        (1, 1),
        "no Deployment in \"extensions/v1beta1\"",
    );
    assert_not_judged(b"apiVersion: v2\nkind: Pod\n", (1, 1), "no Pod in \"v2\"");
    let custom = between_sound_files(b"apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nmetadata: {name: x}\n");
    assert_eq!(verdicts(&custom), ["Job x allow"]);
}

#[test]
fn one_bad_document_hides_none_of_its_neighbours() {
    let stream = format!("{BAD}---\na: [b\n---\nkind: Pod\nkind: Pod\n---\n{BAD}");
    let elements = between_sound_files(stream.as_bytes());
    assert_eq!(verdicts(&elements), ["Pod bad deny", "  not-judged", "  not-judged", "Pod bad deny"]);
    let lines: Vec<u64> = elements.iter().filter_map(|element| element["line"].as_u64()).collect();
    assert_eq!(lines, [1, 9, 11, 13]);
}

#[test]
fn inputs_that_cannot_be_read() {
    let files = folder(&[
        ("empty/read.me", ""),
        ("mixed/a.json", GOOD),
        ("mixed/x.yaml/b.yaml", BAD),
        ("mixed/.hidden.yaml", "["),
    ]);
    std::os::unix::fs::symlink("nowhere", files.path().join("mixed/link.yaml")).expect("a link");
    let (code, elements) = judged(files.path(), &["empty", "absent.yaml", "mixed"]);
    let told: Vec<String> = elements
        .iter()
        .map(|e| format!("{} {}", e["file"].as_str().unwrap_or(""), e["verdict"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        told,
        [
            "empty not-judged",
            "absent.yaml not-judged",
            "mixed/a.json allow",
            "mixed/link.yaml not-judged",
            "mixed/x.yaml/b.yaml deny"
        ]
    );
    assert_eq!(code, 2);
    assert!(elements[0]["message"].as_str().is_some_and(|message| message.contains("holds no manifests")));
}

#[test]
fn a_folder_that_links_back_to_itself_is_entered_once() {
    let files = folder(&[("a/b.json", GOOD)]);
    std::os::unix::fs::symlink("..", files.path().join("a/up")).expect("a link");
    assert_eq!(judged(files.path(), &["."]).1.len(), 1);
}

#[test]
fn faults_go_to_standard_error_and_findings_to_standard_output() {
    let files = folder(&[("a.yaml", "a: [b\n"), ("b.yaml", BAD)]);
    let output = run(files.path(), &["--level", "baseline", "a.yaml", "b.yaml"]);
    let (report, faults) = (text(&output.stdout), text(&output.stderr));
    assert!(faults.starts_with("error: ") && faults.contains("a.yaml:2:1"), "{faults}");
    assert!(report.contains("error[hostNamespaces]") && !report.contains("a.yaml"), "{report}");
}

#[test]
fn arguments_that_make_no_sense_are_explained() {
    let files = folder(&[("a.json", GOOD), ("config.yaml", "kind: Pod\n")]);
    for (arguments, part) in [
        (&[][..], "nothing to check: name files or folders, or - for standard input"),
        (&["--level", "strict", "a.json"], "[possible values: privileged, baseline, restricted]"),
        (&["--version", "1.30", "a.json"], "must be \"latest\" or \"v1.x\""),
        (&["--namespaces", "absent", "a.json"], "cannot read absent"),
        (&["--config", "config.yaml", "a.json"], "config.yaml:1:"),
    ] {
        let output = run(files.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(part), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
