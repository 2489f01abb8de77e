//! The documents and pods of these tests.

use serde_json::{Value, json};

use crate::stage::{container, items, names};

/// A newcomer's log shipper: it reads what the app's containers write into a volume that all share.
pub const LOG_SHIPPER: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata:
  name: log-shipper
spec:
  enablement:
    podLabels: [logs.example.com/ship]
    namespaceLabels: [logs.example.com/ship]
  add:
    containers:
      - container:
          name: log-shipper
          image: fluent-bit:4
          volumeMounts: [{name: app-logs, mountPath: /var/log/app, readOnly: true}]
        placement: {kind: Native, order: {before: ["*"]}}
        resources:
          requests: {cpu: 50m, memory: 64Mi}
    volumes:
      - volume: {name: app-logs, emptyDir: {}}
    patchContainers:
      - env: [{name: LOG_FOLDER, value: /var/log/app}]
        mounts: [{mount: {name: app-logs, mountPath: /var/log/app}}]
"#;

/// The label by which a pod or a namespace says yes to it.
pub const SHIP: (&str, &str) = ("logs.example.com/ship", "true");

/// A pod of one container, with one label if any.
pub fn pod(name: &str, label: Option<(&str, &str)>) -> Value {
    let mut pod =
        json!({"metadata": {"name": name, "labels": {}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}});
    if let Some((key, value)) = label {
        pod["metadata"]["labels"][key] = json!(value);
    }
    pod
}

/// Whether a pod has the log shipper and all that goes with it, each once.
pub fn is_shipping(pod: &Value) -> bool {
    let once = |names: &[&str], name: &str| names.iter().filter(|other| **other == name).count() == 1;
    names(pod, "initContainers").first() == Some(&"log-shipper")
        && once(&names(pod, "initContainers"), "log-shipper")
        && container(pod, "log-shipper")["restartPolicy"] == "Always"
        && once(&names(pod, "volumes"), "app-logs")
        && items(pod, "containers").filter(|container| container["name"] != "istio-proxy").all(writes_logs)
}

/// Whether a container of an app has its variable and its mount, each once.
pub fn writes_logs(container: &Value) -> bool {
    let count = |list: &str, name: &str| {
        container[list].as_array().into_iter().flatten().filter(|item| item["name"] == name).count()
    };
    (count("env", "LOG_FOLDER"), count("volumeMounts", "app-logs")) == (1, 1)
}

/// Whether nothing of the log shipper is in a pod.
pub fn is_untouched(pod: &Value) -> bool {
    pod["kind"] == "Pod"
        && !["log-shipper", "app-logs", "LOG_FOLDER"].iter().any(|text| pod["spec"].to_string().contains(text))
}
