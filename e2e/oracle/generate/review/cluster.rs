//! What is in the cluster when the review comes: namespaces, and the pods that a namespace's dry run looks at.

use super::{NAMESPACES, RUNTIME_CLASSES, labels};
use crate::generate::{edit::field, pod, random::Random};
use serde_json::{Value, json};

/// The namespaces; now and then the one that the request names is missing.
pub fn namespaces(random: &mut Random) -> Vec<Value> {
    let mut namespaces: Vec<Value> = Vec::new();
    for name in ["team-a", "team-b", "kube-system"] {
        if random.percent(94) {
            namespaces.push(json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": name, "labels": labels::labels(random)},
            }));
        }
    }
    namespaces
}

/// The pods of a namespace: none, a few, some dozens.
pub fn pods(namespace: &str, random: &mut Random) -> Vec<Value> {
    match random.below(200) {
        0..=60 => Vec::new(),
        61..=185 => (0..random.between(1, 8)).map(|_| existing(namespace, random)).collect(),
        _ => (0..random.between(9, 40)).map(|_| existing(namespace, random)).collect(),
    }
}

/// About as many pods as a dry run looks at.
pub fn crowd(namespace: &str, random: &mut Random) -> Vec<Value> {
    (0..random.between(2990, 3080)).map(|index| tiny(namespace, index)).collect()
}

/// One of very many pods; only every so many have a controller, and they differ in little.
fn tiny(namespace: &str, index: usize) -> Value {
    let mut metadata = json!({"name": format!("p{index}"), "namespace": namespace});
    if index % 7 < 3 {
        metadata["ownerReferences"] = json!([{"controller": true, "uid": format!("u{}", index % 50)}]);
    }
    json!({"metadata": metadata, "spec": {"hostPID": index.is_multiple_of(11), "hostNetwork": index > 2995}})
}

fn existing(namespace: &str, random: &mut Random) -> Value {
    let minimal = pod::minimal(random);
    let mut pod = pod::pod(minimal, random);
    let metadata = field(&mut pod, "metadata");
    *field(metadata, "name") = json!(format!("pod-{}", random.below(30)));
    let other = random.percent(8);
    *field(metadata, "namespace") = json!(if other { random.word(NAMESPACES) } else { namespace });
    if random.percent(60) {
        *field(metadata, "ownerReferences") = owners(random);
    }
    if random.percent(15) {
        *field(field(&mut pod, "spec"), "runtimeClassName") = runtime_class(random);
    }
    if random.percent(10) {
        *field(field(&mut pod, "status"), "phase") = json!("Succeeded");
    }
    pod
}

/// Owners of which the first with `controller: true` counts; a few share a uid.
fn owners(random: &mut Random) -> Value {
    (0..random.between(1, 2))
        .map(|_| {
            let mut owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r"});
            owner["uid"] = json!(random.word(&["u1", "u2", "u3", ""]));
            if random.percent(85) {
                owner["controller"] =
                    random.pick(&[json!(true), json!(true), json!(true), json!(false), Value::Null]).clone();
            }
            owner
        })
        .collect()
}

pub fn runtime_class(random: &mut Random) -> Value {
    if random.percent(15) {
        random.pick(&[Value::Null, json!("")]).clone()
    } else {
        json!(random.word(RUNTIME_CLASSES))
    }
}
