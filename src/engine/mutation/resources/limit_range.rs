//! What the LimitRanges of a namespace allow, all of them taken together, and what they set where nothing is said.
//!
//! Source: plugin/pkg/admission/limitranger/admission.go and `SetDefaults_LimitRangeItem` of k8s.io/kubernetes v1.37.1. A minimum wants a
//! request, a maximum a limit, a ratio both.
//!
//! Kept true: a pair that is brought within the bounds is within all of them, or there is none.

use std::collections::BTreeMap;

use super::requirements::{Requirements, ResourceList, Side, quantities};
use crate::engine::mutation::{LimitRange, Node};
use crate::engine::object::{Quantity, Ratio};

/// The bounds of a namespace, by resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitRanges {
    pub containers: BTreeMap<String, Bounds>,
    pub pods: BTreeMap<String, Bounds>,
}

/// The bounds of one resource: of several LimitRanges the narrowest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    pub min: Option<Quantity>,
    pub max: Option<Quantity>,
    pub ratio: Option<Ratio>,
    /// The limit and the request that the LimitRanger sets where there is none. Whichever of several comes first counts, and nobody can
    /// say which that is.
    pub default_limit: Option<Quantity>,
    pub default_request: Option<Quantity>,
    /// Whether LimitRanges disagree about them.
    pub is_contested: bool,
}

/// The request and the limit of one resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    pub request: Option<Quantity>,
    pub limit: Option<Quantity>,
}

impl LimitRanges {
    /// Reads the limits of LimitRanges. What is no quantity is no bound.
    pub fn read(ranges: &[LimitRange<'_>]) -> Self {
        let mut found = Self::default();
        for range in ranges {
            for item in Node::new(range.limits).items() {
                match item.string_at("type").as_deref() {
                    Some("Container") => found.bound_containers(item),
                    Some("Pod") => Self::bound(&mut found.pods, item),
                    _ => {}
                }
            }
        }
        found
    }

    /// Whether anything is said of a resource.
    pub fn has(&self, resource: &str) -> bool {
        self.containers.contains_key(resource) || self.pods.contains_key(resource)
    }

    fn bound_containers(&mut self, item: &Node<'_>) {
        Self::bound(&mut self.containers, item);
        let list = |field: &str| item.get(field).map(quantities).unwrap_or_default();
        let (min, mut limits, mut requests) = (list("min"), list("default"), list("defaultRequest"));
        fill(&mut limits, &list("max"));
        fill(&mut requests, &limits);
        fill(&mut requests, &min);
        for (resource, limit) in limits {
            let bounds = self.containers.entry(resource).or_default();
            bounds.is_contested |= bounds.default_limit.is_some_and(|other| other != limit);
            bounds.default_limit.get_or_insert(limit);
        }
        for (resource, request) in requests {
            let bounds = self.containers.entry(resource).or_default();
            bounds.is_contested |= bounds.default_request.is_some_and(|other| other != request);
            bounds.default_request.get_or_insert(request);
        }
    }

    fn bound(of: &mut BTreeMap<String, Bounds>, item: &Node<'_>) {
        let list = |field: &str| item.get(field).map(quantities).unwrap_or_default();
        for (resource, min) in list("min") {
            let bounds = of.entry(resource).or_default();
            bounds.min = Some(bounds.min.map_or(min, |other| other.max(min)));
        }
        for (resource, max) in list("max") {
            let bounds = of.entry(resource).or_default();
            bounds.max = Some(bounds.max.map_or(max, |other| other.min(max)));
        }
        for (resource, ratio) in list("maxLimitRequestRatio") {
            let Some(ratio) = Ratio::of(ratio) else { continue };
            let bounds = of.entry(resource).or_default();
            bounds.ratio = Some(bounds.ratio.map_or(ratio, |other| other.min(ratio)));
        }
    }

    /// What a container has once the API server and the LimitRanger have filled in what is missing.
    pub fn filled(&self, requirements: &Requirements) -> Requirements {
        let mut filled = requirements.clone();
        filled.request_what_is_limited();
        for (resource, bounds) in &self.containers {
            for (side, default) in
                [(&mut filled.limits, bounds.default_limit), (&mut filled.requests, bounds.default_request)]
            {
                if let Some(default) = default {
                    side.entry(resource.clone()).or_insert(default);
                }
            }
        }
        filled
    }
}

fn fill(list: &mut ResourceList, from: &ResourceList) {
    for (resource, amount) in from {
        list.entry(resource.clone()).or_insert(*amount);
    }
}

impl Pair {
    pub fn of(requirements: &Requirements, resource: &str) -> Self {
        let amount = |side: Side| requirements.side(side).get(resource).copied();
        Self { request: amount(Side::Requests), limit: amount(Side::Limits) }
    }

    /// Whether both are there and equal.
    pub fn is_equal(self) -> bool {
        self.request.is_some() && self.request == self.limit
    }
}

impl Bounds {
    /// Whether the pair is within the bounds, as the LimitRanger judges it, and one that the API takes.
    pub fn allow(&self, pair: Pair) -> bool {
        let is_within =
            |amount: Quantity| self.min.is_none_or(|min| amount >= min) && self.max.is_none_or(|max| amount <= max);
        let has_sides = (self.min.is_none() || pair.request.is_some())
            && (self.max.is_none() || pair.limit.is_some())
            && (self.ratio.is_none() || (pair.request.is_some() && pair.limit.is_some()));
        let is_ordered = pair.request.is_none_or(|request| pair.limit.is_none_or(|limit| request <= limit));
        has_sides
            && is_ordered
            && [pair.request, pair.limit].into_iter().flatten().all(is_within)
            && self.allow_ratio(pair)
    }

    fn allow_ratio(&self, pair: Pair) -> bool {
        let (Some(ratio), Some(request), Some(limit)) = (self.ratio, pair.request, pair.limit) else { return true };
        !request.is_zero() && !limit.is_zero() && request.times(ratio).is_ok_and(|most| limit <= most)
    }

    /// The pair within the bounds that is nearest to this one: amounts go up to the minimum and down to the maximum, and a ratio that is
    /// too wide raises the request. Equal amounts stay equal. None if nothing is within them, or if nothing says how much.
    pub fn nearest(&self, pair: Pair, step: Quantity) -> Option<Pair> {
        let within = |amount: Quantity| {
            let raised = self.min.map_or(amount, |min| amount.max(min));
            self.max.map_or(raised, |max| raised.min(max))
        };
        let mut found = Pair { request: pair.request.map(within), limit: pair.limit.map(within) };
        if found.request.is_none() && (self.min.is_some() || self.ratio.is_some()) {
            found.request = found.limit;
        }
        if found.limit.is_none() && (self.max.is_some() || self.ratio.is_some()) {
            found.limit = self.max.or(found.request);
        }
        if let (Some(request), Some(limit)) = (found.request, &mut found.limit) {
            *limit = request.max(*limit);
        }
        if let (Some(ratio), Some(request), Some(limit)) = (self.ratio, found.request, found.limit)
            && !self.allow_ratio(found)
        {
            let least = limit.divided_by(ratio).and_then(|least| least.rounded_up(step)).ok()?;
            found.request = Some(request.max(least));
            // Rounding up may have gone past the limit, which the request then is.
            found.limit = Some(limit.max(request.max(least)));
        }
        self.allow(found).then_some(found)
    }
}
