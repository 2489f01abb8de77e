//! The AdmissionReview around the object: operation, resource, subresource, user, names, and faults of the envelope.

use super::{
    NAMESPACES, USERS,
    object::{Target, before, object, strange},
};
use crate::generate::{edit::put, random::Random, words};
use serde_json::{Value, json};

const SUBRESOURCES: &[&str] = &[
    "exec",
    "attach",
    "binding",
    "eviction",
    "log",
    "portforward",
    "proxy",
    "status",
    "ephemeralcontainers",
    "ephemeralcontainers",
    "resize",
    "scale",
    "unknown",
    "Status",
];
const OPERATIONS: &[&str] = &[
    "CREATE", "CREATE", "CREATE", "CREATE", "CREATE", "CREATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE", "UPDATE",
    "DELETE", "CONNECT",
];

/// The review as the API server sends it, the namespace being where the object lives, or the object itself.
pub fn review(target: Target, namespace: &str, random: &mut Random) -> Value {
    let is_namespace = target.resource == "namespaces";
    let name = if is_namespace { namespace.to_owned() } else { words::name(random) };
    let operation = random.word(OPERATIONS);
    let operation = if is_namespace && random.percent(50) { "UPDATE" } else { operation };
    let subresource = if random.percent(13) { random.word(SUBRESOURCES) } else { "" };
    let kind = json!({"group": target.group, "version": target.version, "kind": target.kind});
    let resource = json!({"group": target.group, "version": target.version, "resource": target.resource});
    let object = if random.percent(5) { strange(target, random) } else { object(target, &name, random) };
    let old = match operation {
        "UPDATE" | "DELETE" if random.percent(4) => strange(target, random),
        "UPDATE" | "DELETE" => before(&object, target, random),
        _ => Value::Null,
    };
    let request = json!({
        "uid": format!("{:08x}", random.below(usize::MAX)),
        "kind": kind, "resource": resource, "subResource": subresource,
        "requestKind": kind, "requestResource": resource, "requestSubResource": subresource,
        "name": name, "namespace": namespace, "operation": operation,
        "userInfo": {"username": random.word(USERS), "groups": ["system:authenticated"]},
        "object": object, "oldObject": old, "dryRun": random.percent(10), "options": null,
    });
    let mut review = json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request});
    if random.percent(12) {
        disturb(&mut review, random);
    }
    if random.percent(1) {
        spoil(&mut review, random);
    }
    review
}

/// What an API server may well send, although seldom.
fn disturb(review: &mut Value, random: &mut Random) {
    let (path, value) = match random.below(12) {
        0 => ("request.namespace", Some(json!(""))),
        1 => ("request.namespace", None),
        2 => ("request.namespace", Some(json!(random.word(NAMESPACES)))),
        3 => ("request.name", None),
        4 => ("request.name", Some(json!(words::odd_text(random)))),
        5 => ("request.userInfo", None),
        6 => ("request.userInfo.username", Some(json!(""))),
        7 => ("request.requestSubResource", Some(json!(random.word(SUBRESOURCES)))),
        8 => ("request.subResource", Some(json!(random.word(SUBRESOURCES)))),
        9 => ("request.requestResource.resource", Some(json!("widgets"))),
        10 => ("request.object", None),
        _ => ("request.oldObject", None),
    };
    put(review, path, value);
}

/// What no API server sends.
fn spoil(review: &mut Value, random: &mut Random) {
    let (path, value) = match random.below(14) {
        0 => ("apiVersion", Some(json!("admission.k8s.io/v1beta1"))),
        1 => ("apiVersion", None),
        2 => ("kind", None),
        3 => ("kind", Some(json!("Pod"))),
        4 => ("request", None),
        5 => ("request", Some(Value::Null)),
        6 => ("request.uid", None),
        7 => ("request.uid", Some(json!(5))),
        8 => ("request.operation", Some(json!(random.word(&["", "PATCH", "create"])))),
        9 => ("request.kind", None),
        10 => ("request.resource", None),
        11 => ("request.resource.group", Some(json!("example.com"))),
        12 => ("request.namespace", Some(Value::Null)),
        _ => ("request.kind.version", Some(json!(""))),
    };
    put(review, path, value);
}
