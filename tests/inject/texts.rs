//! The texts: comments and order stay, and the result goes where it is asked for.

use serde_json::Value;

use super::{DEPLOYMENT, MESH, folder, names, piped, run, trees};

#[test]
fn comments_order_and_spelling_stay_and_only_what_is_edited_differs() {
    let service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: 'web'} # it too\n";
    let text = format!("{DEPLOYMENT}{service}---\n{DEPLOYMENT}");
    let injected = piped("inject", &text);
    let rewritten = ["tcpSocket:", "port: 80", "httpGet: {path: /ready"];
    let mut rest = injected.lines();
    for line in text.lines().filter(|line| !rewritten.iter().any(|known| line.trim().starts_with(known))) {
        assert!(rest.any(|found| found == line), "{line:?} is lost or moved in\n{injected}");
    }
    assert!(injected.contains("\"port\":15020}  # alive?\n"), "{injected}");
    assert!(injected.contains(service));
    let after = trees(&injected);
    assert_eq!(after.len(), 3);
    assert_eq!(names(&after[2]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
    assert_eq!(trees(&piped("uninject", &injected)), trees(&text));
}

#[test]
fn windows_line_ends_and_a_missing_last_one_are_no_obstacle() {
    for text in [DEPLOYMENT.replace('\n', "\r\n"), DEPLOYMENT.trim_end().to_owned(), format!("\u{FEFF}{DEPLOYMENT}")] {
        let injected = piped("inject", &text);
        assert_eq!(names(&trees(&injected)[0]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
        assert_eq!(trees(&piped("uninject", &injected)), trees(&text));
    }
}

#[test]
fn a_diff_shows_what_would_change_and_nothing_where_nothing_would() {
    let folder = folder(&[("web.yaml", DEPLOYMENT)]);
    let diff = || run(folder.path(), &["inject", "--diff", "web.yaml", "--policies", "mesh.yaml"], "");
    let ran = diff();
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    assert!(ran.output.starts_with("--- web.yaml\n+++ web.yaml\n@@ "), "{}", ran.output);
    assert!(ran.output.contains("\n+        image: proxy:1\n"), "{}", ran.output);
    assert!(ran.output.contains("\n-            tcpSocket:\n"), "{}", ran.output);
    std::fs::write(folder.path().join("web.yaml"), piped("inject", DEPLOYMENT)).expect("written");
    assert_eq!(diff().output, "");
}

#[test]
fn files_and_folders_are_written_in_place_there_and_back() {
    let other = "apiVersion: v1\nkind: ConfigMap\n";
    let files = [("shop/web.yaml", DEPLOYMENT), ("shop/deep/api.yml", DEPLOYMENT), ("shop/other.yaml", other)];
    let folder = folder(&files);
    let read = || files.map(|(name, _)| std::fs::read_to_string(folder.path().join(name)).expect("a file"));
    for command in ["inject", "uninject"] {
        let ran = run(folder.path(), &[command, "--in-place", "shop", "--policies", "mesh.yaml"], "");
        assert_eq!((ran.code, ran.output.as_str(), ran.errors.as_str()), (0, "", ""));
        if command == "inject" {
            let injected = piped("inject", DEPLOYMENT);
            assert_eq!(read(), [injected.as_str(), injected.as_str(), other]);
        }
    }
    assert_eq!(read().map(|text| trees(&text)), files.map(|(_, text)| trees(text)));
}

#[test]
fn several_files_become_documents_of_one_stream() {
    let pod = |name: &str, end: &str| format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}{end}");
    let files = [("a.yaml", pod("a", "")), ("b.yaml", "# nothing\n".to_owned()), ("c.yaml", pod("c", "\n"))];
    let folder = folder(&files);
    let ran = run(folder.path(), &["inject", "a.yaml", "b.yaml", "c.yaml", "--policies", "mesh.yaml"], "");
    let named: Vec<_> = trees(&ran.output).iter().map(|tree| tree["metadata"]["name"].clone()).collect();
    assert_eq!((ran.code, named), (0, vec!["a".into(), "c".into()]), "{}", ran.output);
}

#[test]
fn standard_input_cannot_be_written_in_place() {
    let folder = folder::<&str>(&[]);
    let ran = run(folder.path(), &["inject", "--in-place", "-", "--policies", "mesh.yaml"], DEPLOYMENT);
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert!(ran.errors.contains("leave --in-place out"), "{}", ran.errors);
    assert!(!folder.path().join("-").exists());
}

/// Layouts as people and tools write them: in brackets, empty, without indentation, with four blanks, folded, on one line.
const LAYOUTS: &str = r#"apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: a}
  spec:
    template:
      metadata:
      spec:
        containers:
        - name: a
          image: a
          args:
          - |
            multi
            line
          # trailing comment of a

        # comment before volumes
        volumes:

- apiVersion: v1
  kind: Pod
  metadata: {name: b, labels: {}}
  spec: {containers: [{name: b, image: b, readinessProbe: {grpc: {port: 1}}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: c
spec:
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            -
              name: c
              image: c
              env:
                - name: A
                  value: >-
                    folded
                    text
---
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"d"},"spec":{"containers":[{"name":"d","image":"d"}]}} {"apiVersion":"v1","kind":"Pod","metadata":{"name":"e"},"spec":{"containers":[{"name":"e","image":"e"}]}}
---
apiVersion: v1
kind: Pod
metadata:
    name: f
spec:
    "containers":
    -   name: f
        image: f
        livenessProbe:
            exec:
                command: ["x"]
"#;

/// Without what is empty: nobody remembers whether that was there.
fn filled(mut value: Value) -> Value {
    let is_filled = |value: &Value| match value {
        Value::Null => false,
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    match &mut value {
        Value::Object(members) => {
            *members = std::mem::take(members)
                .into_iter()
                .map(|(key, value)| (key, filled(value)))
                .filter(|(_, value)| is_filled(value))
                .collect();
        }
        Value::Array(elements) => *elements = std::mem::take(elements).into_iter().map(filled).collect(),
        _ => {}
    }
    value
}

#[test]
fn every_layout_can_be_edited_there_and_back() {
    let always = MESH.replace("spec:\n  enablement:", "spec:\n  mode: Always\n  enablement:");
    let folder = folder(&[("always.yaml", always)]);
    let ran = |command: &str, text: &str| {
        let ran = run(folder.path(), &[command, "-", "--policies", "always.yaml"], text);
        assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
        ran.output
    };
    let injected = ran("inject", LAYOUTS);
    assert_eq!(injected.matches("proxy:1").count(), 6, "{injected}");
    assert_eq!(ran("inject", &injected), injected);
    let all = |text: &str| trees(text).into_iter().map(filled).collect::<Vec<_>>();
    assert_eq!(all(&ran("uninject", &injected)), all(LAYOUTS));
    for comment in [
        "          # trailing comment of a\n",
        "        # comment before volumes\n",
        "            multi\n            line\n",
    ] {
        assert!(injected.contains(comment), "{injected}");
    }
}
