//! The pod's own resources, which grow with what is added: what they were is recorded, so that it can be had back.

use std::collections::BTreeMap;

use super::super::tree::Node;
use super::claim::Part;
use super::work::Work;

/// The amounts of a pod's own, as JSON, by side and resource.
type Amounts = BTreeMap<(&'static str, String), String>;

const SIDES: [&str; 2] = ["requests", "limits"];

/// What a pod has of its own now.
pub(super) fn own_amounts(pod: &Node<'_>) -> Amounts {
    let Some(resources) = pod.at(&["spec", "resources"]) else { return Amounts::new() };
    let side = |side: &'static str| {
        let amounts = resources.get(side).into_iter().flat_map(Node::members);
        amounts.map(move |(resource, amount)| ((side, resource.to_owned()), amount.to_json().into_owned()))
    };
    SIDES.into_iter().flat_map(side).collect()
}

impl Work<'_, '_> {
    /// Records what has changed since the pod had this; what was recorded first stays. Where it had nothing of its own, nothing grows.
    pub(super) fn record_growth(&mut self, before: &Amounts) {
        if before.is_empty() {
            return;
        }
        for ((side, resource), amount) in own_amounts(&self.plan.pod) {
            let was = before.get(&(side, resource.clone()));
            if was != Some(&amount) && !self.has_grown(side, &resource) {
                self.grown.push(Part::Grown(side, &resource, was.map(String::as_str)).text());
            }
        }
    }

    /// Lists what grew, now or in an earlier pass, always in the same order.
    pub(super) fn list_growth(&mut self) {
        let mut grown = std::mem::take(&mut self.grown);
        grown.sort();
        self.record.parts.extend(grown);
    }

    fn has_grown(&self, side: &str, resource: &str) -> bool {
        let beginning = Part::Grown(side, resource, None).text();
        self.grown.iter().any(|part| part.starts_with(&beginning))
    }
}

/// Gives an amount back what it was, by what follows the letter of its part.
pub(super) fn shrink(pod: &mut Node<'_>, part: &str) {
    let mut words = part.splitn(3, '/');
    let (Some(side), Some(resource), Some(was)) = (words.next(), words.next(), words.next()) else { return };
    let path = ["spec", "resources", side];
    if !SIDES.contains(&side) || pod.at(&path).and_then(|amounts| amounts.get(resource)).is_none() {
        return;
    }
    let is_amount = serde_json::from_str::<serde_json::Value>(was).is_ok_and(|was| was.is_string() || was.is_number());
    let Some(amounts) = pod.within(&path) else { return };
    if is_amount {
        amounts.set(resource.to_owned(), was.to_owned());
    } else if was.is_empty() {
        amounts.remove(resource);
    }
}
