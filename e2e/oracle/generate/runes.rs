//! Every Unicode scalar value once, where upstream prints it quoted: what is printable is a table, and tables have holes.

use super::tweaks::APP_ARMOR_PREFIX;
use serde_json::{Value, json};

/// As many runes as one pod carries.
const IN_ONE_POD: usize = 4096;

/// Pods with forbidden annotations that together hold every rune.
pub fn questions() -> Vec<Value> {
    let runes: Vec<char> = ('\0'..=char::MAX).collect();
    let texts = runes.chunks(IN_ONE_POD).map(|runes| runes.iter().collect::<String>());
    texts
        .map(|text| {
            let metadata = json!({"annotations": {format!("{APP_ARMOR_PREFIX}a"): text}});
            json!({"op": "pod", "metadata": metadata, "spec": {}, "policies": ["baseline:latest"]})
        })
        .collect()
}
