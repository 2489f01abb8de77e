//! The codes of reasons: one table, which the page, `portcullis explain` and everything that is told are made from.

use std::fmt::Write;
use std::path::Path;

use portcullis::engine::mutation::Reason;

use super::{folder, run};

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
