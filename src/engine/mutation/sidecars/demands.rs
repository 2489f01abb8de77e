//! What the containers that are added demand of each other's places, and what follows from that, within a document and between several.
//!
//! They are placed one after the other. What a later one demands of a container is known here before the first is placed,
//! so that nothing has to be moved once all are there, and a second pass finds everything in its place.

use super::super::plan::{Demands, Plan};
use super::super::selection::is_like;
use super::Injection;
use super::compile::may_meet;
use super::parts::{Constraints, Item};
use super::work::known_claim;

/// What all containers that these documents add to the pod demand; empty if none demands anything of the others.
pub(super) fn demands<'i>(injections: impl Iterator<Item = &'i Injection>, plan: &Plan<'_>) -> Vec<Demands> {
    let revisions = injections.filter_map(|injection| match injection.revisions.as_slice() {
        [only] => Some(only),
        _ => injection.chosen(plan, &known_claim(injection, plan)),
    });
    let items: Vec<&Item> = revisions.flat_map(|revision| &revision.parts.items).collect();
    let is_bound = |item: &&Item| !item.order.before.is_empty() || !item.order.after.is_empty();
    if items.len() < 2 || !items.iter().any(is_bound) {
        return Vec::new();
    }
    let mut all: Vec<Demands> = items.iter().map(|item| written(item)).collect();
    let pairs = pairs(&items, &all);
    // What goes round in a circle has come all the way after as many rounds as there are containers.
    for _ in 0..items.len() {
        if !inherit(&mut all, &pairs) {
            break;
        }
    }
    all
}

fn written(item: &Item) -> Demands {
    let Constraints { before, after, first, last, .. } = &item.order;
    Demands { name: item.name.clone(), before: before.clone(), after: after.clone(), first: *first, last: *last }
}

/// The places of those of whom the first has to come before the second, as far as they may meet in one list.
fn pairs(items: &[&Item], all: &[Demands]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for (from, one) in all.iter().enumerate().filter(|(_, one)| one.is_bound()) {
        for (to, other) in all.iter().enumerate().filter(|(to, _)| *to != from) {
            let is_together =
                items.get(from).zip(items.get(to)).is_some_and(|(one, other)| may_meet(one.kind, other.kind));
            if is_together && one.demands_to_precede(&other.name) {
                pairs.push((from, to));
            }
            if is_together && one.demands_to_follow(&other.name) {
                pairs.push((to, from));
            }
        }
    }
    pairs
}

/// Whoever comes before another comes before all that the other has to come before, and the other way round; behind the last of all
/// nothing can be but what is the last too. False if nothing is new.
fn inherit(all: &mut [Demands], pairs: &[(usize, usize)]) -> bool {
    let mut is_new = false;
    for (from, to) in pairs {
        let (Some(earlier), Some(later)) = (all.get(*from).cloned(), all.get(*to).cloned()) else { continue };
        if let Some(demands) = all.get_mut(*from) {
            is_new |= extend(&mut demands.before, later.before) || (later.first && !demands.first);
            demands.first |= later.first;
        }
        if let Some(demands) = all.get_mut(*to) {
            is_new |= extend(&mut demands.after, earlier.after) || (earlier.last && !demands.last);
            demands.last |= earlier.last;
        }
    }
    is_new
}

fn extend(patterns: &mut Vec<String>, more: Vec<String>) -> bool {
    let before = patterns.len();
    for pattern in more {
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns.len() > before
}

impl Demands {
    fn is_bound(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    pub(super) fn demands_to_precede(&self, name: &str) -> bool {
        self.before.iter().any(|pattern| is_like(pattern, name))
    }

    pub(super) fn demands_to_follow(&self, name: &str) -> bool {
        self.after.iter().any(|pattern| is_like(pattern, name))
    }
}
