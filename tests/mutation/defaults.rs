//! A random `PodDefaults`.

use serde_json::{Value, json};

use crate::edit::put;
use crate::random::Random;

pub fn document(name: &str, random: &mut Random) -> Value {
    let mut spec = json!({"mode": random.word(&["Always", "Always", "OptOut"])});
    type Part = fn(&mut Random) -> Value;
    let parts: [(&str, Part); 6] = [
        ("resources", resources),
        ("security", security),
        ("probes", |_| json!({"readinessFromLiveness": true})),
        ("scheduling", scheduling),
        ("dns", |random| json!({"options": {"ndots": random.word(&["2", "3"]), "edns0": ""}})),
        ("pod", pod),
    ];
    let share = *random.pick(&[30, 60, 100]);
    for (part, make) in parts {
        if random.percent(share) {
            put(&mut spec, part, Some(make(random)));
        }
    }
    if random.percent(20) {
        put(&mut spec, "onConflict", Some(json!(random.word(&["Skip", "Deny", "Warn"]))));
    }
    if random.percent(15) {
        put(&mut spec, "match", Some(json!({"podSelector": {"matchLabels": {"app": "a"}}})));
    }
    json!({"apiVersion": "portcullis.dev/v1", "kind": "PodDefaults", "metadata": {"name": name}, "spec": spec})
}

fn resources(random: &mut Random) -> Value {
    let mut whole = json!({
        "containers": amounts(random),
        "initContainers": amounts(random),
        "requestAboveDefaultLimit": random.word(&["RaiseLimit", "RaiseLimit", "OmitLimit", "Deny"]),
        "guaranteed": random.percent(25),
    });
    if random.percent(40) {
        let skip = random.word(&["PodLevelResources", "ExtendedResources", "VpaManaged"]);
        put(&mut whole, "skipWhen", Some(json!([skip])));
    }
    if random.percent(25) {
        put(&mut whole, "names.exclude", Some(json!(["other-*"])));
    }
    whole
}

fn amounts(random: &mut Random) -> Value {
    const CPU: [(&str, &str); 6] = [
        (r#""100m""#, r#""1""#),
        (r#""0.25""#, r#"{"fromRequest":2}"#),
        (r#"{"fromLimit":"0.5"}"#, r#""4""#),
        (r#""1""#, "null"),
        ("null", r#""2""#),
        (r#""100m""#, r#"{"fromRequest":"1.5","round":"7m","max":"3"}"#),
    ];
    const MEMORY: [(&str, &str); 5] = [
        (r#""48Mi""#, r#"{"fromRequest":1}"#),
        (r#""64Mi""#, r#""1Gi""#),
        ("null", r#""512Mi""#),
        (r#"{"fromLimit":"0.25","min":"16Mi"}"#, r#""2Gi""#),
        (r#""100M""#, "null"),
    ];
    let mut whole = json!({});
    for (resource, pairs) in [("cpu", CPU.as_slice()), ("memory", MEMORY.as_slice())] {
        if random.percent(75) {
            let (request, limit) = *random.pick(pairs);
            for (side, amount) in [("requests", request), ("limits", limit)] {
                let amount: Value = serde_json::from_str(amount).unwrap_or_default();
                put(&mut whole, &format!("{side}.{resource}"), Some(amount).filter(|amount| !amount.is_null()));
            }
        }
    }
    whole
}

fn security(random: &mut Random) -> Value {
    let writable =
        json!({"writable": [{"path": "/tmp", "safeToEvict": true}, {"path": "/var/run", "sizeLimit": "10Mi"}]});
    let fields = [
        ("seccompProfile", json!("RuntimeDefault")),
        ("runAsNonRoot", json!(random.word(&["WhenUserIsKnown", "Always"]))),
        ("denyPrivilegeEscalation", json!(true)),
        ("capabilities", json!({"dropAll": random.percent(50), "drop": ["NET_RAW", "MKNOD"]})),
        ("readOnlyRootFilesystem", writable),
        ("automountServiceAccountToken", json!({})),
        ("containers", json!({"include": ["app", "init-*"]})),
    ];
    some(&fields, 60, random)
}

fn scheduling(random: &mut Random) -> Value {
    let fields = [
        (
            "tolerations",
            json!([{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}, {"key": "gpu", "value": "a", "effect": "NoSchedule"}]),
        ),
        ("requiredNodeAffinity", json!([{"key": "arch", "operator": "In", "values": ["amd64"]}])),
        ("topologySpread", json!([{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}])),
        ("priorityClassName", json!(random.word(&["steady", "high", "missing"]))),
    ];
    some(&fields, 60, random)
}

fn pod(random: &mut Random) -> Value {
    let fields = [
        ("labels", json!({"team": "x", "app": "b"})),
        ("annotations", json!({"example.com/note": "c"})),
        ("imagePullSecrets", json!(["s"])),
    ];
    some(&fields, 70, random)
}

/// Some of these fields.
pub fn some(fields: &[(&str, Value)], share: usize, random: &mut Random) -> Value {
    fields.iter().filter(|_| random.percent(share)).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
