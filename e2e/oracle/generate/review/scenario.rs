//! Endings that take several things at once, and that chance alone would seldom bring about.

use super::{
    cluster,
    object::{self, NAMESPACE},
};
use crate::generate::{edit::put, random::Random};
use serde_json::{Value, json};

/// Turns a question into one of the rare cases.
pub fn stage(question: &mut Value, random: &mut Random) {
    let namespace = object::object(NAMESPACE, "team-a", random);
    for (path, value) in [
        ("review.apiVersion", json!("admission.k8s.io/v1")),
        ("review.kind", json!("AdmissionReview")),
        ("review.request.uid", json!("rare")),
        ("review.request.kind", json!({"group": "", "version": "v1", "kind": "Namespace"})),
        ("review.request.resource", json!({"group": "", "version": "v1", "resource": "namespaces"})),
        ("review.request.requestSubResource", json!("")),
        ("review.request.namespace", json!("team-a")),
        ("review.request.name", json!("team-a")),
        ("review.request.object", namespace.clone()),
        ("review.request.oldObject", namespace),
    ] {
        put(question, path, Some(value));
    }
    if random.percent(50) { crowded(question, random) } else { silent(question) }
}

/// A dry run over more pods than it looks at, or just so many.
fn crowded(question: &mut Value, random: &mut Random) {
    let level = random.word(&["baseline", "restricted"]);
    put(question, "config", Some(Value::Null));
    put(question, "pods", Some(json!(cluster::crowd("team-a", random))));
    put(question, "review.request.operation", Some(json!("UPDATE")));
    put(question, "review.request.oldObject.metadata.labels", Some(Value::Null));
    let labels = json!({"pod-security.kubernetes.io/enforce": level});
    put(question, "review.request.object.metadata.labels", Some(labels));
}

/// A warning to an exempt namespace whose own labels ask for nothing, so that it names no mode.
fn silent(question: &mut Value) {
    let config = json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "baseline", "audit": "restricted"}, "exemptions": {"namespaces": ["team-a"]},
    });
    put(question, "config", Some(config));
    put(question, "review.request.operation", Some(json!("CREATE")));
    let labels = json!({"pod-security.kubernetes.io/enforce": "privileged"});
    put(question, "review.request.object.metadata.labels", Some(labels));
}
