//! Defaults of the pod's own fields: `SetDefaults_Pod`, which templates do not get, and `SetDefaults_PodSpec`.

use super::{NO_TEXT, each, fill, fill_absent};
use crate::engine::mutation::{Node, quoted};

pub(super) fn of_pods(spec: &mut Node<'_>) {
    if spec.get("terminationGracePeriodSeconds").and_then(Node::integer).is_some_and(|seconds| seconds < 0) {
        spec.set("terminationGracePeriodSeconds", "1");
    }
    for list in ["containers", "initContainers"] {
        each(spec, list, request_limits);
    }
    fill_absent(spec, "enableServiceLinks", "true");
    if spec.get("hostNetwork").and_then(Node::boolean) == Some(true) {
        for list in ["containers", "initContainers"] {
            each(spec, list, |container| each(container, "ports", take_host_port));
        }
    }
}

/// A limit without a request is the request too.
fn request_limits(container: &mut Node<'_>) {
    let Some(limits) = container.at(&["resources", "limits"]) else { return };
    let requests = container.at(&["resources", "requests"]);
    let missing: Vec<(String, String)> = limits
        .members()
        .filter(|(resource, _)| requests.is_none_or(|requests| requests.get(resource).is_none()))
        .map(|(resource, limit)| (resource.to_owned(), limit.to_json().into_owned()))
        .collect();
    for (resource, limit) in missing {
        if let Some(requests) = container.within(&["resources", "requests"]) {
            requests.set(resource, limit);
        }
    }
}

fn take_host_port(port: &mut Node<'_>) {
    let is_unset = port.get("hostPort").and_then(Node::integer).unwrap_or(0) == 0;
    let number = port.get("containerPort").map(|number| number.to_json().into_owned());
    if let Some(number) = number.filter(|_| is_unset) {
        port.set("hostPort", number);
    }
}

pub(super) fn of_every_spec(spec: &mut Node<'_>) {
    let named = |field| spec.string_at(field).filter(|name| !name.is_empty());
    if let Some(name) = named("serviceAccountName").or_else(|| named("serviceAccount")) {
        let name = quoted(&name);
        set_if_other(spec, "serviceAccountName", &name);
        set_if_other(spec, "serviceAccount", &name);
    }
    fill(spec, "dnsPolicy", NO_TEXT, r#""ClusterFirst""#);
    fill(spec, "restartPolicy", NO_TEXT, r#""Always""#);
    fill_absent(spec, "securityContext", "{}");
    fill_absent(spec, "terminationGracePeriodSeconds", "30");
    fill(spec, "schedulerName", NO_TEXT, r#""default-scheduler""#);
}

fn set_if_other(spec: &mut Node<'_>, field: &str, json: &str) {
    if spec.get(field).is_none_or(|found| found.to_json() != json) {
        spec.set(field.to_owned(), json.to_owned());
    }
}
