//! What is sent, and what has to become of it.

use super::{harness::Ask, labels::Level};
use serde_json::{Value, json};

/// A namespace that always enforces restricted.
pub const STRICT: &str = "strict";
/// Namespaces whose policy turns every second or so.
pub const TURNING: [&str; 2] = ["turning-0", "turning-1"];
/// A namespace whose policy is tightened during a fault, and stays so until the fault is over.
pub const TIGHTENED: &str = "tightened";

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// What has to become of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It passes.
    Admitted,
    /// It is refused, for a label that never changed.
    Refused,
    /// What the labels of this one of the namespaces that change say.
    ByLabels(usize),
    /// It passes, and Portcullis is not asked.
    Uncovered,
}

/// The request with this number: of twelve, seven are pods in a namespace that is as it always was, three in one that
/// changes, and two are none of Portcullis' business.
pub fn numbered(number: usize) -> (Expected, Ask) {
    let pods = |namespace: &str| format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
    match number % 12 {
        0..=3 => (Expected::Admitted, post(pods(STRICT), &good_pod())),
        4 | 5 => (Expected::Refused, post(pods(STRICT), &bad_pod())),
        6 => (Expected::Admitted, post(format!("/api/v1/namespaces/{STRICT}/pods"), &good_pod())),
        turn @ (7 | 8) => (Expected::ByLabels(turn - 7), post(pods(TURNING[turn - 7]), &bad_pod())),
        9 => (Expected::ByLabels(TURNING.len()), post(pods(TIGHTENED), &bad_pod())),
        10 => (Expected::Uncovered, post(pods("kube-system"), &bad_pod())),
        _ => {
            let beat = json!({"metadata": {"annotations": {"beat": number.to_string()}}});
            let lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node";
            let path = if number % 24 < 12 { "/api/v1/nodes/node" } else { lease };
            (Expected::Uncovered, merge(path.to_owned(), &beat))
        }
    }
}

/// A change of a namespace's policy.
pub fn relabel(namespace: &str, level: Level) -> Ask {
    let labels = json!({"metadata": {"labels": {ENFORCE: level.name()}}});
    merge(format!("/api/v1/namespaces/{namespace}"), &labels)
}

/// The label that enforces a level.
pub fn enforcing(level: Level) -> [(&'static str, &'static str); 1] {
    [(ENFORCE, level.name())]
}

fn post(path: String, object: &Value) -> Ask {
    Ask { method: "POST", path, content_type: "application/json", body: object.to_string().into() }
}

fn merge(path: String, change: &Value) -> Ask {
    Ask { method: "PATCH", path, content_type: "application/merge-patch+json", body: change.to_string().into() }
}

fn good_pod() -> Value {
    pod(&json!({
        "allowPrivilegeEscalation": false, "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }))
}

/// A pod that no level but privileged allows.
pub fn bad_pod() -> Value {
    pod(&json!({"privileged": true}))
}

fn pod(security_context: &Value) -> Value {
    let container = json!({"name": "app", "image": "nginx", "securityContext": security_context});
    json!({"metadata": {"generateName": "pod-"}, "spec": {"containers": [container]}})
}
