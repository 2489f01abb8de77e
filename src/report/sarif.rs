//! SARIF 2.1.0: a rule for each check, with its page for help, and a result for each violation.

use serde_json::{Value as Json, json};

use super::{Answer, Located, Outcome, Severity, Summary};
use crate::engine::pod_security::{Check, registry};
use crate::manifest::Position;

/// The rule of what could not be judged.
const NOT_JUDGED: &str = "not-judged";
/// The rule of what is denied for another reason than a check.
const DENIED: &str = "denied";

/// The log up to its results.
pub(super) fn opening() -> String {
    let checks = registry().checks().iter().map(rule);
    let rules: Vec<Json> = checks.chain([not_judged(), denied()]).collect();
    let driver = json!({
        "name": "portcullis",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
    });
    format!(
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\n\
         \"tool\":{{\"driver\":{driver}}},\n\"columnKind\":\"unicodeCodePoints\",\n\"results\":[\n"
    )
}

/// The log after its results.
pub(super) fn closing(summary: &Summary) -> String {
    let invocation = json!({"executionSuccessful": summary.not_judged == 0, "exitCode": summary.exit_code()});
    format!("\n],\n\"invocations\":[{invocation}]\n}}]}}\n")
}

fn rule(check: &Check) -> Json {
    let summary = format!("Forbidden by the {} level of the Pod Security Standards.", check.level);
    json!({
        "id": check.id,
        "name": check.id,
        "shortDescription": {"text": summary},
        "help": {"text": check.page, "markdown": check.page},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["security", check.level.name()]},
    })
}

fn not_judged() -> Json {
    json!({
        "id": NOT_JUDGED,
        "shortDescription": {"text": "Could not be judged."},
        "help": {"text": "The text cannot be read as a Kubernetes object, so that nothing is known of it. Mend it and judge it again."},
        "defaultConfiguration": {"level": "error"},
    })
}

fn denied() -> Json {
    json!({
        "id": DENIED,
        "shortDescription": {"text": "The API server would refuse it."},
        "help": {"text": "The object is refused for the reason that the message gives."},
        "defaultConfiguration": {"level": "error"},
    })
}

pub(super) fn batch(outcomes: &[Outcome<'_>]) -> String {
    let mut results = Vec::new();
    for outcome in outcomes {
        match outcome.answer {
            Answer::NotJudged => results.push(whole(NOT_JUDGED, outcome)),
            Answer::Deny if outcome.findings.is_empty() => results.push(whole(DENIED, outcome)),
            Answer::Deny | Answer::Allow | Answer::PassedOver => {}
        }
        outcome.findings.iter().for_each(|located| violations(outcome, located, &mut results));
    }
    results.join(",\n")
}

fn whole(rule: &str, outcome: &Outcome<'_>) -> String {
    let text = match &outcome.hint {
        Some(hint) => format!("{}; {hint}", outcome.message),
        None => outcome.message.clone(),
    };
    let location = location(outcome.file, outcome.position(), None);
    result(rule, "error", &text, &location)
}

fn violations(outcome: &Outcome<'_>, located: &Located, results: &mut Vec<String>) {
    let level = match located.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let finding = &located.finding;
    let subject = outcome.subject();
    for ((violation, (place, _)), detail) in finding.violations.iter().zip(&located.places).zip(located.details()) {
        let text = format!("{subject}: {detail}; {}", violation.fix);
        let location = location(outcome.file, place.position, Some(&violation.path));
        results.push(result(finding.check.id, level, &text, &location));
    }
}

fn result(rule: &str, level: &str, text: &str, location: &Json) -> String {
    json!({"ruleId": rule, "level": level, "message": {"text": text}, "locations": [location]}).to_string()
}

fn location(file: &str, position: Position, path: Option<&str>) -> Json {
    let physical = json!({
        "artifactLocation": {"uri": uri(file)},
        "region": {"startLine": position.line, "startColumn": position.column},
    });
    match path {
        Some(path) => json!({"physicalLocation": physical, "logicalLocations": [{"fullyQualifiedName": path}]}),
        None => json!({"physicalLocation": physical}),
    }
}

/// A path as a URI reference: relative ones stay relative.
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    if file.starts_with('/') {
        uri.push_str("file://");
    }
    let path = file.strip_prefix("./").unwrap_or(file);
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => super::push(&mut uri, format_args!("%{byte:02X}")),
        }
    }
    uri
}
