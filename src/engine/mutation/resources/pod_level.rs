//! Resources that a pod has of its own, `spec.resources` (KEP-2837): they alone decide its class and what it asks for.
//!
//! Requests that such a pod leaves out follow from its containers when it is stored (`defaultPodRequests`), so that one more container
//! can change them without anybody's having touched them. What is written here therefore says them.

use super::effective::Load;
use super::requirements::{Requirements, ResourceList, Side};
use crate::engine::mutation::Node;

/// A pod's own resources, and what its containers ask for.
#[derive(Debug, Clone)]
pub struct PodLevelResources {
    pub written: Requirements,
    aggregate: ResourceList,
}

impl PodLevelResources {
    /// None if the pod has none that count.
    pub fn of(pod: &Node<'_>) -> Option<Self> {
        Self::of_without(pod, |_| false)
    }

    /// The same without some of its containers, by their names.
    pub fn of_without(pod: &Node<'_>, is_left_out: impl Fn(&str) -> bool) -> Option<Self> {
        let spec = pod.get("spec").filter(|spec| spec.get("resources").is_some())?;
        let written = Requirements::written_in(spec);
        let mut named = written.requests.keys().chain(written.limits.keys());
        if !named.any(|resource| is_for_pods(resource)) {
            return None;
        }
        let aggregate = Load::of(pod, Side::Requests, is_left_out).total();
        Some(Self { written, aggregate })
    }

    /// As the API server fills them in: a request that is missing is what the containers ask for, or else the limit.
    pub fn defaulted(&self) -> Requirements {
        let mut filled = self.written.clone();
        if filled.limits.is_empty() {
            return filled;
        }
        for (resource, amount) in &self.aggregate {
            if matches!(resource.as_str(), "cpu" | "memory") {
                filled.requests.entry(resource.clone()).or_insert(*amount);
            }
        }
        for (resource, limit) in &self.written.limits {
            if is_for_pods(resource) {
                filled.requests.entry(resource.clone()).or_insert(*limit);
            }
        }
        filled
    }
}

/// Whether pods can have this resource of their own.
pub fn is_for_pods(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}
