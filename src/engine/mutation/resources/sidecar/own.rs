//! A sidecar in a pod that has resources of its own: they grow by what it needs, or it has to fit into them.
//!
//! Kept true: what the containers ask for stays within what the pod asks for, no container is limited to more than the pod, and a pod whose
//! request was its limit keeps it so.

use super::{Conflict, Placed, Plan, PodLevel, Quantity, Reason, Requirements, ResourceList, Side};
use crate::engine::mutation::resources::blame::in_the_way;
use crate::engine::mutation::resources::limit_range::LimitRanges;
use crate::engine::mutation::resources::pod_level::{PodLevelResources, is_for_pods};
use crate::engine::mutation::{Node, quoted};

impl Placed<'_> {
    pub(super) fn fit_into_own(
        &self,
        plan: &mut Plan<'_>,
        own: &PodLevelResources,
        wanted: &mut Requirements,
    ) -> Result<(), Conflict> {
        let mut target = own.defaulted();
        target.requests.retain(|resource, _| is_for_pods(resource));
        if self.sidecar.pod_level == PodLevel::Extend && !self.is_there(&plan.pod) {
            self.extend(plan, &mut target, wanted);
        }
        if let Some(resource) = self.misfit(&plan.pod, &target, wanted) {
            *wanted = Requirements::default();
            let about = self.about(&resource);
            return self.conflict(plan, Reason::PodLevelDoesNotFit, about);
        }
        let is_beyond = |limits: &LimitRanges| is_beyond_the_namespace(limits, own, &target);
        if is_beyond(&self.limits(plan)) {
            let ranges = in_the_way(&plan.world.limit_ranges, is_beyond, |_| true);
            self.conflict(plan, Reason::LimitRangeInfeasible, format!("spec.resources, {ranges}"))?;
        }
        if !self.is_there(&plan.pod) {
            write(&mut plan.pod, &own.written, &target);
        }
        Ok(())
    }

    /// What a sidecar has of which nothing is said: what the LimitRanger would give it, which has to fit too.
    pub(super) fn unsaid(&self, plan: &mut Plan<'_>, own: &PodLevelResources) -> Result<Requirements, Conflict> {
        if plan.world.limit_ranges.is_empty() {
            return Ok(Requirements::default());
        }
        let filled = self.limits(plan).filled(&Requirements::default());
        let mut target = own.written.clone();
        for (resource, limit) in &own.written.limits {
            target.requests.entry(resource.clone()).or_insert(*limit);
        }
        let Some(resource) = self.misfit(&plan.pod, &target, &filled) else { return Ok(filled) };
        self.conflict(plan, Reason::PodLevelDoesNotFit, self.about(&resource))?;
        Ok(Requirements::default())
    }

    /// Raises the pod's own amounts by what the pod needs more with the sidecar. Where its request was its limit, both grow alike.
    fn extend(&self, plan: &Plan<'_>, target: &mut Requirements, wanted: &mut Requirements) {
        let mut asked = wanted.clone();
        asked.request_what_is_limited();
        let mut allowed = asked.requests.clone();
        allowed.extend(wanted.limits.clone());
        let more = self.load(&plan.pod, Side::Requests).growth(self.place, &asked.requests);
        let more_allowed = self.load(&plan.pod, Side::Limits).growth(self.place, &allowed);
        let grow = |amount: &mut Quantity, growth: Option<&Quantity>| {
            *amount = amount.plus(growth.copied().unwrap_or_default()).unwrap_or(Quantity::MOST);
        };
        for (resource, limit) in &mut target.limits {
            let was_request = target.requests.get(resource) == Some(limit);
            let growth = if was_request { &more } else { &more_allowed };
            grow(limit, growth.get(resource));
        }
        for (resource, request) in &mut target.requests {
            grow(request, more.get(resource));
        }
        for (resource, limit) in &mut wanted.limits {
            // The API compares plain containers alone; a higher limit is of no use to the others either.
            if let Some(most) = target.limits.get(resource) {
                *limit = (*limit).min(*most);
            }
        }
    }

    /// The first resource of which the sidecar wants more than the pod has.
    fn misfit(&self, pod: &Node<'_>, target: &Requirements, wanted: &Requirements) -> Option<String> {
        let exceeds = |list: &ResourceList, most: &ResourceList| {
            list.iter()
                .find(|(resource, amount)| most.get(*resource).is_some_and(|most| *amount > most))
                .map(|(resource, _)| resource.clone())
        };
        let mut asked = wanted.clone();
        asked.request_what_is_limited();
        let total = self.load(pod, Side::Requests).with(self.place, asked.requests).total();
        exceeds(&wanted.limits, &target.limits).or_else(|| exceeds(&total, &target.requests))
    }
}

fn is_beyond_the_namespace(limits: &LimitRanges, own: &PodLevelResources, target: &Requirements) -> bool {
    let is_beyond = |resource: &str, requirements: &Requirements| {
        let Some(most) = limits.pods.get(resource).and_then(|bounds| bounds.max) else { return false };
        [Side::Requests, Side::Limits]
            .iter()
            .any(|side| requirements.side(*side).get(resource).is_some_and(|amount| *amount > most))
    };
    ["cpu", "memory"].into_iter().any(|resource| is_beyond(resource, target) && !is_beyond(resource, &own.defaulted()))
}

/// Writes what has become of the pod's own resources: what grew, and requests that were not written where there is a limit, which one more
/// container would change otherwise.
fn write(pod: &mut Node<'_>, was: &Requirements, target: &Requirements) {
    for side in [Side::Requests, Side::Limits] {
        for (resource, amount) in target.side(side) {
            let is_said = was.side(side).get(resource) == Some(amount);
            let is_meant =
                side == Side::Limits || was.requests.contains_key(resource) || was.limits.contains_key(resource);
            if !is_said
                && is_meant
                && let Some(list) = pod.within(&["spec", "resources", side.field()])
            {
                list.set(resource.clone(), quoted(&amount.written_for(resource)));
            }
        }
    }
}
