//! Label sets of namespaces: the six labels of Pod Security, right, wrong and missing, among others.

use super::super::{random::Random, words};
use serde_json::{Map, Value, json};

const PREFIX: &str = "pod-security.kubernetes.io/";
const MODES: &[&str] = &["enforce", "audit", "warn"];

/// The labels of a namespace; null is what Go writes for none.
pub fn labels(random: &mut Random) -> Value {
    if random.percent(6) {
        return if random.percent(50) { Value::Null } else { json!({}) };
    }
    let mut labels = Map::new();
    let invalid = if random.percent(20) { 30 } else { 0 };
    // Often all of them, often hardly one.
    let (levels, versions) = *random.pick(&[(60, 45), (60, 45), (25, 15)]);
    for mode in MODES {
        if random.percent(levels) {
            labels.insert(format!("{PREFIX}{mode}"), json!(level(invalid, random)));
        }
        if random.percent(versions) {
            labels.insert(format!("{PREFIX}{mode}-version"), json!(version(invalid, random)));
        }
    }
    if random.percent(20) {
        labels.insert("kubernetes.io/metadata.name".into(), json!("team-a"));
    }
    if random.percent(8) {
        let key =
            random.word(&["pod-security.kubernetes.io/enforced", "pod-security.kubernetes.io/Enforce", "enforce"]);
        labels.insert(key.into(), json!("restricted"));
    }
    Value::Object(labels)
}

/// The same labels after an edit: one label set or taken away, or none at all.
pub fn edited(before: &Value, random: &mut Random) -> Value {
    if random.percent(15) {
        return labels(random);
    }
    let mut after = before.as_object().cloned().unwrap_or_default();
    let (mode, invalid) =
        (random.word(&["enforce", "enforce", "audit", "warn"]), if random.percent(15) { 60 } else { 0 });
    match random.below(8) {
        0..=3 => {
            after.remove(&format!("{PREFIX}{mode}"));
        }
        4 => {
            after.insert(format!("{PREFIX}{mode}-version"), json!(version(invalid, random)));
        }
        5 | 6 => {
            after.insert(format!("{PREFIX}{mode}"), json!(level(invalid, random)));
        }
        _ => {}
    }
    Value::Object(after)
}

pub fn level(invalid_percent: usize, random: &mut Random) -> String {
    if random.percent(invalid_percent) { random.word(words::BAD_LEVELS).into() } else { words::level(random).into() }
}

pub fn version(invalid_percent: usize, random: &mut Random) -> String {
    if random.percent(invalid_percent) { random.word(words::BAD_VERSIONS).into() } else { words::version(random) }
}
