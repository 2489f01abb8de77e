//! A random `SidecarInjection`.

use serde_json::{Value, json};

use crate::defaults::some;
use crate::edit::{list, put};
use crate::random::Random;

/// Names that sidecars have, and that pods' own containers have too, now and then. Documents that add the same are warned of when they are
/// applied, so a second one has names of its own.
const NAMES: [[&str; 6]; 2] = [
    ["proxy", "agent", "proxy-two", "init-0", "collector", "setup"],
    ["mesh", "init-1", "watcher", "other-1", "prepare", "shipper"],
];

const VOLUMES: [[&str; 3]; 2] = [["buffer", "certs", "v0"], ["spool", "keys", "v1"]];

/// `number` counts the document's kind.
pub fn document(name: &str, number: usize, random: &mut Random) -> Value {
    let mut spec = json!({"mode": random.word(&["Always", "Always", "Always", "OptOut"]), "newerFields": ["newField"]});
    if random.percent(12) {
        let items = [("v1", 0), ("v2", 30)]
            .map(|(name, weight)| json!({"name": name, "weight": weight, "add": parts(number, random)}));
        put(&mut spec, "revisions", Some(json!({"default": "v1", "items": items})));
    } else {
        put(&mut spec, "add", Some(parts(number, random)));
    }
    let conflicts = [
        ("containerName", json!(random.word(&["Deny", "Skip", "MergeAuto"]))),
        ("volumeName", json!(random.word(&["Deny", "Skip", "Rename"]))),
        ("port", json!(random.word(&["Deny", "Skip", "Warn", "Remap"]))),
        ("uid", json!(random.word(&["Deny", "Skip", "Warn"]))),
        ("order", json!(random.word(&["Deny", "Skip", "Warn"]))),
        ("other", json!(random.word(&["Deny", "Skip", "Warn"]))),
    ];
    put(&mut spec, "conflicts", Some(some(&conflicts, 60, random)));
    let safety = [
        ("podSecurity", json!(random.word(&["NoNewViolations", "NoNewViolations", "Allow"]))),
        ("limitRange", json!(random.word(&["Clamp", "Deny"]))),
    ];
    put(&mut spec, "safety", Some(some(&safety, 40, random)));
    put(&mut spec, "failure", Some(json!({"verify": random.word(&["Off", "Warn", "Deny"])})));
    put(&mut spec, "guards", random.percent(60).then(|| json!({"hostNetwork": "Allow"})));
    put(&mut spec, "precedence", random.percent(20).then(|| json!(random.below(3))));
    if random.percent(15) {
        put(&mut spec, "match", Some(json!({"ownerKinds": {"exclude": ["Job"]}})));
    }
    if random.percent(20) && spec["add"]["containers"][0]["container"]["name"] == "proxy" {
        put(&mut spec, "overrides", Some(overrides(random)));
    }
    json!({"apiVersion": "portcullis.dev/v1", "kind": "SidecarInjection", "metadata": {"name": name}, "spec": spec})
}

fn overrides(random: &mut Random) -> Value {
    json!({
        "prefix": "proxy.example.com/",
        "onInvalid": random.word(&["Deny", "Warn"]),
        "fields": [
            {"key": "cpu", "container": "proxy", "set": {"request": "cpu"}, "type": {"quantity": {"min": "10m", "max": "4"}}},
            {"key": "image", "container": "proxy", "set": {"image": null}, "type": {"image": {"allow": ["registry.example/**"]}}},
            {"key": "level", "container": "proxy", "set": {"env": "LEVEL"}, "type": {"text": {"maxLength": 12}}},
        ],
    })
}

fn parts(number: usize, random: &mut Random) -> Value {
    let mut names = NAMES[number].to_vec();
    let mut volumes = Vec::new();
    let mut parts = json!({});
    for name in VOLUMES[number] {
        if random.percent(25) {
            let source = random.word(&[
                r#"{"emptyDir":{}}"#,
                r#"{"emptyDir":{"sizeLimit":"0.5Gi"}}"#,
                r#"{"secret":{"secretName":"s"}}"#,
            ]);
            let mut volume: Value = serde_json::from_str(source).unwrap_or_default();
            put(&mut volume, "name", Some(json!(name)));
            list(&mut parts, "volumes").push(json!({"volume": volume, "safeToEvict": random.percent(30)}));
            volumes.push(name);
        }
    }
    for (field, most) in [("containers", 2), ("initContainers", 1)] {
        for _ in 0..random.between(0, most) {
            let name = names.remove(if random.percent(50) { 0 } else { random.below(names.len()) });
            let sidecar = sidecar(name, field == "initContainers", &volumes, random);
            list(&mut parts, field).push(sidecar);
        }
    }
    if random.percent(50) {
        put(&mut parts, "patchContainers", Some(json!([patch(&volumes, random)])));
    }
    let first = parts["containers"][0]["container"]["name"].clone();
    if random.percent(35) && first.is_string() {
        let rewrite =
            json!({"container": first, "port": 15020, "path": "/health/{container}/{probe}", "variable": "PROBES"});
        put(&mut parts, "probeRewrite", Some(rewrite));
    }
    let pod = [
        ("labels", json!({"mesh": "on"})),
        ("annotations", json!({"example.com/mesh": "on"})),
        ("defaultContainer", json!(true)),
        ("terminationGracePeriodAtLeast", json!(*random.pick(&[10, 45]))),
        ("imagePullSecrets", json!(["mesh"])),
    ];
    put(&mut parts, "pod", Some(some(&pod, 25, random)));
    parts
}

fn sidecar(name: &str, is_init: bool, volumes: &[&str], random: &mut Random) -> Value {
    let mut sidecar = json!({"container": container(name, is_init, volumes, random)});
    let placement = [
        ("kind", json!(random.word(if is_init { &["Auto"] } else { &["Auto", "Native", "Container"] }))),
        ("fallback", json!(random.word(&["Container", "Skip", "Deny"]))),
        ("allowBlockingJob", json!(true)),
        ("order", order(random)),
    ];
    put(&mut sidecar, "placement", Some(some(&placement, 60, random)));
    let fields = [
        ("security", json!(random.word(&["AsWritten", "Restricted"]))),
        (
            "env",
            json!([{"name": "TEAM", "from": {"namespaceLabel": "team"}}, {"name": "OWNER", "from": random_origin(random), "default": "none"}]),
        ),
        ("resources", resources(random)),
        ("qos", json!(random.word(&["Preserve", "PreserveFromLimits", "Strict", "AllowDowngrade", "Deny"]))),
        ("podLevel", json!(random.word(&["Extend", "Fit", "Omit"]))),
        (
            "reserves",
            json!({"ports": [if ["proxy", "mesh"].contains(&name) { 15020 } else { 8000 + name.len() }], "uid": 1337}),
        ),
        ("enforceResources", json!(true)),
        ("proportion", json!({"onUnknown": random.word(&["UseMin", "Omit", "Skip"])})),
    ];
    let chosen = some(&fields, 35, random);
    for (name, value) in chosen.as_object().into_iter().flatten() {
        put(&mut sidecar, name, Some(value.clone()));
    }
    if random.percent(10) {
        put(&mut sidecar, "token", Some(json!({"audience": "mesh", "path": "/var/run/mesh"})));
    }
    sidecar
}

fn random_origin(random: &mut Random) -> Value {
    let origins =
        [r#"{"podLabel":"app"}"#, r#"{"podAnnotation":"example.com/note"}"#, r#""ownerName""#, r#""firstContainer""#];
    serde_json::from_str(random.word(&origins)).unwrap_or_default()
}

fn container(name: &str, is_init: bool, volumes: &[&str], random: &mut Random) -> Value {
    let mounts: Vec<Value> = volumes
        .iter()
        .map(|volume| json!({"name": volume, "mountPath": format!("/in/{volume}"), "readOnly": false}))
        .collect();
    let mut container =
        json!({"name": name, "image": random.word(&["registry.example/side:1", "side", "side:latest"])});
    let fields = [
        ("args", json!(["--log=$(LEVEL)"])),
        (
            "env",
            json!([{"name": "LEVEL", "value": random.word(&["", "info"])}, {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        ),
        ("ports", json!([{"containerPort": *random.pick(&[15020, 80, 9000]), "name": "side"}])),
        ("volumeMounts", json!(mounts)),
        ("securityContext", json!({"runAsUser": *random.pick(&[65532, 1337])})),
        ("newField", json!({"a": [1]})),
    ];
    let lasting = [
        ("readinessProbe", json!({"httpGet": {"path": "/ready", "port": 15021}})),
        ("lifecycle", json!({"preStop": {"sleep": {"seconds": 3}}})),
    ];
    let mut chosen = some(&fields, 40, random);
    if !is_init && let (Some(chosen), Value::Object(more)) = (chosen.as_object_mut(), some(&lasting, 30, random)) {
        chosen.extend(more);
    }
    for (name, value) in chosen.as_object().into_iter().flatten() {
        put(&mut container, name, Some(value.clone()));
    }
    container
}

fn resources(random: &mut Random) -> Value {
    let cpu = ["null", r#""20m""#, r#""0.1""#, r#"{"percent":10,"min":"10m","max":"1","round":"5m"}"#];
    let limits = ["null", r#"{"fromRequest":2}"#, r#""2""#, r#"{"fromRequest":1}"#];
    let memory = [("null", "null"), (r#""64Mi""#, r#""64Mi""#), (r#""32M""#, "null"), ("null", r#""1Gi""#)];
    let (memory_request, memory_limit) = *random.pick(&memory);
    let mut whole = json!({});
    for (path, amount) in [
        ("requests.cpu", random.word(&cpu)),
        ("limits.cpu", random.word(&limits)),
        ("requests.memory", memory_request),
        ("limits.memory", memory_limit),
    ] {
        let amount: Value = serde_json::from_str(amount).unwrap_or_default();
        put(&mut whole, path, Some(amount).filter(|amount| !amount.is_null()));
    }
    whole
}

fn order(random: &mut Random) -> Value {
    let orders = [
        r#"{}"#,
        r#"{"first":true}"#,
        r#"{"last":true}"#,
        r#"{"before":["*"]}"#,
        r#"{"after":["*"]}"#,
        r#"{"before":["app"]}"#,
        r#"{"after":["istio-*"],"before":["*"]}"#,
        r#"{"after":["app"]}"#,
        r#"{"before":["init-*"]}"#,
    ];
    serde_json::from_str(random.word(&orders)).unwrap_or_default()
}

fn patch(volumes: &[&str], random: &mut Random) -> Value {
    let position = random.word(&["First", "Last"]);
    let existing = |random: &mut Random| random.word(&["Keep", "Keep", "Replace", "Append", "Fail"]);
    let mounts: Vec<Value> = volumes
        .iter()
        .map(|volume| json!({"mount": {"name": volume, "mountPath": format!("/out/{volume}")}, "onExisting": random.word(&["Keep", "Fail"])}))
        .collect();
    json!({
        "select": {"initContainers": random.percent(40), "injected": random.percent(30)},
        "env": [
            {"name": "LEVEL", "value": "ours", "position": position, "onExisting": existing(random)},
            {"name": "A", "value": "more", "onExisting": "Append", "separator": ",", "unlessContains": "more"},
            {"name": "TEAM", "from": {"namespaceLabel": "team"}, "position": position},
        ],
        "mounts": mounts,
    })
}
