//! What a review counts: the counters that our `/metrics` would show, beside those of upstream's own recorder.
//!
//! The label `subresource` is cut to the names that ours is bounded to; everything else has to be equal.

use portcullis::{
    engine::{Request, Verdict},
    telemetry::Metrics,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The counters that were moved, as lines of Prometheus' text with their labels in order, and how often.
pub type Counts = BTreeMap<String, u64>;

/// The counts in the judge's answer.
pub fn upstream(answer: &Value) -> Counts {
    let mut counts = Counts::new();
    for count in answer.get("metrics").and_then(Value::as_array).into_iter().flatten() {
        let labels = count.get("labels").and_then(Value::as_object).into_iter().flatten();
        let labels = labels.filter_map(|(key, value)| Some((key.as_str(), bounded(key, value.as_str()?))));
        let name = count.get("name").and_then(Value::as_str).unwrap_or_default();
        let value = count.get("value").and_then(Value::as_u64).unwrap_or_default();
        *counts.entry(counter(name, labels.collect())).or_default() += value;
    }
    counts
}

/// The counts of our verdict, read from the page that Prometheus would be given.
pub fn ours(request: &Request<'_>, verdict: &Verdict) -> Counts {
    if verdict.events().is_empty() {
        return Counts::new();
    }
    let metrics = Metrics::default();
    metrics.judged(request, verdict);
    metrics.render(true).lines().filter_map(sample).filter(|(_, value)| *value > 0).collect()
}

/// A line of Pod Security's counters, such as `name{a="b",c="d"} 1`. None of their labels holds a quote or a comma.
fn sample(line: &str) -> Option<(String, u64)> {
    let (name, rest) = line.split_once('{').filter(|(name, _)| name.starts_with("pod_security_"))?;
    let (labels, value) = rest.split_once("} ")?;
    let labels = labels.split(',').filter_map(|label| label.split_once('='));
    Some((counter(name, labels.map(|(key, value)| (key, value.trim_matches('"'))).collect()), value.parse().ok()?))
}

fn counter(name: &str, labels: BTreeMap<&str, &str>) -> String {
    let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{name} {}", labels.join(" "))
}

fn bounded<'v>(key: &str, value: &'v str) -> &'v str {
    let is_bounded = key != "subresource" || matches!(value, "" | "ephemeralcontainers" | "resize");
    if is_bounded { value } else { "other" }
}
