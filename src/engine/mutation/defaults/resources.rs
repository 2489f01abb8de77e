//! Requests and limits where there are none.
//!
//! Kept true: no request is above its limit, of ours or the user's; what the user wrote stays, and what is added is within the LimitRanges
//! of the namespace and the pod's own resources.

use std::collections::BTreeSet;

use super::{CONTAINERS, Conflict, Flaw, INIT_CONTAINERS, Part, Reason, Target, Weight};
use crate::engine::mutation::document::{self, Names, RequestAboveLimit, SkipResources};
use crate::engine::mutation::resources::{
    Amounts, LimitRanges, Load, Pair, Percentages, PodLevelResources, QosClass, Requirements, ResourceList, Side,
    class_without, finest, in_the_way, is_overcommitted,
};
use crate::engine::mutation::{Node, quoted};
use crate::engine::object::Quantity;

#[derive(Debug)]
pub(super) struct ResourceDefaults {
    containers: Amounts,
    init_containers: Amounts,
    names: Names,
    above_limit: RequestAboveLimit,
    skip_when: Vec<SkipResources>,
    is_guaranteed: bool,
}

impl ResourceDefaults {
    pub(super) fn compile(document: &document::ResourceDefaults, flaws: &mut Vec<Flaw>) -> Self {
        let containers =
            Amounts::compile(&document.containers, "spec.resources.containers", Percentages::Refused, flaws);
        let init_containers =
            Amounts::compile(&document.init_containers, "spec.resources.initContainers", Percentages::Allowed, flaws);
        Self {
            containers,
            init_containers,
            names: document.names.clone(),
            above_limit: document.request_above_default_limit,
            skip_when: document.skip_when.clone(),
            is_guaranteed: document.guaranteed,
        }
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) -> Result<(), Conflict> {
        if self.skips_pod(part.pod()) {
            return Ok(());
        }
        let before = part.pod().clone();
        // Sidecars come later, and are there when the pod comes back.
        let own = part.plan.own_containers.clone();
        let class_of = |pod: &Node<'_>| class_without(pod, |name| own.contains(&name));
        let (class, noted) = (class_of(&before), part.plan.notes.len());
        let limits = LimitRanges::read(&part.plan.world.limit_ranges);
        for list in [CONTAINERS, INIT_CONTAINERS] {
            for target in part.targets(list, &self.names) {
                self.apply_to(part, &limits, &target)?;
            }
        }
        let is_other_class = PodLevelResources::of(part.pod()).is_some() && class_of(part.pod()) != class;
        if is_other_class || self.breaks_the_pods_own(part.pod()) {
            part.plan.pod = before;
            part.plan.notes.truncate(noted);
            return part.conflict(Reason::PodLevelDoesNotFit, "spec.resources");
        }
        if is_beyond_pods(&limits, part.pod(), &before) {
            let is_beyond = |limits: &LimitRanges| is_beyond_pods(limits, part.pod(), &before);
            let ranges = in_the_way(&part.plan.world.limit_ranges, is_beyond, |limits| !limits.pods.is_empty());
            part.plan.pod = before;
            part.plan.notes.truncate(noted);
            return part.conflict(Reason::LimitRangeInfeasible, format!("pod, {ranges}"));
        }
        if class == QosClass::BestEffort && class_of(part.pod()) == QosClass::Burstable {
            part.note(Reason::QosBestEffortToBurstable, Weight::Detail, "pod");
        }
        if self.is_guaranteed && class != QosClass::Guaranteed && class_of(part.pod()) != QosClass::Guaranteed {
            return part.conflict(Reason::NotGuaranteed, "pod");
        }
        Ok(())
    }

    fn skips_pod(&self, pod: &Node<'_>) -> bool {
        self.skip_when.iter().any(|skip| match skip {
            SkipResources::PodLevelResources => PodLevelResources::of(pod).is_some(),
            SkipResources::VpaManaged => pod.at(&["metadata", "annotations", "vpaObservedContainers"]).is_some(),
            SkipResources::ExtendedResources => false,
        })
    }

    /// Whether the containers now ask for more than the pod's own resources hold.
    fn breaks_the_pods_own(&self, pod: &Node<'_>) -> bool {
        let Some(own) = PodLevelResources::of(pod) else { return false };
        let exceeds = |list: &ResourceList, most: &ResourceList| {
            list.iter().any(|(resource, amount)| most.get(resource).is_some_and(|most| amount > most))
        };
        let asked = Load::of(pod, Side::Requests, |_| false).total();
        let containers = pod.get("spec").into_iter().flat_map(|spec| spec.list(CONTAINERS));
        let limits = containers.map(|container| Requirements::written_in(container).limits);
        exceeds(&asked, &own.defaulted().requests)
            || limits.into_iter().any(|limits| exceeds(&limits, &own.written.limits))
    }

    fn apply_to(&self, part: &mut Part<'_, '_>, limits: &LimitRanges, target: &Target) -> Result<(), Conflict> {
        let Some(container) = part.container(target) else { return Ok(()) };
        let there = Requirements::written_in(container);
        if self.skip_when.contains(&SkipResources::ExtendedResources) && has_extended(container) {
            return Ok(());
        }
        let named = Named::of(container);
        let mut wanted = match self.wanted(part, target, &there) {
            Ok(wanted) => wanted,
            Err(error) => return part.conflict(Reason::AmountTooLarge, target.with(&error.to_string())),
        };
        if self.is_guaranteed {
            self.equalize(&there, &mut wanted);
        }
        let resources: BTreeSet<String> = wanted.requests.keys().chain(wanted.limits.keys()).cloned().collect();
        for resource in resources {
            self.order(part, target, &there, &mut wanted, &resource)?;
            keep_within(part, limits, target, &there, &mut wanted, &resource)?;
        }
        named.write(part, target, &wanted);
        Ok(())
    }

    /// What there is, with what the document adds to it.
    fn wanted(
        &self,
        part: &Part<'_, '_>,
        target: &Target,
        there: &Requirements,
    ) -> Result<Requirements, crate::engine::object::QuantityError> {
        let is_init = target.list == INIT_CONTAINERS;
        let amounts = if is_init { &self.init_containers } else { &self.containers };
        // A limit without a request is the request as well, as soon as the API server has seen it.
        let mut filled = there.clone();
        filled.request_what_is_limited();
        let asked = is_init.then(|| asked_by_containers(part));
        let whole = |resource: &str| {
            let sum = asked.as_ref()?.get(resource).copied();
            let has_min = amounts.requests.get(resource).is_some_and(|amount| amount.min.is_some());
            sum.or_else(|| has_min.then_some(Quantity::ZERO))
        };
        let mut wanted = amounts.beside(&filled, whole)?;
        wanted.requests.retain(|resource, _| {
            there.requests.contains_key(resource) || amounts.requests.contains_key(resource) || self.is_guaranteed
        });
        Ok(wanted)
    }

    /// Makes CPU and memory equal on both sides, where the user leaves that open.
    fn equalize(&self, there: &Requirements, wanted: &mut Requirements) {
        for resource in ["cpu", "memory"] {
            let user = (there.requests.get(resource), there.limits.get(resource));
            let amount = match user {
                (Some(_), Some(_)) => continue,
                (Some(amount), None) | (None, Some(amount)) => Some(*amount),
                (None, None) => wanted.requests.get(resource).or_else(|| wanted.limits.get(resource)).copied(),
            };
            if let Some(amount) = amount {
                wanted.requests.insert(resource.to_owned(), amount);
                wanted.limits.insert(resource.to_owned(), amount);
            }
        }
    }

    /// Does what the document says where a limit of ours is below the request.
    fn order(
        &self,
        part: &mut Part<'_, '_>,
        target: &Target,
        there: &Requirements,
        wanted: &mut Requirements,
        resource: &str,
    ) -> Result<(), Conflict> {
        let Pair { request: Some(request), limit: Some(limit) } = Pair::of(wanted, resource) else { return Ok(()) };
        if request <= limit {
            return Ok(());
        }
        if there.limits.contains_key(resource) {
            // The user's limit: it is our request that gives way.
            if !there.requests.contains_key(resource) {
                wanted.requests.insert(resource.to_owned(), limit);
            }
            return Ok(());
        }
        match self.above_limit {
            RequestAboveLimit::RaiseLimit => drop(wanted.limits.insert(resource.to_owned(), request)),
            RequestAboveLimit::OmitLimit => drop(wanted.limits.remove(resource)),
            RequestAboveLimit::Deny => {
                let (reason, about) = (Reason::RequestAboveDefaultLimit, target.with(resource));
                return Err(Conflict { reason, about, weight: Weight::Denied });
            }
        }
        part.note(Reason::RequestAboveDefaultLimit, Weight::Detail, target.with(resource));
        Ok(())
    }
}

/// Brings what is ours within the LimitRanges, or leaves it out where only the user could.
fn keep_within(
    part: &mut Part<'_, '_>,
    limits: &LimitRanges,
    target: &Target,
    there: &Requirements,
    wanted: &mut Requirements,
    resource: &str,
) -> Result<(), Conflict> {
    let (pair, users) = (Pair::of(wanted, resource), Pair::of(there, resource));
    let Some(bounds) = limits.containers.get(resource).filter(|_| pair != users) else { return Ok(()) };
    // A request that is not said is the limit.
    let asked = Pair { request: pair.request.or(pair.limit), ..pair };
    if bounds.allow(asked) {
        return Ok(());
    }
    let keeps = |found: &Pair| {
        users.request.is_none_or(|request| found.request == Some(request))
            && users.limit.is_none_or(|limit| found.limit == Some(limit))
    };
    let nearest = bounds.nearest(asked, finest(resource));
    let found = nearest.filter(keeps);
    // Where no pair would do at all, it takes several together.
    let forbids = |limits: &LimitRanges| {
        nearest.is_some() && limits.containers.get(resource).is_some_and(|bounds| !bounds.allow(asked))
    };
    let ranges = in_the_way(&part.plan.world.limit_ranges, forbids, |limits| limits.containers.contains_key(resource));
    let about = format!("{}, {ranges}", target.with(resource));
    let chosen = found.unwrap_or(users);
    for (list, amount) in [(&mut wanted.requests, chosen.request), (&mut wanted.limits, chosen.limit)] {
        list.remove(resource);
        list.extend(amount.map(|amount| (resource.to_owned(), amount)));
    }
    if found.is_some() {
        part.note(Reason::LimitRangeClamped, Weight::Detail, about);
        return Ok(());
    }
    part.conflict(Reason::LimitRangeInfeasible, about)
}

/// Whether the pod as a whole is beyond what a LimitRange allows to pods, and was not before.
fn is_beyond_pods(limits: &LimitRanges, pod: &Node<'_>, before: &Node<'_>) -> bool {
    let is_beyond = |pod: &Node<'_>| {
        [Side::Requests, Side::Limits].into_iter().any(|side| {
            let total = Load::of(pod, side, |_| false).total();
            let mut bounds =
                limits.pods.iter().filter_map(|(resource, bounds)| Some((total.get(resource)?, bounds.max?)));
            bounds.any(|(total, most)| *total > most)
        })
    };
    // A pod with resources of its own is measured by those, which do not change.
    !limits.pods.is_empty() && PodLevelResources::of(pod).is_none() && is_beyond(pod) && !is_beyond(before)
}

/// What the pod's plain containers ask for together.
fn asked_by_containers(part: &Part<'_, '_>) -> ResourceList {
    let mut sum = ResourceList::new();
    for target in part.targets(CONTAINERS, &Names::default()) {
        let Some(container) = part.container(&target) else { continue };
        for (resource, amount) in Requirements::of_container(container).requests {
            let total = sum.entry(resource).or_default();
            *total = total.plus(amount).unwrap_or(Quantity::MOST);
        }
    }
    sum
}

fn has_extended(container: &Node<'_>) -> bool {
    let sides = [Side::Requests, Side::Limits].into_iter();
    let mut amounts = sides.filter_map(|side| container.at(&["resources", side.field()])).flat_map(Node::members);
    amounts.any(|(resource, _)| !is_overcommitted(resource) && !resource.starts_with("hugepages-"))
}

/// The resources that a container names on each side, whatever it says of them.
struct Named {
    requests: BTreeSet<String>,
    limits: BTreeSet<String>,
}

impl Named {
    fn of(container: &Node<'_>) -> Self {
        let names = |side: Side| {
            let amounts = container.at(&["resources", side.field()]).into_iter().flat_map(Node::members);
            amounts.map(|(resource, _)| resource.to_owned()).collect()
        };
        Self { requests: names(Side::Requests), limits: names(Side::Limits) }
    }

    /// Writes what the container does not name.
    fn write(&self, part: &mut Part<'_, '_>, target: &Target, wanted: &Requirements) {
        for (side, named) in [(Side::Requests, &self.requests), (Side::Limits, &self.limits)] {
            for (resource, amount) in wanted.side(side).iter().filter(|(resource, _)| !named.contains(*resource)) {
                let list = part.edit(target).and_then(|container| container.within(&["resources", side.field()]));
                if let Some(list) = list {
                    list.set(resource.clone(), quoted(&amount.written_for(resource)));
                }
            }
        }
    }
}
