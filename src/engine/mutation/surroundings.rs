//! What mutation knows of a cluster beside its namespaces: compact, one value for all pods, replaced whole.

use std::collections::BTreeMap;

use super::plan::{PriorityClass, World};
use super::tree::Node;

/// Facts of the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// By namespace: the `spec.limits` of its LimitRanges as JSON arrays.
    pub limit_ranges: BTreeMap<Box<str>, Vec<Box<str>>>,
    /// By name: value and preemption policy.
    pub priority_classes: BTreeMap<Box<str>, (i32, Box<str>)>,
    /// By namespace and name: the labels of service accounts that have any.
    pub service_accounts: BTreeMap<Box<str>, BTreeMap<Box<str>, Labels>>,
    /// Whether every kubelet knows native sidecars (1.29 and later).
    pub has_native_sidecars: bool,
}

/// Labels by key.
pub type Labels = BTreeMap<Box<str>, Box<str>>;

impl Surroundings {
    /// The world of a pod in this namespace, which has these labels. `pod` is its JSON.
    pub fn world<'a>(&'a self, namespace: &'a str, labels: &'a Labels, pod: &str) -> World<'a> {
        let account = self.service_accounts.get(namespace).map(|accounts| {
            let pod = Node::new(pod);
            let name = pod.at(&["spec", "serviceAccountName"]).and_then(Node::string);
            accounts.get(name.as_deref().unwrap_or("default")).map(borrowed).unwrap_or_default()
        });
        World {
            namespace,
            namespace_labels: borrowed(labels),
            namespace_annotations: BTreeMap::new(),
            service_account_labels: account,
            limit_ranges: self.limit_ranges.get(namespace).into_iter().flatten().map(AsRef::as_ref).collect(),
            priority_classes: self
                .priority_classes
                .iter()
                .map(|(name, class)| (name.as_ref(), priority(class)))
                .collect(),
            has_native_sidecars: self.has_native_sidecars,
            is_template: false,
        }
    }
}

fn priority((value, policy): &(i32, Box<str>)) -> PriorityClass<'_> {
    PriorityClass { value: *value, preemption_policy: policy }
}

fn borrowed(labels: &Labels) -> BTreeMap<&str, &str> {
    labels.iter().map(|(key, value)| (key.as_ref(), value.as_ref())).collect()
}
