//! The objects that the tests send, and what is said about them.

use serde_json::{Value, json};

/// What `restricted` has to say about [`plain`] containers of the name `app`.
pub const RESTRICTED_VIOLATIONS: &str = "allowPrivilegeEscalation != false (container \"app\" must set \
    securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"app\" must set \
    securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"app\" must set \
    securityContext.runAsNonRoot=true), seccompProfile (pod or container \"app\" must set \
    securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

/// What `baseline` has to say about [`privileged`] containers of the name `app`.
pub const BASELINE_VIOLATIONS: &str = "privileged (container \"app\" must not set securityContext.privileged=true)";

/// The kinds with a pod template: where they are served, and what they are called.
pub const WORKLOADS: [(&str, &str); 8] = [
    ("api/v1", "podtemplates"),
    ("api/v1", "replicationcontrollers"),
    ("apis/apps/v1", "replicasets"),
    ("apis/apps/v1", "deployments"),
    ("apis/apps/v1", "statefulsets"),
    ("apis/apps/v1", "daemonsets"),
    ("apis/batch/v1", "jobs"),
    ("apis/batch/v1", "cronjobs"),
];

/// The path of a namespace's pods.
pub fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// The path of a namespace's workloads of a kind.
pub fn workloads(namespace: &str, (group, resource): (&str, &str)) -> String {
    format!("/{group}/namespaces/{namespace}/{resource}")
}

/// The path of a namespace's Deployments.
pub fn deployments(namespace: &str) -> String {
    workloads(namespace, ("apis/apps/v1", "deployments"))
}

/// The path of a request that leaves nothing behind.
pub fn dry(path: &str) -> String {
    format!("{path}?dryRun=All")
}

/// A pod of one container.
pub fn pod(name: &str, container: &Value) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}

/// A container that `baseline` allows and `restricted` does not.
pub fn plain(name: &str) -> Value {
    json!({"name": name, "image": "nginx"})
}

/// A container that `restricted` allows.
pub fn compliant(name: &str) -> Value {
    json!({"name": name, "image": "nginx", "securityContext": {
        "allowPrivilegeEscalation": false, "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }})
}

/// A container that `baseline` refuses.
pub fn privileged(name: &str) -> Value {
    json!({"name": name, "image": "nginx", "securityContext": {"privileged": true}})
}

/// A Deployment of two.
pub fn deployment(name: &str, container: &Value) -> Value {
    let mut deployment = workload("deployments", name, container);
    deployment["spec"]["replicas"] = json!(2);
    deployment
}

/// A workload of one of the eight kinds.
pub fn workload(resource: &str, name: &str, container: &Value) -> Value {
    let mut template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}});
    let metadata = json!({"name": name});
    match resource {
        "podtemplates" => json!({"metadata": metadata, "template": template}),
        "jobs" | "cronjobs" => {
            template["spec"]["restartPolicy"] = json!("Never");
            let job = json!({"template": template});
            let cron = json!({"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job}});
            json!({"metadata": metadata, "spec": if resource == "jobs" { job } else { cron }})
        }
        "replicationcontrollers" => {
            json!({"metadata": metadata, "spec": {"selector": {"app": name}, "template": template}})
        }
        _ => json!({"metadata": metadata, "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}),
    }
}
