//! Pods and namespaces as clusters have them: some kilobytes, of which half are managed fields and status.

use serde_json::{Value, json};

/// A pod of two containers that restricted allows, to be created.
pub fn to_create() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "shop-6c9f7d8b5d-", "labels": {"app": "shop", "pod-template-hash": "6c9f7d8b5d"}},
        "spec": spec(false),
    })
}

/// A pod as etcd keeps it. Every third is privileged, so that a dry run has something to find.
pub fn stored(namespace: &str, number: usize) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name(number), "generateName": "shop-6c9f7d8b5d-", "namespace": namespace, "uid": uid(1, number),
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "shop", "pod-template-hash": "6c9f7d8b5d"},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-6c9f7d8b5d", "uid": uid(2, number),
                "controller": true, "blockOwnerDeletion": true,
            }],
            "managedFields": [{
                "manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {
                    "f:generateName": {}, "f:labels": {".": {}, "f:app": {}, "f:pod-template-hash": {}},
                }, "f:spec": {"f:containers": {
                    "k:{\"name\":\"app\"}": {".": {}, "f:env": {}, "f:image": {}, "f:name": {}, "f:resources": {}},
                    "k:{\"name\":\"proxy\"}": {".": {}, "f:env": {}, "f:image": {}, "f:name": {}, "f:resources": {}},
                }, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}},
            }],
        },
        "spec": spec(number.is_multiple_of(3)),
        "status": {"phase": "Running", "qosClass": "Burstable", "podIP": "10.0.0.1", "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
        ]},
    })
}

/// A namespace as etcd keeps it; half of them say something to Pod Security.
pub fn stored_namespace(namespace: &str, number: usize) -> Value {
    let mut labels = json!({"kubernetes.io/metadata.name": namespace, "team": format!("team-{}", number % 100)});
    if number.is_multiple_of(2) {
        labels["pod-security.kubernetes.io/enforce"] = json!("baseline");
        labels["pod-security.kubernetes.io/warn"] = json!("restricted");
    }
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {
            "name": namespace, "uid": uid(3, number), "creationTimestamp": "2026-01-01T00:00:00Z", "labels": labels,
            "annotations": {"owner": "somebody@example.com", "cost-centre": "4711"},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// The name of a pod that is [stored].
pub fn name(number: usize) -> String {
    format!("shop-6c9f7d8b5d-{number:06}")
}

fn spec(is_privileged: bool) -> Value {
    let container = |name: &str| {
        json!({
            "name": name, "image": format!("registry.example/{name}:1.2.3"), "imagePullPolicy": "IfNotPresent",
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-central"}],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "128Mi"}},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "securityContext": {
                "allowPrivilegeEscalation": is_privileged, "privileged": is_privileged, "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
            },
        })
    };
    let mut proxy = container("proxy");
    proxy["ports"] = json!([{"name": "proxy", "containerPort": 9090, "protocol": "TCP"}]);
    json!({
        "containers": [container("app"), proxy],
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "schedulerName": "default-scheduler", "enableServiceLinks": true, "securityContext": {},
    })
}

fn uid(kind: usize, number: usize) -> String {
    format!("00000000-0000-4000-8{kind:03}-{number:012}")
}
