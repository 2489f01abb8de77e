//! What a review counts, as upstream's metrics name and label it (`metrics/metrics.go`).

use portcullis::engine::{
    Event, Operation, Request, Verdict,
    pod_security::{Level, LevelVersion, Version, registry},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// How often each counter was moved: its name and labels, written as one text.
pub type Counts = BTreeMap<String, u64>;

/// The counts in the judge's answer.
pub fn upstream(answer: &Value) -> Counts {
    let counts = answer.get("metrics").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    counts
        .iter()
        .map(|count| {
            let labels = count.get("labels").and_then(Value::as_object).into_iter().flatten();
            let labels = labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
            let name = count.get("name").and_then(Value::as_str).unwrap_or_default();
            (counter(name, &labels.collect()), count.get("value").and_then(Value::as_f64).unwrap_or_default() as u64)
        })
        .collect()
}

/// The counts of our verdict.
pub fn ours(request: &Request<'_>, verdict: &Verdict) -> Counts {
    let mut counts = Counts::new();
    for event in verdict.events() {
        let mut labels = labels_of_request(request);
        let name = match event {
            Event::Evaluation { allowed, policy, mode } => {
                labels.insert("decision".into(), if *allowed { "allow" } else { "deny" }.into());
                labels.insert("policy_level".into(), policy.level.name().into());
                labels.insert("policy_version".into(), version(*policy));
                labels.insert("mode".into(), mode.name().into());
                "pod_security_evaluations_total"
            }
            Event::Exemption => "pod_security_exemptions_total",
            Event::Error { fatal } => {
                labels.insert("fatal".into(), fatal.to_string());
                "pod_security_errors_total"
            }
        };
        *counts.entry(counter(name, &labels)).or_default() += 1;
    }
    counts
}

fn counter(name: &str, labels: &BTreeMap<String, String>) -> String {
    format!("{name}{labels:?}")
}

fn labels_of_request(request: &Request<'_>) -> BTreeMap<String, String> {
    let operation = match request.operation {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Connect => "connect",
    };
    let resource = match &request.resource {
        resource if resource.is_pods() => "pod",
        resource if resource.is_namespaces() => "namespace",
        _ => "controller",
    };
    let labels = [("request_operation", operation), ("resource", resource), ("subresource", &request.subresource)];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Privileged is always `latest`, and what is newer than every check is `future`.
fn version(policy: LevelVersion) -> String {
    match policy.version {
        _ if policy.level == Level::Privileged => "latest".to_owned(),
        Version::Minor(minor) if minor > registry().newest() => "future".to_owned(),
        version => version.to_string(),
    }
}
