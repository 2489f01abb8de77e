//! The quality-of-service class of a pod, as upstream computes it.
//!
//! Source: pkg/apis/core/v1/helper/qos/qos.go of k8s.io/kubernetes v1.37.1. Ephemeral containers do not count.

use super::requirements::Requirements;
use super::{PodLevelResources, ResourceList};
use crate::engine::json;
use crate::engine::mutation::{Node, containers};
use crate::engine::object::Quantity;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QosClass {
    Guaranteed,
    Burstable,
    BestEffort,
}

/// The class of a pod, or of the pods of a template.
pub fn class_of(pod: &Node<'_>) -> QosClass {
    class_without(pod, |_| false)
}

/// The class that a pod would have without some of its containers, by their names.
pub fn class_without(pod: &Node<'_>, is_left_out: impl Fn(&str) -> bool) -> QosClass {
    if let Some(own) = PodLevelResources::of_without(pod, &is_left_out) {
        return QosClass::of(&own.defaulted());
    }
    let counted =
        containers(pod).filter(|container| !container.string_at("name").is_some_and(|name| is_left_out(&name)));
    same(counted.map(QosClass::of_container)).unwrap_or(QosClass::BestEffort)
}

impl QosClass {
    /// The class of a pod whose containers ask for this.
    pub fn of_all(all: impl Iterator<Item = Requirements>) -> Self {
        same(all.map(|requirements| Self::of(&requirements))).unwrap_or(Self::BestEffort)
    }

    /// The class of a pod with nothing but a container that asks for this.
    pub fn of(requirements: &Requirements) -> Self {
        let amount = |list: &ResourceList, resource: &str| list.get(resource).copied().unwrap_or(Quantity::ZERO);
        Self::of_amounts(|resource| (amount(&requirements.requests, resource), amount(&requirements.limits, resource)))
    }

    /// The class of a pod with nothing but this container: the same as of all that it asks for, of which no more is read than counts.
    fn of_container(container: &Node<'_>) -> Self {
        let resources = container.glance("resources").unwrap_or_default();
        let [requests, limits] = ["requests", "limits"].map(|side| json::member(&resources, side).unwrap_or_default());
        let amount =
            |side: &str, resource: &str| Quantity::parse(&Node::new(json::member(side, resource)?).scalar()?).ok();
        Self::of_amounts(|resource| {
            let limit = amount(limits, resource);
            (amount(requests, resource).or(limit).unwrap_or_default(), limit.unwrap_or_default())
        })
    }

    /// The class by request and limit of the resources that count.
    fn of_amounts(amounts: impl Fn(&str) -> (Quantity, Quantity)) -> Self {
        let of_resource = |resource: &str| {
            let (request, limit) = amounts(resource);
            match (request == limit, request.is_zero()) {
                (false, _) => Self::Burstable,
                (true, true) => Self::BestEffort,
                (true, false) => Self::Guaranteed,
            }
        };
        same(["cpu", "memory"].into_iter().map(of_resource)).unwrap_or(Self::BestEffort)
    }
}

/// The class that all have, or else `Burstable`; none of none. Whatever comes after a `Burstable` makes no difference.
fn same(mut classes: impl Iterator<Item = QosClass>) -> Option<QosClass> {
    let first = classes.next()?;
    let is_same = first == QosClass::Burstable || classes.all(|class| class == first);
    Some(if is_same { first } else { QosClass::Burstable })
}
