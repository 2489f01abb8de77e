//! `portcullis check`, the program itself: manifests in, findings and an exit code out.

mod bad_input;
mod formats;
mod policies;
mod streams;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A pod that the restricted level allows.
const GOOD: &str = r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "good"}, "spec": {
  "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
  "containers": [{"name": "a", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}
"#;

/// A pod that the baseline level forbids.
const BAD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\nspec:\n  hostPID: true\n";

/// A folder with these files.
fn folder<B: AsRef<[u8]>>(files: &[(&str, B)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// The program, in `folder`, with an environment that says nothing of colours.
fn check(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "CI", "COLUMNS"] {
        command.env_remove(name);
    }
    command.current_dir(folder).arg("check").args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    check(folder, arguments).output().expect("it runs")
}

/// The exit code and the array of `-o json`.
fn judged(folder: &Path, arguments: &[&str]) -> (i32, Vec<Value>) {
    let output = run(folder, &[&["-o", "json"], arguments].concat());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().expect("a code"), serde_json::from_slice(&output.stdout).expect("one array"))
}

/// Kind, name and verdict of each element.
fn verdicts(elements: &[Value]) -> Vec<String> {
    let text = |element: &Value, key: &str| element[key].as_str().expect("text").to_owned();
    elements.iter().map(|e| format!("{} {} {}", text(e, "kind"), text(e, "name"), text(e, "verdict"))).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
