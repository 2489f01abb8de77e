//! Requests and limits as exact amounts by the names of resources.
//!
//! An amount that is no quantity is none here; the API refuses it elsewhere.

use std::collections::BTreeMap;

use crate::engine::mutation::{Node, quoted};
use crate::engine::object::Quantity;

/// Amounts by the names of resources.
pub type ResourceList = BTreeMap<String, Quantity>;

/// A ResourceRequirements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirements {
    pub requests: ResourceList,
    pub limits: ResourceList,
}

/// One of the two sides of a ResourceRequirements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Requests,
    Limits,
}

impl Side {
    /// The name of the field.
    pub fn field(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Limits => "limits",
        }
    }
}

impl Requirements {
    /// What `resources` says in a container or a pod's spec.
    pub fn written_in(holder: &Node<'_>) -> Self {
        Self { requests: list(holder, Side::Requests), limits: list(holder, Side::Limits) }
    }

    /// The same as it is in a pod: a limit without a request is the request too (`SetDefaults_Pod`).
    pub fn of_container(container: &Node<'_>) -> Self {
        let mut found = Self::written_in(container);
        found.request_what_is_limited();
        found
    }

    /// Requests what is limited and not requested.
    pub fn request_what_is_limited(&mut self) {
        for (resource, limit) in &self.limits {
            self.requests.entry(resource.clone()).or_insert(*limit);
        }
    }

    /// Raises limits that are below their requests to them.
    pub fn limit_what_is_requested(&mut self) {
        for (resource, limit) in &mut self.limits {
            *limit = (*limit).max(self.requests.get(resource).copied().unwrap_or_default());
        }
    }

    pub fn side(&self, side: Side) -> &ResourceList {
        match side {
            Side::Requests => &self.requests,
            Side::Limits => &self.limits,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }

    /// Its members as JSON, `requests` first, sides without amounts left out.
    pub fn json_members(&self) -> Vec<String> {
        let sides = [Side::Requests, Side::Limits].into_iter().filter(|side| !self.side(*side).is_empty());
        sides.map(|side| format!("{}:{}", quoted(side.field()), list_json(self.side(side)))).collect()
    }
}

fn list_json(list: &ResourceList) -> String {
    let amounts = list.iter().map(|(name, amount)| format!("{}:{}", quoted(name), quoted(&amount.written_for(name))));
    format!("{{{}}}", amounts.collect::<Vec<_>>().join(","))
}

fn list(holder: &Node<'_>, side: Side) -> ResourceList {
    let Some(amounts) = holder.at(&["resources", side.field()]) else { return ResourceList::new() };
    quantities(amounts)
}

/// The amounts of an object of quantities.
pub(in crate::engine::mutation) fn quantities(amounts: &Node<'_>) -> ResourceList {
    let read = |node: &Node<'_>| Quantity::parse(&node.scalar()?).ok();
    amounts.members().filter_map(|(name, amount)| Some((name.to_owned(), read(amount)?))).collect()
}

/// Whether more of a resource may be limited than requested: of Kubernetes' own, but for huge pages. Of an extended resource as much is
/// requested as limited (`IsOvercommitAllowed`).
pub fn is_overcommitted(resource: &str) -> bool {
    let is_native = !resource.contains('/') || resource.contains("kubernetes.io/");
    is_native && !resource.starts_with("hugepages-")
}

/// Adds amounts; what is beyond all bounds stays at them.
pub(super) fn add(list: &mut ResourceList, more: &ResourceList) {
    for (resource, amount) in more {
        let sum = list.entry(resource.clone()).or_default();
        *sum = sum.plus(*amount).unwrap_or(Quantity::MOST);
    }
}

/// Raises amounts to those that are greater.
pub(super) fn raise(list: &mut ResourceList, others: &ResourceList) {
    for (resource, amount) in others {
        let kept = list.entry(resource.clone()).or_insert(*amount);
        *kept = (*kept).max(*amount);
    }
}
