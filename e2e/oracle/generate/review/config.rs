//! Upstream's `PodSecurityConfiguration`: absent, full, partial, and such as is refused.

use super::{NAMESPACES, RUNTIME_CLASSES, USERS, labels};
use crate::generate::random::Random;
use serde_json::{Map, Value, json};

/// The configuration; null is none given.
pub fn config(random: &mut Random) -> Value {
    if random.percent(35) {
        return Value::Null;
    }
    let version = random.word(&["v1", "v1", "v1", "v1beta1", "v1alpha1"]);
    let mut config = json!({
        "apiVersion": format!("pod-security.admission.config.k8s.io/{version}"),
        "kind": "PodSecurityConfiguration",
    });
    let invalid = if random.percent(3) { 40 } else { 0 };
    if random.percent(75) {
        config["defaults"] = defaults(invalid, random);
    }
    if random.percent(75) {
        config["exemptions"] = exemptions(random);
    }
    if random.percent(4) {
        spoil(&mut config, random);
    }
    config
}

fn defaults(invalid: usize, random: &mut Random) -> Value {
    let mut defaults = Map::new();
    for mode in ["enforce", "audit", "warn"] {
        if random.percent(60) {
            defaults.insert(mode.into(), json!(labels::level(invalid, random)));
        }
        if random.percent(50) {
            defaults.insert(format!("{mode}-version"), json!(labels::version(invalid, random)));
        }
    }
    Value::Object(defaults)
}

fn exemptions(random: &mut Random) -> Value {
    let mut exemptions = Map::new();
    for (key, names) in [("usernames", USERS), ("namespaces", NAMESPACES), ("runtimeClasses", RUNTIME_CLASSES)] {
        if random.percent(50) {
            let mut chosen: Vec<&str> = Vec::new();
            for name in names {
                if random.percent(35) && !chosen.contains(name) {
                    chosen.push(name);
                }
            }
            exemptions.insert(key.into(), if random.percent(5) { Value::Null } else { json!(chosen) });
        }
    }
    Value::Object(exemptions)
}

/// What the loader or the validation refuses, and some that look wrong and are taken.
fn spoil(config: &mut Value, random: &mut Random) {
    match random.below(10) {
        0 => config["apiVersion"] = json!("pod-security.admission.config.k8s.io/v2"),
        1 => config["kind"] = json!("AdmissionConfiguration"),
        2 => config["unknown"] = json!(true),
        3 => config["exemptions"] = json!({"runtimeClassNames": ["gvisor"]}),
        4 => config["exemptions"] = json!({"namespaces": ["team-a", "team-a"]}),
        5 => config["exemptions"] = json!({"namespaces": [random.word(&["Team", "a.b", "", "a_b", "-a"])]}),
        6 => config["exemptions"] = json!({"runtimeClasses": [random.word(&["Kata", "a..b", "", "a_b", "ok.name"])]}),
        7 => config["exemptions"] = json!({"usernames": [random.word(&["", " ", "alice"]), "alice"]}),
        8 => config["defaults"] = json!({"enforce": random.word(&["", "Baseline", "baseline"])}),
        _ => config["exemptions"] = random.pick(&[Value::Null, Value::Bool(true)]).clone(),
    }
}
