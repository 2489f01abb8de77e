//! What the API server has made of a pod by the time that a webhook sees it: its defaults, and what the plugins before the webhooks set.
//!
//! Source: pkg/apis/core/v1/defaults.go and zz_generated.defaults.go, and the plugins LimitRanger, ServiceAccount, Priority,
//! DefaultTolerationSeconds and RuntimeClass of k8s.io/kubernetes v1.37.1, in the order of pkg/kubeapiserver/options/plugins.go. After a webhook has changed a
//! pod, all of this happens to it once more; so completing a pod twice is the same as once.
//!
//! What Go leaves out and how it spells amounts is a part of it; `e2e/defaulting` holds it against a real API server.
//!
//! Left out: a default priority class, tolerations of RuntimeClasses and of extended resources, and what is done when the pod is stored.
//!
//! Kept true: only what is unset is set, and what nobody here knows stays as it is.

mod containers;
mod image;
mod limit_ranger;
mod plugins;
mod shapes;
mod spec;
mod volumes;
mod written;

use super::plan::World;
use super::tree::Node;

/// What a pod's service account says of its pods.
#[derive(Debug, Clone, Copy, Default)]
pub struct ServiceAccount<'s> {
    pub image_pull_secrets: &'s [&'s str],
    pub automount_token: Option<bool>,
}

/// Completes a pod.
pub fn complete(pod: &mut Node<'_>, world: &World<'_>, account: ServiceAccount<'_>) {
    apply_defaults(pod);
    limit_ranger::complete(pod, &world.limit_ranges);
    plugins::service_account(pod, account);
    plugins::priority(pod, &world.priority_classes);
    plugins::toleration_seconds(pod);
    plugins::runtime_class(pod, world.runtime_classes);
    written::write(pod, shapes::POD);
}

/// The defaults alone, which every pod gets when it is read (`SetObjectDefaults_Pod`).
fn apply_defaults(pod: &mut Node<'_>) {
    if pod.get("spec").is_none() {
        return;
    }
    let Some(spec) = pod.member("spec") else { return };
    spec::of_pods(spec);
    spec::of_every_spec(spec);
    each(spec, "volumes", volumes::complete);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        each(spec, list, containers::complete);
    }
}

/// Does something to every element of a list that is there.
fn each<'a>(node: &mut Node<'a>, list: &str, mut complete: impl FnMut(&mut Node<'a>)) {
    let count = node.list(list).count();
    for index in 0..count {
        if let Some(item) = node.member(list).and_then(|list| list.item(index)) {
            complete(item);
        }
    }
}

/// Does something to what is found by going down, if it is there.
fn at<'a>(node: &mut Node<'a>, path: &[&str], complete: impl FnOnce(&mut Node<'a>)) {
    if node.at(path).is_some()
        && let Some(found) = node.within(path)
    {
        complete(found);
    }
}

/// Sets a member that is absent or has the zero value of its Go type.
fn fill(node: &mut Node<'_>, key: &str, zero: &str, value: &'static str) {
    if node.get(key).is_none_or(|found| found.to_json() == zero) {
        node.set(key.to_owned(), value);
    }
}

/// Sets a member that is absent, for fields that are pointers in Go.
fn fill_absent(node: &mut Node<'_>, key: &str, value: &'static str) {
    if node.get(key).is_none() {
        node.set(key.to_owned(), value);
    }
}

const NO_TEXT: &str = r#""""#;

#[cfg(test)]
mod tests;
