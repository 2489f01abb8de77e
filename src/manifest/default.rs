//! The defaults of the API server that Pod Security can tell from their absence.
//!
//! Source: pkg/apis/core/v1/defaults.go of k8s.io/kubernetes v1.37.1. Two defaults change a verdict or a text:
//! - `SetDefaults_Volume`: a volume without a source is an emptyDir.
//! - `SetDefaults_Pod`: under `hostNetwork: true` a port without hostPort has its containerPort, in containers and init
//!   containers. Ephemeral containers have no such default, and neither have pod templates (since 1.28).
//!
//! Left out, because no check reads them or the default reads as the absence does: an empty pod `securityContext`,
//! `procMount: Default`, `hostPath.type: ""`, probe paths, schemes and thresholds (a probe's host has no default),
//! resources, restart and DNS policy, service accounts, file modes, image pull policies. Left out, because it is no
//! default but done when the pod is stored: the copy of AppArmor annotations into fields.
//!
//! Kept true: a volume with a key that we do not know keeps it and gains nothing: it may be a source newer than we are.

use super::{Node, Value};

/// Fills in what the API server would, in a Pod or one of the eight workload kinds; other objects stay as they are.
///
/// Values of a wrong type are left for decoding to refuse. A value that is filled in has the span of what it is
/// filled in for.
pub fn apply_api_defaults(object: &mut Node) {
    let kind = object.field("kind").and_then(Node::text).unwrap_or_default();
    let is_pod = kind == "Pod";
    let Some(way) = way_to_spec(kind) else { return };
    let Some(spec) = way.iter().try_fold(object, |node, key| node.field_mut(key)) else { return };
    if let Some(volumes) = spec.field_mut("volumes") {
        volumes.items_mut().iter_mut().for_each(default_volume);
    }
    if is_pod && spec.field("hostNetwork").and_then(Node::truth) == Some(true) {
        for list in ["containers", "initContainers"] {
            let containers = spec.field_mut(list).map(Node::items_mut).unwrap_or_default();
            containers.iter_mut().for_each(default_host_ports);
        }
    }
}

/// The keys that lead from an object to its pod spec.
fn way_to_spec(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "Pod" => Some(&["spec"]),
        "PodTemplate" => Some(&["template", "spec"]),
        "ReplicationController" | "ReplicaSet" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => {
            Some(&["spec", "template", "spec"])
        }
        "CronJob" => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

fn default_volume(volume: &mut Node) {
    let span = volume.span;
    if volume.is_null() {
        volume.value = Value::Map(Vec::new());
    }
    let sourceless = |node: &Node| {
        let mut entries = node.entries().iter().filter(|entry| entry.key != "name");
        entries.all(|entry| entry.value.is_null() && VOLUME_SOURCES.contains(&entry.key.as_str()))
    };
    if sourceless(volume) {
        volume.set("emptyDir", Node { value: Value::Map(Vec::new()), span });
    }
}

fn default_host_ports(container: &mut Node) {
    let ports = container.field_mut("ports").map(Node::items_mut).unwrap_or_default();
    for port in ports {
        let unset = port.field("hostPort").is_none_or(|host| host.is_null() || is_zero(host));
        let number = port.field("containerPort").filter(|number| matches!(number.value, Value::Number(_))).cloned();
        if let Some(number) = number.filter(|_| unset) {
            port.set("hostPort", number);
        }
    }
}

fn is_zero(node: &Node) -> bool {
    matches!(&node.value, Value::Number(text) if text == "0")
}

/// The sources of a volume: the fields of `VolumeSource` in k8s.io/api v0.37.1, core/v1.
const VOLUME_SOURCES: [&str; 30] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];
