//! Endings that take several things at once, and that chance alone would seldom bring about.

use super::{
    cluster,
    object::{self, NAMESPACE},
};
use crate::generate::{edit::put, random::Random, words};
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
    match random.below(8) {
        0 => crowded(question, random),
        1 | 2 => exempt(question, random),
        3 | 4 => mislabelled(question, random),
        _ => disfigured(question, random),
    }
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

/// A warning to an exempt namespace, which names those modes for which it has labels of its own; maybe none.
fn exempt(question: &mut Value, random: &mut Random) {
    let config = json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "baseline", "audit": "restricted"}, "exemptions": {"namespaces": ["team-a"]},
    });
    put(question, "config", Some(config));
    put(question, "review.request.operation", Some(json!("CREATE")));
    let (mode, level) = random.pick(&[
        ("enforce", "privileged"),
        ("enforce", "restricted"),
        ("audit", "baseline"),
        ("warn", "restricted"),
    ]);
    let labels = json!({format!("pod-security.kubernetes.io/{mode}"): level});
    put(question, "review.request.object.metadata.labels", Some(labels));
}

/// A new namespace with one label that is wrong.
fn mislabelled(question: &mut Value, random: &mut Random) {
    put(question, "config", Some(Value::Null));
    put(question, "review.request.operation", Some(json!("CREATE")));
    let mode = random.word(&["enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version"]);
    let labels = json!({format!("pod-security.kubernetes.io/{mode}"): random.word(words::BAD_VERSIONS)});
    put(question, "review.request.object.metadata.labels", Some(labels));
}

/// An update in which one of the two objects is not what the request says.
fn disfigured(question: &mut Value, random: &mut Random) {
    let (kind, resource) = *random.pick(&[("Namespace", "namespaces"), ("Pod", "pods")]);
    let labels = json!({"pod-security.kubernetes.io/enforce": "baseline"});
    put(question, "config", Some(Value::Null));
    put(question, "namespaces", Some(json!([{"metadata": {"name": "team-a", "labels": labels}}])));
    put(question, "review.request.operation", Some(json!("UPDATE")));
    put(question, "review.request.kind.kind", Some(json!(kind)));
    put(question, "review.request.resource.resource", Some(json!(resource)));
    for path in ["review.request.object", "review.request.oldObject"] {
        put(question, path, Some(json!({"apiVersion": "v1", "kind": kind})));
    }
    let strange = [json!(5), json!({"metadata": []}), Value::Null, json!({"apiVersion": "v1", "kind": "ConfigMap"})];
    let path = random.word(&["review.request.object", "review.request.oldObject"]);
    put(question, path, Some(random.pick(&strange).clone()));
}
