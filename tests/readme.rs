//! What the README promises to newcomers: its first command prints what is printed there, and its files are there.

use std::path::Path;
use std::process::Command;

#[test]
fn the_first_check_prints_what_the_readme_shows() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let shown =
        readme.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).expect("a block of output");
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["check", "docs/examples/privileged.yaml"])
        .current_dir(root)
        .output()
        .expect("the program runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(1));
    assert!(printed.starts_with(shown), "the README shows\n{shown}\n\nbut this is printed\n{printed}");
    let findings = printed.lines().filter(|line| line.starts_with("error[")).count();
    assert_eq!(findings, 7, "the README says seven");
}

#[test]
fn the_compliant_example_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["check", "docs/examples/restricted.yaml"])
        .current_dir(root)
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn what_make_run_prints_can_be_typed_and_shows_a_sidecar() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = std::fs::read_to_string(root.join("Makefile")).expect("Makefile");
    let (_, run) = makefile.split_once("\nrun: ").expect("a target run");
    let (run, _) = run.split_once("\n\n").expect("its end");
    let printed =
        run.lines().filter_map(|line| line.trim().strip_prefix("'  target/release/portcullis ")?.split('\'').next());
    let mut typed = Vec::new();
    for line in printed {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(&arguments)
            .current_dir(root)
            .output()
            .expect("the program runs");
        assert!(
            output.status.code().is_some_and(|code| code < 2),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        typed.push(String::from_utf8(output.stdout).expect("text"));
    }
    assert_eq!(typed.len(), 2, "a check and an injection");
    assert!(typed.iter().any(|text| text.contains("error[privileged]")), "{typed:?}");
    assert!(typed.iter().any(|text| text.contains("+        name: log-shipper\n")), "{typed:?}");
    let served = run.lines().last().and_then(|line| line.split_once("serve --policies ")).expect("what is served").1;
    assert!(root.join(served).join("policy.yaml").is_file(), "{served}");
}
