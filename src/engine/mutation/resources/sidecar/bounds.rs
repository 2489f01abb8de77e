//! Brings what a sidecar is to have within the LimitRanges of the namespace, or conflicts with them. Only the sidecar's amounts are touched.

use std::collections::BTreeSet;

use super::{Conflict, LimitRangeSafety, Placed, Plan, Quantity, Reason, Requirements, ResourceList, Side, Weight};
use crate::engine::mutation::resources::amount::finest;
use crate::engine::mutation::resources::blame::in_the_way;
use crate::engine::mutation::resources::limit_range::{Bounds, LimitRanges, Pair};

impl Placed<'_> {
    pub(super) fn limits(&self, plan: &Plan<'_>) -> LimitRanges {
        LimitRanges::read(&plan.world.limit_ranges)
    }

    /// Brings the amounts within the bounds; with `must_be_equal`, CPU and memory stay equal on both sides.
    pub(super) fn clamp(
        &self,
        plan: &mut Plan<'_>,
        wanted: &mut Requirements,
        must_be_equal: bool,
    ) -> Result<(), Conflict> {
        let limits = self.limits(plan);
        let filled = limits.filled(wanted);
        let resources: BTreeSet<&String> = limits.containers.keys().chain(limits.pods.keys()).collect();
        for resource in resources {
            let pair = Pair::of(&filled, resource);
            let bounds = self.bounds(plan, &limits, resource);
            let is_named = limits.containers.contains_key(resource) || pair != Pair::default();
            if !is_named || (bounds.allow(pair) && !bounds.is_contested) {
                continue;
            }
            let found = bounds
                .nearest(pair, finest(resource))
                .filter(|found| !must_be_equal || !is_compute(resource) || found.is_equal());
            let is_there_any = found.is_some();
            let Some(found) =
                found.filter(|_| bounds.allow(pair) || self.sidecar.limit_range == LimitRangeSafety::Clamp)
            else {
                let about = self.about_bounds(plan, resource, pair, is_there_any);
                self.conflict(plan, Reason::LimitRangeInfeasible, about)?;
                continue;
            };
            put(&mut wanted.requests, resource, found.request);
            put(&mut wanted.limits, resource, found.limit);
            if found != pair {
                let about = self.about_bounds(plan, resource, pair, true);
                plan.note(self.document, Reason::LimitRangeClamped, Weight::Detail, about);
            }
        }
        Ok(())
    }

    /// The resource, and the LimitRanges that do not allow the pair; all of them where no pair would do.
    fn about_bounds(&self, plan: &Plan<'_>, resource: &str, pair: Pair, is_there_any: bool) -> String {
        let forbids = |limits: &LimitRanges| is_there_any && !self.bounds(plan, limits, resource).allow(pair);
        let ranges = in_the_way(&plan.world.limit_ranges, forbids, |limits| limits.has(resource));
        format!("{}, {ranges}", self.about(resource))
    }

    /// The bounds of a container, narrowed to the room that those of the pod leave.
    fn bounds(&self, plan: &Plan<'_>, limits: &LimitRanges, resource: &str) -> Bounds {
        let mut bounds = limits.containers.get(resource).cloned().unwrap_or_default();
        let Some(pod) = limits.pods.get(resource) else { return bounds };
        bounds.ratio = [bounds.ratio, pod.ratio].into_iter().flatten().min();
        // A pod with resources of its own is measured by those; see `fit_into_own`.
        let own = plan.pod.at(&["spec", "resources", Side::Limits.field(), resource]);
        if let (Some(max), None) = (pod.max, own) {
            let room = |side| self.load(&plan.pod, side).room(self.place, resource, max);
            // A pod that is beyond the bounds without the sidecar is not for the sidecar to mend.
            let rooms = [room(Side::Requests), room(Side::Limits)].into_iter().flatten().chain(bounds.max);
            bounds.max = rooms.min();
        }
        bounds
    }
}

fn put(list: &mut ResourceList, resource: &str, amount: Option<Quantity>) {
    if let Some(amount) = amount {
        list.insert(resource.to_owned(), amount);
    }
}

fn is_compute(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory")
}
