//! Random objects: pods near the boundaries of the checks, and JSON that is no object at all.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Fields of a pod: where they stand, and values to try, as JSON.
const POD_FIELDS: [(&str, &[&str]); 18] = [
    ("spec.hostNetwork", &["true", "false", "null"]),
    ("spec.hostPID", &["true", "false"]),
    ("spec.hostIPC", &["true", "false"]),
    ("spec.hostUsers", &["true", "false", "null"]),
    ("spec.os", &[r#"{"name":"windows"}"#, r#"{"name":"linux"}"#, "{}", "null"]),
    ("spec.securityContext", &["null", "{}"]),
    ("spec.securityContext.runAsNonRoot", &["true", "false", "null"]),
    ("spec.securityContext.runAsUser", &["0", "1", "null"]),
    ("spec.securityContext.seccompProfile", PROFILES),
    ("spec.securityContext.appArmorProfile", PROFILES),
    ("spec.securityContext.seLinuxOptions", SE_LINUX),
    ("spec.securityContext.windowsOptions", WINDOWS),
    (
        "spec.securityContext.sysctls",
        &[
            r#"[{"name":"kernel.shm_rmid_forced","value":"1"},{"name":"net.ipv4.tcp_rmem"}]"#,
            r#"[{"name":"kernel.msgmax"},{"name":"kernel.msgmax"},null,{}]"#,
            r#"[{"name":"net.ipv4.tcp_notsent_lowat"}]"#,
        ],
    ),
    (
        "spec.volumes",
        &[
            r#"[{"name":"a","emptyDir":{}},{"name":"b","secret":null}]"#,
            r#"[{"name":"a","hostPath":{"path":"/"}}]"#,
            r#"[{"name":"a","configMap":{}},{"name":"b","nfs":{}},null]"#,
            r#"[{"name":"a","emptyDir":{},"hostPath":{}}]"#,
            r#"[{"name":"a","image":{}}]"#,
        ],
    ),
    ("metadata.annotations.container.apparmor.security.beta.kubernetes.io/app", ANNOTATIONS),
    ("metadata.annotations.container.apparmor.security.beta.kubernetes.io/nobody", ANNOTATIONS),
    ("metadata.annotations.seccomp.security.alpha.kubernetes.io/pod", ANNOTATIONS),
    ("metadata.annotations.container.seccomp.security.alpha.kubernetes.io/app", ANNOTATIONS),
];

/// Fields of a container.
const CONTAINER_FIELDS: [(&str, &[&str]); 21] = [
    ("name", &["\"app\"", "\"b\"", "\"\"", "null"]),
    ("securityContext", &["null", "{}"]),
    ("securityContext.privileged", &["true", "false", "null"]),
    ("securityContext.allowPrivilegeEscalation", &["true", "false", "null"]),
    ("securityContext.capabilities", &["null", "{}"]),
    ("securityContext.capabilities.add", &[r#"["NET_BIND_SERVICE"]"#, r#"["SYS_ADMIN","CHOWN"]"#, "[null]", "[]"]),
    ("securityContext.capabilities.drop", &[r#"["ALL"]"#, r#"["all"]"#, r#"["CHOWN","ALL"]"#, "null"]),
    ("securityContext.procMount", &["\"Default\"", "\"Unmasked\"", "\"\"", "null"]),
    ("securityContext.runAsNonRoot", &["true", "false", "null"]),
    ("securityContext.runAsUser", &["0", "1", "null"]),
    ("securityContext.seccompProfile", PROFILES),
    ("securityContext.appArmorProfile", PROFILES),
    ("securityContext.seLinuxOptions", SE_LINUX),
    ("securityContext.windowsOptions", WINDOWS),
    ("ports", &[r#"[{"hostPort":80},{"hostPort":9},{"hostPort":80}]"#, r#"[{"containerPort":1},{"hostPort":0},null]"#]),
    ("livenessProbe", HANDLERS),
    ("readinessProbe", HANDLERS),
    ("startupProbe", HANDLERS),
    ("lifecycle", &["{}", "null"]),
    ("lifecycle.postStart", HANDLERS),
    ("lifecycle.preStop", HANDLERS),
];

const PROFILES: &[&str] = &[
    "null",
    "{}",
    r#"{"type":null}"#,
    r#"{"type":"RuntimeDefault"}"#,
    r#"{"type":"Localhost"}"#,
    r#"{"type":"Unconfined"}"#,
];
const SE_LINUX: &[&str] = &[
    "null",
    "{}",
    r#"{"type":"container_t"}"#,
    r#"{"type":"container_engine_t"}"#,
    r#"{"type":"x","user":"u","role":"r"}"#,
];
const WINDOWS: &[&str] = &["null", "{}", r#"{"hostProcess":false}"#, r#"{"hostProcess":true}"#];
const ANNOTATIONS: &[&str] =
    &["\"\"", "\"unconfined\"", "\"runtime/default\"", "\"localhost/x\"", "\"docker/default\"", "null"];
const HANDLERS: &[&str] = &[
    "null",
    "{}",
    r#"{"httpGet":{"host":"10.0.0.1"},"tcpSocket":{"host":"b.example"}}"#,
    r#"{"httpGet":{"host":""},"tcpSocket":null}"#,
    r#"{"exec":{"command":["true"]}}"#,
];

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Where something is set: the pod itself, or a container by its list and its place there.
#[derive(Debug, Clone)]
enum Place {
    Pod,
    Container(&'static str, usize),
}

#[derive(Debug, Clone)]
struct Edit {
    place: Place,
    field: &'static str,
    value: &'static str,
}

fn edits_of(
    fields: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = (&'static str, &'static str)> {
    select(fields).prop_flat_map(|(field, values)| (Just(field), select(values)))
}

fn an_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => edits_of(&POD_FIELDS).prop_map(|(field, value)| Edit { place: Place::Pod, field, value }),
        2 => (edits_of(&CONTAINER_FIELDS), select(&LISTS[..]), 0..2_usize).prop_map(|((field, value), list, index)| Edit {
            place: Place::Container(list, index),
            field,
            value,
        }),
    ]
}

/// A pod that differs in a few places from one that the restricted standard allows, or from one that sets nothing.
pub(crate) fn a_pod() -> impl Strategy<Value = Value> {
    let start = prop_oneof![3 => Just(true), 1 => Just(false)];
    (start, prop::collection::vec(an_edit(), 0..7)).prop_map(|(is_hardened, edits)| {
        let mut pod = if is_hardened { hardened() } else { json!({"spec": {"containers": [{"name": "app"}]}}) };
        for edit in edits {
            apply(&mut pod, &edit, is_hardened);
        }
        pod
    })
}

fn hardened() -> Value {
    json!({"spec": {
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [hardened_container("app")],
    }})
}

fn hardened_container(name: &str) -> Value {
    json!({
        "name": name,
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    })
}

fn apply(pod: &mut Value, edit: &Edit, is_hardened: bool) {
    let value = serde_json::from_str(edit.value).unwrap();
    let target = match edit.place {
        Place::Pod => pod,
        Place::Container(list, index) => {
            let list = pod["spec"].as_object_mut().unwrap().entry(list).or_insert_with(|| json!([]));
            let list = list.as_array_mut().unwrap();
            while list.len() <= index {
                let name = format!("c{}", list.len());
                list.push(if is_hardened { hardened_container(&name) } else { json!({"name": name}) });
            }
            &mut list[index]
        }
    };
    set(target, edit.field, value);
}

/// Sets a field, making or replacing what it stands in where that is no map. An annotation's key is one step.
fn set(target: &mut Value, field: &str, value: Value) {
    let (step, rest) = match field.strip_prefix("metadata.annotations.") {
        Some(key) => {
            let annotations = map_at(map_at(target, "metadata"), "annotations");
            annotations.as_object_mut().unwrap().insert(key.to_owned(), value);
            return;
        }
        None => field.split_once('.').unwrap_or((field, "")),
    };
    if rest.is_empty() {
        target.as_object_mut().unwrap().insert(step.to_owned(), value);
    } else {
        set(map_at(target, step), rest, value);
    }
}

fn map_at<'v>(target: &'v mut Value, key: &str) -> &'v mut Value {
    let slot = target.as_object_mut().unwrap().entry(key).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot
}

/// Any JSON, made of words that objects are made of, so that some of it decodes.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(vec!["", "ALL", "windows", "Unconfined", "\u{0}\"\\é"]).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(8, 96, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            3 => prop::collection::vec((a_word(), inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn a_word() -> impl Strategy<Value = String> {
    let mut words: Vec<&str> =
        POD_FIELDS.iter().chain(&CONTAINER_FIELDS).flat_map(|(field, _)| field.split('.')).collect();
    words.extend(LISTS);
    words.extend([
        "template",
        "jobTemplate",
        "type",
        "host",
        "httpGet",
        "hostPort",
        "hostPath",
        "add",
        "drop",
        "unknown",
    ]);
    select(words).prop_map(str::to_owned)
}

/// A pod with some of its values replaced by any JSON at all.
pub(crate) fn a_broken_pod() -> impl Strategy<Value = Value> {
    (a_pod(), any_json(), 0..24_usize).prop_map(|(mut pod, junk, mut target)| {
        replace(&mut pod, &junk, &mut target);
        pod
    })
}

/// Replaces the value at which the count, from the outside in, comes to zero.
fn replace(value: &mut Value, junk: &Value, left: &mut usize) {
    if *left == 0 {
        *value = junk.clone();
    }
    *left = left.wrapping_sub(1);
    match value {
        _ if *left == usize::MAX => {}
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, junk, left)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, junk, left)),
        _ => {}
    }
}
