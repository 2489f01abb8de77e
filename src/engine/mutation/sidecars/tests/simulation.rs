//! What happens to a pod between two passes: the API server's defaults, and the service account plugin's mounts.
//!
//! Source: pkg/apis/core/v1/defaults.go and plugin/pkg/admission/serviceaccount of Kubernetes.

use serde_json::{Map, Value, json};

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn as_the_api_server_stores(pod: &Value) -> Value {
    let mut pod = pod.clone();
    let spec = pod["spec"].as_object_mut().expect("a spec");
    let is_on_host = spec.get("hostNetwork") == Some(&json!(true));
    let has_token = spec.get("automountServiceAccountToken") != Some(&json!(false));
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    for list in ["initContainers", "containers"] {
        for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            default_container(container.as_object_mut().expect("a container"), is_on_host, has_token);
        }
    }
    if has_token {
        mount_token(spec);
    }
    for volume in spec.get_mut("volumes").and_then(Value::as_array_mut).into_iter().flatten() {
        for source in ["configMap", "secret", "projected"] {
            if let Some(source) = volume.get_mut(source).and_then(Value::as_object_mut) {
                set(source, "defaultMode", json!(420));
            }
        }
    }
    pod
}

fn set(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}

fn default_container(container: &mut Map<String, Value>, is_on_host: bool, has_token: bool) {
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    set(container, "imagePullPolicy", json!("IfNotPresent"));
    set(container, "resources", json!({}));
    for port in container.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
        let port = port.as_object_mut().expect("a port");
        set(port, "protocol", json!("TCP"));
        if is_on_host {
            let number = port["containerPort"].clone();
            set(port, "hostPort", number);
        }
    }
    for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef").and_then(Value::as_object_mut) {
            set(field, "apiVersion", json!("v1"));
        }
        // An empty value is left out when the pod is written.
        if variable.get("value") == Some(&json!("")) {
            variable.as_object_mut().expect("a variable").remove("value");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) else { continue };
        for (key, number) in
            [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
        {
            set(probe, key, json!(number));
        }
        if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
            set(get, "scheme", json!("HTTP"));
        }
    }
    let limits = container.get("resources").and_then(|resources| resources.get("limits")).cloned();
    for (resource, amount) in limits.as_ref().and_then(Value::as_object).into_iter().flatten() {
        let requests = &mut container["resources"]["requests"];
        if requests.get(resource).is_none() {
            requests[resource] = amount.clone();
        }
    }
    if has_token {
        let mounts = container.entry("volumeMounts").or_insert(json!([])).as_array_mut().expect("mounts");
        if !mounts.iter().any(|mount| mount["mountPath"] == TOKEN_PATH) {
            mounts.push(json!({"name": "kube-api-access-x2x", "mountPath": TOKEN_PATH, "readOnly": true}));
        }
    }
}

fn mount_token(spec: &mut Map<String, Value>) {
    let volumes = spec.entry("volumes").or_insert(json!([])).as_array_mut().expect("volumes");
    if !volumes.iter().any(|volume| volume["name"] == "kube-api-access-x2x") {
        let source = json!({"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}});
        volumes.push(json!({"name": "kube-api-access-x2x", "projected": {"sources": [source]}}));
    }
}
