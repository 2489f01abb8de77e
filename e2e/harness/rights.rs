//! What a replica has to be allowed, in RBAC rules: the part of `manifests/base/access.yaml` that every replica needs.

use serde_json::{Value, json};

/// To watch the cluster: namespaces, documents, and what mutation needs to know beside them.
pub fn to_watch() -> Value {
    let watched = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["list", "watch"]});
    json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        watched("portcullis.dev", &["poddefaults", "sidecarinjections"]),
        watched("", &["limitranges"]),
        watched("scheduling.k8s.io", &["priorityclasses"]),
        watched("node.k8s.io", &["runtimeclasses"]),
        {"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "list", "watch"]},
    ])
}
