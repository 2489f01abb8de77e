//! Upstream's own fixtures, some 4,500 manifests in folders `level/version/pass` and `level/version/fail`: each is read and
//! defaulted as `portcullis check` does it, and must come out as its folder says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use portcullis::engine::json;
use portcullis::engine::object::{Object, Pod};
use portcullis::engine::pod_security::{LevelVersion, registry};
use portcullis::manifest::{DocumentText, apply_api_defaults, parse};

#[test]
fn upstreams_fixtures_come_out_as_their_folders_say() {
    let mut judged = 0;
    let mut wrong = Vec::new();
    for level in folders(&fixtures()) {
        for version in folders(&level) {
            let policy =
                LevelVersion { level: name(&level).parse().unwrap(), version: name(&version).parse().unwrap() };
            for outcome in folders(&version) {
                for file in folders(&outcome) {
                    judged += 1;
                    if is_allowed(&file, policy) != (name(&outcome) == "pass") {
                        wrong.push(file.display().to_string());
                    }
                }
            }
        }
    }
    assert!(judged > 4000, "only {judged} fixtures found");
    assert!(wrong.is_empty(), "{} of {judged} come out otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

fn is_allowed(file: &Path, policy: LevelVersion) -> bool {
    let mut node = parse(&DocumentText::new(fs::read_to_string(file).unwrap())).unwrap();
    apply_api_defaults(&mut node);
    let mut text = Vec::new();
    node.write_json(&mut text);
    let object: Object<'_> = json::from_slice(&text).unwrap();
    registry().evaluate(policy, &Pod::of(&object)).is_allowed()
}

/// The folder in the module cache, where Go keeps whole modules.
fn fixtures() -> PathBuf {
    const MODULE: &str = "k8s.io/pod-security-admission";
    go(&["mod", "download", MODULE]);
    Path::new(go(&["list", "-m", "-f", "{{.Dir}}", MODULE]).trim()).join("test/testdata")
}

fn go(arguments: &[&str]) -> String {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/oracle/judge");
    let output = Command::new("go").args(arguments).current_dir(module).output().expect("Go, which the oracle needs");
    assert!(output.status.success(), "go {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a folder holds that is a version, an outcome or a manifest.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
