//! What upstream has to have said at least once: each way in which a review can end, by a few of its words.
//!
//! Reviews have no cells to count, as pods have; an ending that no review reaches is a place where ours was never compared.

use serde_json::Value;
use std::collections::BTreeMap;

/// Words of answers, written as `key=value` where the key matters.
const SAYINGS: &[&str] = &[
    // denials, and the errors of those who cannot be judged
    "violates PodSecurity \"restricted:v1.",
    "violates PodSecurity \"restricted:latest\"",
    "violates PodSecurity \"baseline:",
    "would violate PodSecurity \"restricted:",
    "would violate PodSecurity \"baseline:",
    "message=Internal error occurred: failed to lookup namespace",
    "error=failed to lookup namespace",
    "message=failed to decode object",
    "message=failed to decode old object",
    "message=failed to decode  old object",
    "message=failed to decode pod",
    "message=failed to decode old pod",
    "message=failed to decode namespace",
    "message=failed to decode  old namespace",
    "error=failed to decode object: ",
    "error=failed to extract pod template: unexpected object type: ",
    "error=Failed to parse policy: metadata.labels[",
    "error=Failed to parse policy: [metadata.labels[",
    // labels of namespaces
    "is invalid: metadata.labels[pod-security.kubernetes.io/enforce]",
    "is invalid: metadata.labels[pod-security.kubernetes.io/audit-version]",
    "is invalid: [metadata.labels[",
    "reason=FieldValueInvalid",
    // exemptions
    "exempt=namespace",
    "exempt=user",
    "exempt=runtimeClass",
    "is exempt from Pod Security, and the policy (enforce=",
    "is exempt from Pod Security, and the policy (audit=",
    "is exempt from Pod Security, and the policy (warn=",
    "is exempt from Pod Security, and the policy ()",
    // the dry run over a namespace's pods
    "new PodSecurity enforce level only checked against the first 3000 of",
    "existing pods in namespace",
    " (and 1 other pod): ",
    " other pods): ",
    // the webhook's own refusals
    "config_error=",
    "bad_request=",
    // counters
    "policy_version=future",
    "policy_version=latest",
    "policy_version=v1.",
    "mode=warn",
    "mode=audit",
    "resource=controller",
    "subresource=ephemeralcontainers",
    "subresource=unknown",
    "fatal=true",
    "fatal=false",
    "enforce-policy=privileged:latest",
];

/// How often each saying was heard.
pub struct Sayings(BTreeMap<&'static str, usize>);

impl Sayings {
    pub fn new() -> Self {
        Self(SAYINGS.iter().map(|saying| (*saying, 0)).collect())
    }

    /// Listens to one answer of upstream's.
    pub fn count(&mut self, answer: &Value) {
        let mut words = Vec::new();
        collect("", answer, &mut words);
        for (saying, count) in &mut self.0 {
            *count += usize::from(words.iter().any(|word| word.contains(saying)));
        }
    }

    pub fn unheard(&self) -> Vec<&'static str> {
        self.0.iter().filter(|(_, count)| **count == 0).map(|(saying, _)| *saying).collect()
    }

    /// The saying that was heard least.
    pub fn rarest(&self) -> Option<(&'static str, usize)> {
        self.0.iter().map(|(saying, count)| (*saying, *count)).min_by_key(|(_, count)| *count)
    }
}

fn collect(key: &str, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => words.push(format!("{key}={text}")),
        Value::Array(items) => items.iter().for_each(|item| collect(key, item, words)),
        Value::Object(fields) => fields.iter().for_each(|(key, value)| collect(key, value, words)),
        _ => {}
    }
}
