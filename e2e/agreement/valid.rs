//! The oracle's pods, made such as an API server takes them – most of them, in most places.
//!
//! The oracle asks about everything that can be written; an API server refuses most of that before anybody judges it, and
//! what both servers refuse alike says nothing about us.

use crate::generate::{
    containers::LISTS,
    edit::{field, list, put},
    pod,
    random::Random,
    tweaks::{APP_ARMOR_PREFIX, FORBIDDEN_VOLUMES},
};
use crate::stage::{EXEMPT_RUNTIME_CLASS, RUNTIME_CLASS};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// How many in a hundred are left as the oracle made them.
const UNREPAIRED: usize = 4;

/// A pod to be created.
pub fn pod(name: &str, random: &mut Random) -> Value {
    let mut pod = pod::pod(pod::minimal(random), random);
    if !random.percent(UNREPAIRED) {
        repair(&mut pod, random);
    }
    if random.percent(10) {
        put(
            field(&mut pod, "spec"),
            "runtimeClassName",
            Some(json!(random.word(&[EXEMPT_RUNTIME_CLASS, RUNTIME_CLASS]))),
        );
    }
    put(&mut pod, "metadata.name", Some(json!(name)));
    pod
}

/// A pod template.
pub fn template(random: &mut Random) -> Value {
    let mut template = pod("", random);
    put(&mut template, "metadata.name", None);
    put(&mut template, "metadata.labels.app", Some(json!("old")));
    template
}

/// A container for debugging, which may have less than others.
pub fn ephemeral_container(name: &str, random: &mut Random) -> Value {
    let mut made = pod("x", random);
    let mut container = list(field(&mut made, "spec"), "containers").pop().unwrap_or_default();
    for taken_away in
        ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "restartPolicy", "resources"]
    {
        put(&mut container, taken_away, None);
    }
    put(&mut container, "volumeMounts", None);
    put(&mut container, "name", Some(json!(name)));
    container
}

fn repair(pod: &mut Value, random: &mut Random) {
    let spec = field(pod, "spec");
    put(spec, "ephemeralContainers", None);
    if list(spec, "containers").iter().all(Value::is_null) {
        *field(spec, "containers") = json!([{"name": "app", "image": "app"}]);
    }
    let windows = spec["os"]["name"] == "windows";
    repair_pod_security(field(spec, "securityContext"), windows);
    repair_volumes(spec);
    for key in LISTS {
        let Some(containers) = spec.get_mut(key).and_then(Value::as_array_mut) else { continue };
        containers.retain(Value::is_object);
        for (index, container) in containers.iter_mut().enumerate() {
            repair_container(container, (key, index), windows);
        }
    }
    repair_pod_fields(spec, random);
    repair_annotations(pod);
}

fn repair_pod_fields(spec: &mut Value, random: &mut Random) {
    let name = spec["os"]["name"].as_str();
    if !name.is_some_and(|name| ["windows", "linux"].contains(&name)) {
        put(spec, "os", None);
    }
    let has_host_process = spec.to_string().contains("\"hostProcess\":true");
    if has_host_process && random.percent(70) {
        put(spec, "hostNetwork", Some(json!(true)));
        put(spec, "securityContext.windowsOptions.hostProcess", Some(json!(true)));
    }
    let is_windows = spec["os"]["name"] == "windows";
    if is_windows && random.percent(80) {
        for key in ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] {
            put(spec, key, None);
        }
    }
    if spec["hostPID"] == true {
        put(spec, "shareProcessNamespace", None);
    }
    if random.percent(70) {
        // Without any it is of the class BestEffort, which a resize may not change.
        list(spec, "containers").iter_mut().for_each(|container| {
            put(container, "resources.requests.cpu", Some(json!("100m")));
        });
    }
    if !is_windows && spec.to_string().contains("\"Unmasked\"") && random.percent(80) {
        put(spec, "hostUsers", Some(json!(false)));
    }
    if spec["hostUsers"] == false {
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            put(spec, key, None);
        }
    }
    if spec["hostNetwork"] == true {
        put(spec, "securityContext.sysctls", None);
    }
}

fn repair_pod_security(security: &mut Value, windows: bool) {
    repair_security(security, windows);
    let mut seen = BTreeSet::new();
    let Some(sysctls) = security.get_mut("sysctls").and_then(Value::as_array_mut) else { return };
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._/".contains(c))
    };
    sysctls.retain(|sysctl| sysctl["name"].as_str().is_some_and(|name| is_name(name) && seen.insert(name.to_owned())));
    sysctls.iter_mut().for_each(|sysctl| put(sysctl, "value", Some(json!("1"))));
}

fn repair_security(security: &mut Value, windows: bool) {
    if windows {
        // A Windows pod may say almost nothing here.
        let kept = ["windowsOptions", "runAsNonRoot"];
        if let Some(fields) = security.as_object_mut() {
            fields.retain(|key, _| kept.contains(&key.as_str()));
        }
    } else if security["windowsOptions"]["hostProcess"] != true {
        put(security, "windowsOptions", None);
    }
    for (profile, types) in [
        ("seccompProfile", ["RuntimeDefault", "Localhost", "Unconfined"]),
        ("appArmorProfile", ["RuntimeDefault", "Localhost", "Unconfined"]),
    ] {
        let Some(chosen) = security[profile]["type"].as_str().filter(|chosen| types.contains(chosen)) else {
            put(security, profile, None);
            continue;
        };
        let local = (chosen == "Localhost").then(|| json!("profiles/x"));
        put(security, &format!("{profile}.localhostProfile"), local);
    }
    if !security["runAsUser"].as_i64().is_some_and(|user| (0..=i64::from(i32::MAX)).contains(&user)) {
        put(security, "runAsUser", None);
    }
}

fn repair_container(container: &mut Value, (list, index): (&str, usize), windows: bool) {
    let name = container["name"].as_str().unwrap_or_default();
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let name = format!("{}-{}{index}", if is_plain { name } else { "x" }, &list[..1]);
    put(container, "name", Some(json!(name)));
    if container["image"].as_str().is_none_or(str::is_empty) {
        put(container, "image", Some(json!("app")));
    }
    put(container, "volumeMounts", None);
    if list == "initContainers" && container["restartPolicy"] != "Always" {
        for key in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            put(container, key, None);
        }
    }
    repair_ports(container);
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        repair_handler(container, probe, &["httpGet", "tcpSocket", "exec", "grpc"]);
    }
    for hook in ["postStart", "preStop"] {
        let Some(lifecycle) = container.get_mut("lifecycle").filter(|lifecycle| lifecycle.is_object()) else {
            continue;
        };
        repair_handler(lifecycle, hook, &["httpGet", "tcpSocket", "exec", "sleep"]);
    }
    put(container, "lifecycle.stopSignal", None);
    if container["lifecycle"] == json!({}) {
        put(container, "lifecycle", None);
    }
    if let Some(security) = container.get_mut("securityContext") {
        repair_container_security(security, windows);
    }
}

fn repair_container_security(security: &mut Value, windows: bool) {
    repair_security(security, windows);
    if !security["procMount"].as_str().is_some_and(|mount| ["Default", "Unmasked"].contains(&mount)) {
        put(security, "procMount", None);
    }
    let added = security["capabilities"]["add"].to_string();
    if security["privileged"] == true || added.contains("SYS_ADMIN") {
        put(security, "allowPrivilegeEscalation", None);
    }
}

fn repair_ports(container: &mut Value) {
    let Some(ports) = container.get_mut("ports").and_then(Value::as_array_mut) else { return };
    let mut seen = BTreeSet::new();
    ports.retain(Value::is_object);
    for port in ports.iter_mut() {
        let host = port["hostPort"].as_i64().filter(|number| (1..=65535).contains(number));
        put(port, "hostPort", host.map(|number| json!(number)));
        put(port, "containerPort", Some(json!(host.unwrap_or(80))));
        put(port, "hostIP", None);
    }
    ports.retain(|port| seen.insert(port["hostPort"].to_string()));
}

/// One handler at most, with what it needs besides its host.
fn repair_handler(parent: &mut Value, key: &str, kinds: &[&str]) {
    let Some(handler) = parent.get_mut(key) else { return };
    let kind = kinds.iter().find(|kind| handler[**kind].is_object());
    let Some(kind) = kind else { return put(parent, key, None) };
    let mut kept = handler[*kind].take();
    match *kind {
        "httpGet" | "tcpSocket" => put(&mut kept, "port", Some(json!(80))),
        "exec" => put(&mut kept, "command", Some(json!(["true"]))),
        _ => {}
    }
    put(parent, key, Some(json!({*kind: kept})));
}

fn repair_volumes(spec: &mut Value) {
    let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) else { return };
    for (index, volume) in volumes.iter_mut().enumerate() {
        let source = volume.as_object().and_then(|fields| fields.keys().find(|key| key.as_str() != "name").cloned());
        let mut repaired = Map::new();
        repaired.insert("name".into(), json!(format!("v{index}")));
        if let Some((source, body)) = source.and_then(|source| volume_source(&source).map(|body| (source, body))) {
            repaired.insert(source, body);
        }
        *volume = Value::Object(repaired);
    }
}

/// The least that the API server takes for a volume of this source.
fn volume_source(source: &str) -> Option<Value> {
    Some(match source {
        "configMap" => json!({"name": "x"}),
        "secret" => json!({"secretName": "x"}),
        "csi" => json!({"driver": "x.example"}),
        "downwardAPI" | "emptyDir" => json!({}),
        "ephemeral" => json!({"volumeClaimTemplate": {"spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
        }}}),
        "image" => json!({"reference": "x"}),
        "persistentVolumeClaim" => json!({"claimName": "x"}),
        "projected" => json!({"sources": [{"configMap": {"name": "x"}}]}),
        "hostPath" => json!({"path": "/x"}),
        "gcePersistentDisk" => json!({"pdName": "x"}),
        "awsElasticBlockStore" | "cinder" => json!({"volumeID": "x"}),
        "gitRepo" => json!({"repository": "x"}),
        "nfs" => json!({"server": "x", "path": "/x"}),
        "iscsi" => json!({"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:x", "lun": 0}),
        "glusterfs" => json!({"endpoints": "x", "path": "x"}),
        "rbd" => json!({"monitors": ["x"], "image": "x"}),
        "flexVolume" => json!({"driver": "x/y"}),
        "cephfs" => json!({"monitors": ["x"]}),
        "flocker" => json!({"datasetName": "x"}),
        "fc" => json!({"targetWWNs": ["x"], "lun": 0}),
        "azureFile" => json!({"secretName": "x", "shareName": "x"}),
        "vsphereVolume" => json!({"volumePath": "x"}),
        "quobyte" => json!({"registry": "x:1", "volume": "x"}),
        "azureDisk" => json!({"diskName": "x", "diskURI": "https://x.example/x.vhd"}),
        "photonPersistentDisk" => json!({"pdID": "x"}),
        "portworxVolume" => json!({"volumeID": "x"}),
        "scaleIO" => json!({"gateway": "x", "system": "x", "volumeName": "x", "secretRef": {"name": "x"}}),
        "storageos" => json!({"volumeName": "x", "volumeNamespace": "x"}),
        _ => return None,
    })
}

/// Keys and values that the API server takes; profiles of containers are renamed after containers that are there.
fn repair_annotations(pod: &mut Value) {
    let containers = crate::request::container_names(pod);
    let Some(annotations) = pod["metadata"]["annotations"].as_object().cloned() else {
        return put(pod, "metadata.annotations", None);
    };
    let is_profile = |value: &str| ["runtime/default", "unconfined", "localhost/x"].contains(&value);
    let mut kept = Map::new();
    for (index, (key, value)) in annotations.into_iter().enumerate() {
        let Some(value) = value.as_str() else { continue };
        let judged_by_container = key.strip_prefix(APP_ARMOR_PREFIX).is_some();
        let key = if judged_by_container {
            let Some(container) = containers.get(index % containers.len().max(1)) else { continue };
            format!("{APP_ARMOR_PREFIX}{container}")
        } else {
            key
        };
        let is_key = key.split('/').count() == 2 && key.chars().all(|c| c.is_ascii_alphanumeric() || "./-".contains(c));
        let is_judged = judged_by_container || key.contains("seccomp");
        if is_key && !key.ends_with('/') && !key.starts_with("Container") && (!is_judged || is_profile(value)) {
            kept.insert(key, json!(value));
        }
    }
    put(pod, "metadata.annotations", Some(Value::Object(kept)));
}

#[cfg(test)]
mod tests {
    use super::{FORBIDDEN_VOLUMES, volume_source};
    use crate::generate::tweaks::ALLOWED_VOLUMES;

    #[test]
    fn every_volume_of_the_table_has_what_the_api_server_wants() {
        for source in ALLOWED_VOLUMES.iter().chain(FORBIDDEN_VOLUMES) {
            assert!(volume_source(source).is_some(), "{source}");
        }
    }
}
