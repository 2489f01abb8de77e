//! One JSON array with an object for each object that was read, and for each text that could not be.

use serde::Serialize;

use super::{Located, Outcome, Severity};
use crate::engine::pod_security::{Site, Value, Violation};

pub(super) const OPENING: &str = "[\n";
pub(super) const CLOSING: &str = "\n]\n";

/// An element of the array. `violations` are those of the enforced policy: the reasons for a denial.
#[derive(Serialize)]
struct Element<'o> {
    file: &'o str,
    line: usize,
    column: usize,
    kind: &'o str,
    namespace: &'o str,
    name: &'o str,
    verdict: &'static str,
    message: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'o str>,
    violations: Vec<Violated<'o>>,
    warnings: &'o [String],
    notes: &'o [String],
    /// The template that Helm made the document from.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'o str>,
}

#[derive(Serialize)]
struct Violated<'o> {
    check: &'static str,
    level: &'static str,
    reason: &'static str,
    detail: String,
    path: &'o str,
    container: Option<&'o str>,
    value: Option<Scalar<'o>>,
    fix: &'static str,
    line: usize,
    column: usize,
}

/// The value as the manifest has it.
#[derive(Serialize)]
#[serde(untagged)]
enum Scalar<'o> {
    Bool(bool),
    Number(i64),
    Text(&'o str),
}

pub(super) fn batch(outcomes: &[Outcome<'_>]) -> String {
    let elements: Vec<String> = outcomes.iter().map(element).collect();
    elements.join(",\n")
}

fn element(outcome: &Outcome<'_>) -> String {
    let position = outcome.position();
    let element = Element {
        file: outcome.file,
        line: position.line,
        column: position.column,
        kind: &outcome.kind,
        namespace: &outcome.namespace,
        name: &outcome.name,
        verdict: outcome.answer.name(),
        message: &outcome.message,
        hint: outcome.hint.as_deref(),
        violations: outcome.findings.iter().flat_map(violated).collect(),
        warnings: &outcome.warnings,
        notes: &outcome.notes,
        source: outcome.document.and_then(|document| document.source.as_deref()),
    };
    // Text, numbers and lists of these always serialise.
    serde_json::to_string(&element).unwrap_or_default()
}

fn violated(located: &Located) -> Vec<Violated<'_>> {
    if located.severity != Severity::Error {
        return Vec::new();
    }
    let finding = &located.finding;
    let pairs = finding.violations.iter().zip(&located.places).zip(located.details());
    pairs
        .map(|((violation, (place, _)), detail)| Violated {
            check: finding.check.id,
            level: finding.check.level.name(),
            reason: finding.reason(),
            detail,
            path: &violation.path,
            container: container_of(violation),
            value: scalar(&violation.value),
            fix: violation.fix,
            line: place.position.line,
            column: place.position.column,
        })
        .collect()
}

fn container_of(violation: &Violation) -> Option<&str> {
    match &violation.site {
        Site::Container { name, .. } => Some(name),
        Site::Pod | Site::Volume { .. } | Site::Annotation { .. } => None,
    }
}

fn scalar(value: &Value) -> Option<Scalar<'_>> {
    match value {
        Value::Missing => None,
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Number(value) => Some(Scalar::Number(*value)),
        Value::Text(value) => Some(Scalar::Text(value)),
    }
}
