//! Every format of the report over `tests/check/shop`, held against what is written beside it.
//!
//! With UPDATE_EXPECTED=1 in the environment the files are written anew; read the difference before it is committed.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{BAD, GOOD, folder, run, text};

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check")
}

fn assert_expected(name: &str, found: &str) {
    let path = here().join("expected").join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, found).expect("it is written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} differs; UPDATE_EXPECTED=1 writes it anew", path.display());
}

#[test]
fn text_shows_the_line_and_what_to_write_instead() {
    let output = run(&here(), &["shop"]);
    assert_expected("report.txt", &text(&output.stdout));
    assert_expected("faults.txt", &text(&output.stderr));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn verbose_text_names_what_passes_and_why_nothing_is_said_of_the_rest() {
    let files = folder(&[("a.json", GOOD), ("b.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: front}\n")]);
    let output = run(files.path(), &["--verbose", "."]);
    assert_eq!(
        text(&output.stdout),
        "./a.json:1: Pod default/good passes\n\
         ./b.yaml:1: note: Service front: objects of this kind are not judged\n\
         2 inputs: 1 allowed, 1 of kinds that are not judged\n"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn json_is_one_array_with_typed_violations() {
    let output = run(&here(), &["-o", "json", "shop"]);
    let report = text(&output.stdout);
    assert!(serde_json::from_str::<Vec<Value>>(&report).is_ok(), "one array");
    assert_expected("report.json", &report);
}

#[test]
fn junit_counts_what_it_holds() {
    assert_expected("report.xml", &text(&run(&here(), &["-o", "junit", "shop"]).stdout));
}

#[test]
fn github_has_a_line_for_each_annotation() {
    assert_expected("report.github", &text(&run(&here(), &["-o", "github", "shop"]).stdout));
}

#[test]
fn sarif_has_a_rule_with_its_page_for_each_check() {
    let mut report: Value = serde_json::from_slice(&run(&here(), &["-o", "sarif", "shop"]).stdout).expect("one object");
    for rule in report["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        let id = rule["id"].as_str().expect("an id").to_owned();
        if let Ok(page) = std::fs::read_to_string(here().join(format!("../../docs/checks/{id}.md"))) {
            assert_eq!(rule["help"]["markdown"], page, "{id}");
            rule["help"] = "its page".into();
        }
    }
    assert_expected("report.sarif", &(serde_json::to_string_pretty(&report).expect("text") + "\n"));
}

#[test]
fn what_a_manifest_says_cannot_break_out_of_a_format() {
    let name = "</testsuite>%0A::error::\\u001b[31m,\\\"]\\n::warning::x";
    let pod = format!(
        r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "{name}"}}, "spec": {{"hostPID": true}}}}"#
    );
    let files = folder(&[("odd, name: 1%.json", pod)]);
    for format in ["text", "junit", "github"] {
        let report = text(&run(files.path(), &["-o", format, "--level", "baseline", "."]).stdout);
        assert!(!report.contains('\u{1b}'), "{format}: {report}");
        assert!(format != "junit" || report.matches("</testsuite>").count() == 1, "{report}");
        let commands = report.lines().filter(|line| line.trim_start().starts_with("::")).count();
        assert_eq!(commands, usize::from(format == "github"), "{format}: {report}");
    }
    for format in ["json", "sarif"] {
        let report = run(files.path(), &["-o", format, "--level", "baseline", "."]).stdout;
        assert!(serde_json::from_slice::<Value>(&report).is_ok(), "{format}");
    }
}

#[test]
fn a_pod_of_many_containers_has_no_report_without_measure() {
    let containers: Vec<String> = (0..700).map(|number| format!("{{name: container-{number}}}")).collect();
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: wide}}\nspec: {{containers: [{}]}}\n",
        containers.join(", ")
    );
    let files = folder(&[("wide.yaml", pod)]);
    for format in ["text", "json", "sarif", "junit", "github"] {
        let length = run(files.path(), &["-o", format, "."]).stdout.len();
        assert!(length < 4 << 20, "{format}: {length} bytes");
    }
    let (_, elements) = super::judged(files.path(), &["."]);
    let details: Vec<usize> = elements[0]["violations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|violation| violation["detail"].as_str().map(str::len))
        .collect();
    assert_eq!(details.len(), 4 * 700);
    assert!(details[0] > 10_000 && details[1] < 200, "{:?}", &details[..2]);
}

#[test]
fn every_format_is_whole_where_nothing_is_found() {
    let files = folder(&[("a.json", GOOD)]);
    for (format, expected) in [("text", "1 input: 1 allowed\n"), ("github", "")] {
        assert_eq!(text(&run(files.path(), &["-o", format, "."]).stdout), expected);
    }
    let junit = text(&run(files.path(), &["-o", "junit", "."]).stdout);
    assert!(junit.contains("tests=\"1\" failures=\"0\"") && junit.ends_with("</testsuites>\n"), "{junit}");
    let sarif: Value = serde_json::from_slice(&run(files.path(), &["-o", "sarif", "."]).stdout).expect("one object");
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn colours_follow_the_flag_and_the_environment() {
    let files = folder(&[("a.yaml", BAD)]);
    let coloured = |arguments: &[&str], variable: Option<&str>| {
        let mut command = super::check(files.path(), arguments);
        if let Some(name) = variable {
            command.env(name, "1");
        }
        text(&command.output().expect("it runs").stdout).contains('\u{1b}')
    };
    assert!(!coloured(&["."], None), "a pipe has no colours");
    assert!(coloured(&["--color", "always", "."], Some("NO_COLOR")));
    assert!(coloured(&["."], Some("CLICOLOR_FORCE")));
    assert!(!coloured(&["--color", "never", "."], Some("CLICOLOR_FORCE")));
}
