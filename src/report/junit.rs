//! JUnit's XML: a suite for each input (a large one has several), a case for each object.
//!
//! Kept true: it is well-formed XML 1.0 whatever a manifest says.

use super::{Answer, Located, Outcome, Severity, push};

pub(super) const OPENING: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"portcullis check\">\n";
pub(super) const CLOSING: &str = "</testsuites>\n";

pub(super) fn batch(outcomes: &[Outcome<'_>]) -> String {
    let mut text = String::new();
    for suite in outcomes.chunk_by(|one, next| one.file == next.file) {
        write_suite(&mut text, suite);
    }
    text
}

fn write_suite(text: &mut String, outcomes: &[Outcome<'_>]) {
    let Some(first) = outcomes.first() else { return };
    let count = |answer| outcomes.iter().filter(|outcome| outcome.answer == answer).count();
    push(
        text,
        format_args!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
            escape(first.file),
            outcomes.len(),
            count(Answer::Deny),
            count(Answer::NotJudged),
            count(Answer::PassedOver),
        ),
    );
    outcomes.iter().for_each(|outcome| write_case(text, outcome));
    text.push_str("  </testsuite>\n");
}

fn write_case(text: &mut String, outcome: &Outcome<'_>) {
    let line = outcome.position().line;
    let subject = outcome.subject();
    let name = if subject.is_empty() { format!("line {line}") } else { subject };
    let (name, file) = (escape(&name), escape(outcome.file));
    push(text, format_args!("    <testcase classname=\"{file}\" name=\"{name}\" file=\"{file}\" line=\"{line}\""));
    let body = body(outcome);
    if body.is_empty() {
        text.push_str("/>\n");
    } else {
        push(text, format_args!(">\n{body}    </testcase>\n"));
    }
}

fn body(outcome: &Outcome<'_>) -> String {
    let mut body = String::new();
    let message = escape(&outcome.message);
    match outcome.answer {
        Answer::Allow => {}
        Answer::PassedOver => {
            push(&mut body, format_args!("      <skipped message=\"{}\"/>\n", escape(&outcome.notes.join("; "))));
        }
        Answer::Deny => {
            let details = escape(&details(outcome, Severity::Error));
            push(&mut body, format_args!("      <failure type=\"denied\" message=\"{message}\">{details}</failure>\n"));
        }
        Answer::NotJudged => {
            let hint = escape(outcome.hint.as_deref().unwrap_or_default());
            push(&mut body, format_args!("      <error type=\"not-judged\" message=\"{message}\">{hint}</error>\n"));
        }
    }
    let warnings = details(outcome, Severity::Warning);
    if !warnings.is_empty() {
        push(&mut body, format_args!("      <system-out>{}</system-out>\n", escape(&warnings)));
    }
    body
}

/// A line for each violation.
fn details(outcome: &Outcome<'_>, severity: Severity) -> String {
    let mut lines = Vec::new();
    for located in outcome.findings.iter().filter(|located| located.severity == severity) {
        violations(outcome.file, located, &mut lines);
    }
    lines.join("\n")
}

fn violations(file: &str, located: &Located, lines: &mut Vec<String>) {
    let id = located.finding.check.id;
    for (violation, (place, _)) in located.finding.violations.iter().zip(&located.places) {
        let (line, column) = (place.position.line, place.position.column);
        let (path, value, fix) = (&violation.path, &violation.value, violation.fix);
        lines.push(format!("{file}:{line}:{column}: {id}: {path} is {value}: {fix}"));
    }
}

/// Text as XML has it, in attributes too. What XML cannot hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\0'..' ' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            other => escaped.push(other),
        }
    }
    escaped
}
