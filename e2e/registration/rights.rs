//! What the service account of a release may do: the rules of manifests/README.md.

use anyhow::Result;
use serde_json::{Value, json};

use crate::harness::Api;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

/// Creates the roles of a release and binds them to its service account.
pub fn grant(api: &mut Api, release: &str, namespace: &str) -> Result<()> {
    let group = "rbac.authorization.k8s.io";
    let subjects = json!([{"kind": "ServiceAccount", "name": release, "namespace": namespace}]);
    let metadata = json!({"name": release});
    let in_cluster = json!({"metadata": metadata, "rules": cluster_rules(release)});
    api.post(&format!("{RBAC}/clusterroles"), &in_cluster)?.done()?;
    let binding = |kind: &str| {
        json!({
            "metadata": metadata, "subjects": subjects, "roleRef": {"apiGroup": group, "kind": kind, "name": release},
        })
    };
    api.post(&format!("{RBAC}/clusterrolebindings"), &binding("ClusterRole"))?.done()?;
    let below = format!("{RBAC}/namespaces/{namespace}");
    let in_namespace = json!({"metadata": metadata, "rules": rules(release)});
    api.post(&format!("{below}/roles"), &in_namespace)?.done()?;
    api.post(&format!("{below}/rolebindings"), &binding("Role"))?.done()?;
    Ok(())
}

fn cluster_rules(release: &str) -> Value {
    json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {
            "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "resourceNames": [release],
            "verbs": ["get", "list", "watch"],
        },
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
            "resourceNames": [release],
            "verbs": ["get", "list", "watch", "create", "patch", "update", "delete"],
        },
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create"]},
    ])
}

fn rules(release: &str) -> Value {
    json!([{
        "apiGroups": [""], "resources": ["configmaps"], "resourceNames": [format!("{release}-disabled")],
        "verbs": ["get", "list", "watch", "delete"],
    }])
}
