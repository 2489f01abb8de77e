//! Workflow commands: `::error file=…,line=…,col=…,title=…::message`, from which GitHub Actions makes annotations.
//!
//! Kept true: whatever a manifest says, a command is one line and ends where it should.

use super::{Answer, Located, Outcome, Severity, push};
use crate::manifest::Position;

pub(super) fn batch(outcomes: &[Outcome<'_>]) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let is_fault = outcome.answer == Answer::NotJudged;
        if is_fault || outcome.answer == Answer::Deny && outcome.findings.is_empty() {
            let title = if is_fault { "could not be judged" } else { "denied" };
            let message = match &outcome.hint {
                Some(hint) => format!("{}; {hint}", outcome.message),
                None => outcome.message.clone(),
            };
            command(&mut text, "error", (outcome.file, outcome.position()), title, &message);
        }
        for located in &outcome.findings {
            finding(&mut text, outcome, located);
        }
    }
    text
}

fn finding(text: &mut String, outcome: &Outcome<'_>, located: &Located) {
    let name = match located.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let finding = &located.finding;
    for ((violation, (place, _)), detail) in finding.violations.iter().zip(&located.places).zip(located.details()) {
        let path = &violation.path;
        let message = format!("{}: {detail}\n{path}: {}", outcome.subject(), violation.fix);
        command(text, name, (outcome.file, place.position), finding.check.id, &message);
    }
}

fn command(text: &mut String, name: &str, (file, position): (&str, Position), title: &str, message: &str) {
    let Position { line, column } = position;
    let (file, title, message) = (property(file), property(title), data(message));
    push(text, format_args!("::{name} file={file},line={line},col={column},title={title}::{message}\n"));
}

/// What a command's message must not hold as it is.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What a command's property must not hold as it is.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
