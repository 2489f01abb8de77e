//! The objects of a request: pods, the eight workload kinds around a pod template, namespaces, and other kinds.

use super::{cluster::runtime_class, labels};
use crate::generate::{
    containers::{LISTS, any_container},
    edit::{field, list, put},
    pod,
    random::Random,
    words, wrong,
};
use serde_json::{Value, json};

/// What a request is about.
#[derive(Clone, Copy)]
pub struct Target {
    pub group: &'static str,
    pub version: &'static str,
    pub kind: &'static str,
    pub resource: &'static str,
    /// Where its pod template is; empty for a pod, which is one itself, and for what has none.
    pub template: &'static str,
}

const fn target_of(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    resource: &'static str,
    template: &'static str,
) -> Target {
    Target { group, version, kind, resource, template }
}

const POD: Target = target_of("", "v1", "Pod", "pods", "");
pub const NAMESPACE: Target = target_of("", "v1", "Namespace", "namespaces", "");
const WORKLOADS: &[Target] = &[
    target_of("", "v1", "PodTemplate", "podtemplates", "template"),
    target_of("", "v1", "ReplicationController", "replicationcontrollers", "spec.template"),
    target_of("apps", "v1", "ReplicaSet", "replicasets", "spec.template"),
    target_of("apps", "v1", "Deployment", "deployments", "spec.template"),
    target_of("apps", "v1", "StatefulSet", "statefulsets", "spec.template"),
    target_of("apps", "v1", "DaemonSet", "daemonsets", "spec.template"),
    target_of("batch", "v1", "Job", "jobs", "spec.template"),
    target_of("batch", "v1", "CronJob", "cronjobs", "spec.jobTemplate.spec.template"),
];
const OTHERS: &[Target] = &[
    target_of("", "v1", "ConfigMap", "configmaps", ""),
    target_of("", "v1", "Binding", "pods", ""),
    target_of("apps", "v1beta1", "Deployment", "deployments", "spec.template"),
    target_of("example.com", "v1", "Pod", "pods", ""),
    target_of("example.com", "v1", "Widget", "widgets", "spec.template"),
];

pub fn target(random: &mut Random) -> Target {
    match random.below(100) {
        0..=44 => POD,
        45..=69 => *random.pick(WORKLOADS),
        70..=96 => NAMESPACE,
        _ => *random.pick(OTHERS),
    }
}

/// The object as it would be stored.
pub fn object(target: Target, name: &str, random: &mut Random) -> Value {
    let mut object = json!({"apiVersion": api_version(target), "kind": target.kind});
    if target.resource == "namespaces" {
        object["metadata"] = json!({"name": name, "labels": labels::labels(random)});
        return object;
    }
    let mut pod = pod::pod(pod::minimal(random), random);
    if random.percent(15) {
        *field(field(&mut pod, "spec"), "runtimeClassName") = runtime_class(random);
    }
    if random.percent(2) && is_judged(target) {
        wrong::spoil(&mut pod, random);
    }
    if target.template.is_empty() {
        object["metadata"] = pod["metadata"].take();
        object["spec"] = pod["spec"].take();
    } else {
        // The workload's own annotations count for nothing; the template's do.
        object["metadata"] = json!({"name": name, "annotations": {words::name(random): "unconfined"}});
        match random.below(30) {
            0 => {}
            1 => put(&mut object, target.template, Some(Value::Null)),
            2 => put(&mut object, target.template, Some(json!({}))),
            _ => put(&mut object, target.template, Some(pod)),
        }
    }
    object
}

/// Whether upstream looks into objects of the kind; into the others we do not look as closely as Go's types do.
fn is_judged(target: Target) -> bool {
    !OTHERS.iter().any(|other| other.kind == target.kind && other.group == target.group)
}

/// What stands in the place of an object that is no object of the kind at all.
pub fn strange(target: Target, random: &mut Random) -> Value {
    // Of an object that nobody judges and that hides its kind, upstream prints the kind empty; the API server sends none.
    match random.below(9) {
        2 if is_judged(target) => json!({}),
        3 if is_judged(target) => json!({"kind": target.kind}),
        4 if is_judged(target) => json!({"apiVersion": api_version(target)}),
        0..=4 => Value::Null,
        5 => random
            .pick(&[json!([]), json!("Pod"), json!(5), json!(true), json!({"apiVersion": 1, "kind": "Pod"})])
            .clone(),
        6 => object(*random.pick(OTHERS), "other", random),
        7 => object(*random.pick(WORKLOADS), "other", random),
        _ => object(*random.pick(&[POD, NAMESPACE]), "other", random),
    }
}

/// The object before an update: the same but for something that may or may not matter.
pub fn before(object: &Value, target: Target, random: &mut Random) -> Value {
    let mut old = object.clone();
    if target.resource == "namespaces" {
        let labels = old.pointer("/metadata/labels").cloned().unwrap_or_default();
        put(&mut old, "metadata.labels", Some(labels::edited(&labels, random)));
        return old;
    }
    if target.resource == "pods" && old.is_object() {
        for _ in 0..random.between(0, 2) {
            change_pod(&mut old, random);
        }
    }
    old
}

fn change_pod(pod: &mut Value, random: &mut Random) {
    let spec = field(pod, "spec");
    match random.below(8) {
        0 => put(pod, "metadata.annotations.changed", Some(json!("yes"))),
        1 => put(spec, "activeDeadlineSeconds", Some(json!(5))),
        2 => put(spec, "securityContext.runAsNonRoot", None),
        3 => {
            list(spec, random.word(LISTS)).pop();
        }
        4 => list(spec, random.word(LISTS)).push(json!({"name": words::name(random), "image": "old"})),
        5 => list(spec, random.word(LISTS)).reverse(),
        6 => {
            let image = random.pick(&[json!("registry.example/app:0"), json!(""), Value::Null]).clone();
            any_container(spec, random).into_iter().for_each(|container| put(container, "image", Some(image.clone())));
        }
        _ => {
            let name = words::name(random);
            any_container(spec, random).into_iter().for_each(|container| put(container, "name", Some(json!(name))));
        }
    }
}

fn api_version(target: Target) -> String {
    if target.group.is_empty() { target.version.to_owned() } else { format!("{}/{}", target.group, target.version) }
}
