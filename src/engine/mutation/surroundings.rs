//! What mutation knows of a cluster beside its namespaces: compact, one value for all pods, replaced whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asks::Asks;
use super::plan::{KeptClasses, LimitRange, World};
use super::service_accounts::{ServiceAccounts, service_account_of};
use crate::engine::request::Unread;

/// Facts of the cluster. A clone shares what there may be many of.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub limit_ranges: Arc<LimitRanges>,
    pub priority_classes: KeptClasses,
    pub runtime_classes: RuntimeClasses,
    pub service_accounts: ServiceAccounts,
    /// Whether every kubelet knows native sidecars (1.29 and later).
    pub has_native_sidecars: bool,
}

/// Labels, or annotations, by key.
pub type Labels = BTreeMap<Box<str>, Box<str>>;

/// By namespace: the names of its LimitRanges, each with its `spec.limits` as a JSON array.
pub type LimitRanges = BTreeMap<Box<str>, Vec<(Box<str>, Box<str>)>>;

/// RuntimeClasses by name.
pub type RuntimeClasses = BTreeMap<Box<str>, RuntimeClass>;

/// What the RuntimeClass plugin gives to the pods of a class (`node.k8s.io/v1`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuntimeClass {
    /// `overhead.podFixed` as JSON; none if the class has no overhead.
    pub overhead: Option<Box<str>>,
    /// `scheduling.nodeSelector`.
    pub node_selector: Labels,
}

/// What is known of where a pod is to be.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub namespace: &'a str,
    pub labels: &'a Labels,
    pub annotations: &'a Labels,
    /// The labels of its service account, where they were read for this pod alone.
    pub service_account: Option<&'a Labels>,
    /// What the documents in force ask for.
    pub asks: &'a Asks,
}

impl Surroundings {
    /// The world of a pod there.
    pub fn world<'a>(&'a self, around: Around<'a>, pod: Unread<'_>) -> World<'a> {
        let Around { namespace, labels, annotations, .. } = around;
        World {
            namespace,
            namespace_labels: labels.into(),
            namespace_annotations: annotations.into(),
            service_account_labels: self.service_account(around, pod).map(Into::into),
            limit_ranges: self.limit_ranges.get(namespace).into_iter().flatten().map(limit_range).collect(),
            priority_classes: (&self.priority_classes).into(),
            runtime_classes: Some(&self.runtime_classes),
            has_native_sidecars: self.has_native_sidecars,
            is_template: false,
        }
    }

    /// The labels of a pod's service account, unless no document asks for any, or nobody knows.
    fn service_account<'a>(&'a self, around: Around<'a>, pod: Unread<'_>) -> Option<&'a Labels> {
        let asked = &around.asks.service_account_labels;
        if asked.is_empty() {
            return None;
        }
        around.service_account.or_else(|| self.service_accounts.find(asked, around.namespace, &service_account_of(pod)))
    }
}

fn limit_range((name, limits): &(Box<str>, Box<str>)) -> LimitRange<'_> {
    LimitRange { name, limits }
}
