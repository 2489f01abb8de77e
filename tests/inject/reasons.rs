//! The codes of reasons: one table, which the page, `portcullis explain` and everything that is told are made from.

use std::fmt::Write;
use std::path::Path;

use portcullis::engine::mutation::Reason;
use serde_json::{Value, json};

use super::review::review_of;
use super::{MESH, folder, run};

/// `UPDATE_DOCS=1 cargo test --test inject` writes the page.
#[test]
fn the_page_of_reasons_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/reasons.md");
    let mut page = HEAD.to_owned();
    let (rows, others): (Vec<Reason>, Vec<Reason>) = Reason::ALL.iter().partition(|reason| reason.is_row());
    for (title, reasons) in [(ROWS, rows), (OTHERS, others)] {
        write!(page, "\n{title}\n\n| code | means | what to do |\n|---|---|---|\n").expect("a head");
        for reason in reasons {
            writeln!(page, "| `{}` | {} | {} |", reason.code(), reason.text(), reason.advice()).expect("a line");
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).expect("a writable page");
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(current, page, "run UPDATE_DOCS=1 cargo test --test inject, and read what changed");
}

#[test]
fn every_reason_is_explained_by_its_code() {
    let folder = folder::<&str>(&[]);
    let list = run(folder.path(), &["explain"], "");
    assert_eq!((list.code, list.errors.as_str()), (0, ""));
    for reason in Reason::ALL {
        assert!(list.output.contains(&format!("\n{:<30} {}\n", reason.code(), reason.text())), "{}", list.output);
    }
    let told = run(folder.path(), &["explain", "Uid_Taken"], "");
    let expected = format!("uid_taken: {}\n\n{}\n", Reason::UidTaken.text(), Reason::UidTaken.advice());
    assert_eq!((told.code, told.output), (0, expected));
    assert!(run(folder.path(), &["explain", "hostPorts"], "").output.starts_with("# hostPorts"));
    let unknown = run(folder.path(), &["explain", "uid_token"], "");
    assert_eq!(unknown.code, 2);
    assert!(unknown.errors.contains("\"uid_token\"") && unknown.errors.contains("uid_taken"), "{}", unknown.errors);
}

/// What happens in a cluster is held by e2e/mutation/told.rs.
#[test]
fn what_is_explained_is_what_the_audit_log_is_told_and_what_is_warned_of() {
    let kept = MESH.replace("enablement:", "conflicts: {containerName: Skip}\n  enablement:");
    let defaults = "\
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: users}
spec: {security: {runAsNonRoot: WhenUserIsKnown}}
";
    let folder = folder(&[("mesh.yaml", kept.as_str()), ("users.yaml", defaults)]);
    let policies = ["--policies", "mesh.yaml", "--policies", "users.yaml"];
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"mesh/inject": "true"}},
        "spec": {"containers": [{"name": "proxy", "image": "mine:1"}, {"name": "app", "image": "app:1"}]},
    });
    let explained = run(folder.path(), &[&["inject", "-", "--explain"], &policies[..]].concat(), &pod.to_string());
    let review = review_of(&pod).to_string();
    let online = run(folder.path(), &[&["review", "--phase", "mutate"], &policies[..]].concat(), &review);
    let answer: Value = serde_json::from_str(&online.output).expect("an answer");
    let response = &answer["response"];

    let bracketed = |line: &str| Some(line.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.to_owned());
    let all: Vec<String> = explained.errors.lines().filter_map(bracketed).collect();
    assert_eq!(all, ["in_by_default", "pod_label", "user_unknown", "container_name_taken"]);
    let audited = response["auditAnnotations"]["mutation"].as_str().expect("an annotation");
    assert_eq!(audited.split("; ").filter_map(|said| said.split(' ').nth(1)).collect::<Vec<_>>(), all);
    let warned = explained.errors.lines().filter(|line| line.contains(": warning: ")).filter_map(bracketed);
    let told = response["warnings"].as_array().into_iter().flatten().filter_map(|text| bracketed(text.as_str()?));
    assert_eq!(warned.collect::<Vec<_>>(), told.collect::<Vec<_>>());
    assert!(explained.errors.contains(": warning: SidecarInjection/mesh: left out: "), "{}", explained.errors);
}

/// A code that is never given is one that nobody need read about.
#[test]
fn every_reason_is_given_somewhere() {
    let mut given = String::new();
    read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/mutation")), &mut given);
    for reason in Reason::ALL {
        assert!(given.contains(&format!("Reason::{reason:?}")), "{reason:?} is never given");
    }
}

/// All sources below, but for tests.
fn read(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match (path.is_dir(), path.file_stem().and_then(|stem| stem.to_str())) {
            (_, Some("tests")) => {}
            (true, _) => read(&path, text),
            (false, _) => *text += &std::fs::read_to_string(&path).expect("a source"),
        }
    }
}

const HEAD: &str = "# Reasons

Whatever documents do to a pod, or leave, has a reason with a code. A decision has the same codes wherever it is told:

- in the warnings that `kubectl` shows, in brackets at the end, and so in the refusal of a pod;
- in the audit log, in the annotation whose key ends in `/mutation`: document, code and what it is about;
- in the metric `portcullis_mutation_decisions_total{document, reason, outcome}`;
- in Events beside the ReplicaSet, Job, StatefulSet or DaemonSet that made the pod, as their reason;
- on the command line, by `portcullis inject --explain`.

`portcullis explain CODE` prints what this page says. It is made from the table in `src/engine/mutation/plan.rs`; a test holds the two
together.
";

const ROWS: &str = "## Whether a document is for a pod

In the order in which it is decided; `opt_out_ignored` and `label_annotation_disagree` are warnings beside a decision.";

const OTHERS: &str = "## What came of it";
