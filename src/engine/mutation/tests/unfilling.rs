//! I1 for PodDefaults: what they filled in is taken back, and nothing else.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{carried_out, document};
use crate::engine::mutation::{Active, Documents, Node, Note, Patch, Reason};
use crate::engine::pod_security::Level;

fn defaults(name: &str, spec: Value) -> Arc<Active> {
    document("PodDefaults", name, &spec)
}

/// Everything that PodDefaults can fill in offline.
fn everything() -> Vec<Arc<Active>> {
    let amounts = defaults(
        "amounts",
        json!({
            "resources": {"containers": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": {"fromRequest": 2}}},
                "initContainers": {"requests": {"cpu": "50m", "memory": "32Mi"}}},
            "probes": {"readinessFromLiveness": true},
            "pod": {"labels": {"tier": "apps"}, "annotations": {"note": "x"}, "imagePullSecrets": ["registry"]},
            "dns": {"options": {"ndots": "2"}},
        }),
    );
    let hardened = defaults(
        "hardened",
        json!({
            "security": {"seccompProfile": "RuntimeDefault", "denyPrivilegeEscalation": true, "capabilities": {"dropAll": true},
                "runAsNonRoot": "WhenUserIsKnown", "automountServiceAccountToken": {},
                "readOnlyRootFilesystem": {"writable": [{"path": "/tmp", "safeToEvict": true}, {"path": "/var/run", "sizeLimit": "1Mi"}]}},
            "scheduling": {"tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}],
                "requiredNodeAffinity": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]},
        }),
    );
    vec![amounts, hardened]
}

fn filled(documents: Vec<Arc<Active>>, pod: &Value) -> Value {
    carried_out(documents, pod, Level::Privileged).pod
}

fn taken_back(documents: Vec<Arc<Active>>, pod: &Value) -> (Value, Vec<Note>) {
    let text = pod.to_string();
    let mut tree = Node::new(text.as_str());
    let notes = Documents::new(documents).uninject(&mut tree);
    let mut patched = pod.clone();
    if let Some(patch) = Patch::of(&tree) {
        let operations: json_patch::Patch = serde_json::from_str(patch.json()).expect("operations");
        json_patch::patch(&mut patched, &operations).expect("a patch that applies");
    }
    assert_eq!(serde_json::from_str::<Value>(&tree.to_json()).expect("JSON"), patched);
    (patched, notes)
}

fn bare() -> Value {
    json!({"metadata": {"name": "app"}, "spec": {
    "initContainers": [{"name": "init", "image": "app:1"}],
    "containers": [
        {"name": "app", "image": "app:1", "livenessProbe": {"tcpSocket": {"port": 80}}, "securityContext": {"runAsUser": 1000}},
        {"name": "second", "image": "second:1"},
    ]}})
}

#[test]
fn i1_all_that_defaults_filled_in_is_taken_back_and_told() {
    let mut some = bare();
    some["metadata"]["labels"] = json!({"app": "shop"});
    some["spec"]["tolerations"] = json!([{"key": "mine", "operator": "Exists"}]);
    some["spec"]["affinity"] = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}, {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}]}}});
    some["spec"]["containers"][1]["resources"] = json!({"requests": {"memory": "1Gi"}, "limits": {"cpu": "2"}});
    some["spec"]["containers"][1]["securityContext"] = json!({"capabilities": {"drop": ["MKNOD"], "add": ["CHOWN"]}});
    some["spec"]["securityContext"] = json!({"runAsUser": 1000});
    some["spec"]["containers"][1]["volumeMounts"] = json!([{"name": "mine", "mountPath": "/tmp"}]);
    some["spec"]["volumes"] = json!([{"name": "mine", "emptyDir": {}}]);
    for pod in [bare(), some] {
        let injected = filled(everything(), &pod);
        assert_ne!(injected, pod);
        let (back, notes) = taken_back(everything(), &injected);
        assert_eq!(back, pod, "{notes:#?}");
        assert!(notes.iter().all(|note| note.reason == Reason::DefaultTakenBack));
        let told: Vec<&str> = notes.iter().map(|note| note.about.as_str()).collect();
        assert!(told.iter().any(|about| about.starts_with("container \"init\", resources.requests.cpu")), "{told:?}");
        assert!(told.iter().any(|about| about.starts_with("pod, ")), "{told:?}");
    }
}

#[test]
fn i1_what_a_default_would_have_set_otherwise_stays() {
    let mut pod = bare();
    pod["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "100m", "memory": "65Mi"}});
    let injected = filled(everything(), &pod);
    let (back, _) = taken_back(everything(), &injected);
    assert_eq!(
        back["spec"]["containers"][0]["resources"],
        json!({"requests": {"memory": "65Mi"}}),
        "100m is as a default has it"
    );
    assert_eq!(filled(everything(), &back), injected);
}

#[test]
fn i1_a_pod_that_a_document_was_not_carried_out_on_keeps_what_looks_like_it() {
    let mut pod = bare();
    pod["spec"]["tolerations"] = json!([{"key": "spot", "operator": "Exists", "effect": "NoSchedule"}]);
    pod["metadata"]["labels"] = json!({"tier": "apps"});
    assert_eq!(taken_back(everything(), &pod), (pod, Vec::new()));
    let chosen = |spec: Value| {
        vec![defaults(
            "chosen",
            json!({"mode": "OptOut", "enablement": {"podLabels": ["defaults/set"]}, "pod": {"labels": {"tier": "apps"}}, "match": spec}),
        )]
    };
    let with = |value: &str| json!({"metadata": {"labels": {"tier": "apps", "defaults/set": value}}, "spec": {"containers": []}});
    assert_eq!(taken_back(chosen(json!({})), &with("false")).0, with("false"));
    assert_eq!(taken_back(chosen(json!({"podSelector": {"matchLabels": {"a": "b"}}})), &with("true")).0, with("true"));
    let elsewhere = json!({"namespaceSelector": {"matchLabels": {"a": "b"}}});
    assert_eq!(taken_back(chosen(elsewhere), &with("true")).0["metadata"]["labels"], json!({"defaults/set": "true"}));
}

/// Managed fields as the API server notes them of a container `app` that says something of these.
fn managed(of_container: Value, subresource: &str) -> Value {
    let containers = json!({"k:{\"name\":\"app\"}": of_container});
    let fields = json!({"f:metadata": {"f:labels": {".": {}, "f:tier": {}}}, "f:spec": {"f:containers": containers}});
    json!([{"manager": "kubectl", "operation": "Update", "subresource": subresource, "fieldsType": "FieldsV1", "fieldsV1": fields}])
}

#[test]
fn i1_what_managed_fields_say_its_author_wrote_stays() {
    let of_app =
        json!({".": {}, "f:name": {}, "f:image": {}, "f:resources": {".": {}, "f:requests": {".": {}, "f:cpu": {}}}});
    let mut pod = filled(everything(), &bare());
    let whole = taken_back(everything(), &pod).0;
    assert_eq!(whole["metadata"]["labels"], Value::Null);
    // Of the status nobody asks who wrote it.
    for (subresource, is_kept) in [("", true), ("status", false)] {
        pod["metadata"]["managedFields"] = managed(of_app.clone(), subresource);
        let (back, notes) = taken_back(everything(), &pod);
        let app = back["spec"]["containers"].as_array().expect("a list").iter().find(|found| found["name"] == "app");
        let expected = if is_kept { json!({"requests": {"cpu": "100m"}}) } else { Value::Null };
        assert_eq!(app.expect("the app")["resources"], expected);
        assert_eq!(back["metadata"]["labels"] == json!({"tier": "apps"}), is_kept);
        assert!(!notes.is_empty());
        assert_eq!(filled(everything(), &back), pod, "the documents give what was there before");
    }
}
