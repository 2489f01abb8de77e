//! Orders the containers of one document: who has to come after whom is known before any pod is, and so are cycles.
//!
//! What one item demands of the list holds for those too that have to stand on the same side of it, so that a request can place
//! them one after the other without looking back.

use super::flaws::Flaws;
use crate::engine::mutation::document::Order;
use crate::engine::mutation::selection::is_like;
use crate::engine::mutation::sidecars::parts::{Constraints, Item, Kind};

/// What a document writes about the order, apart by kind; `path` is the order's.
pub(super) fn constraints(order: &Order, path: &str, flaws: &mut Flaws) -> Constraints {
    if order.first && order.last {
        flaws.add(path, "`first` and `last` exclude each other");
    }
    let has_star = |patterns: &[String]| patterns.iter().any(|pattern| pattern == "*");
    let others = |patterns: &[String]| patterns.iter().filter(|pattern| *pattern != "*").cloned().collect::<Vec<_>>();
    let (early, late) = (has_star(&order.before), has_star(&order.after));
    if early && late {
        flaws.add(path, "nothing is both before and after \"*\"");
    }
    for (side, patterns) in [("before", &order.before), ("after", &order.after)] {
        for (index, pattern) in patterns.iter().enumerate() {
            if pattern.is_empty() {
                flaws.add(format!("{path}.{side}[{index}]"), "must be a container's name, in which `*` is any text");
            }
        }
    }
    for name in order.before.iter().filter(|name| *name != "*" && order.after.contains(name)) {
        flaws.add(path, format!("nothing is both before and after {name:?}"));
    }
    let (before, after) = (others(&order.before), others(&order.after));
    Constraints { first: order.first, last: order.last, early, late, before, after }
}

/// Brings the items into an order in which each follows those it has to come after; stable beyond that.
pub(super) fn sort(items: Vec<Item>, path: &str, flaws: &mut Flaws) -> Vec<Item> {
    let count = items.len();
    let edges = edges(&items);
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while order.len() < count {
        let is_free = |index: &usize| {
            !order.contains(index) && edges.iter().all(|(from, to)| to != index || order.contains(from))
        };
        let Some(next) = (0..count).find(is_free) else {
            let left = items.iter().enumerate().filter(|(index, _)| !order.contains(index));
            let names: Vec<_> = left.map(|(_, item)| item.name.as_str()).collect();
            flaws.add(path, format!("the orders of these demand a circle: {}", names.join(", ")));
            return items;
        };
        order.push(next);
    }
    let inherited = inherit(&items, &edges, &order);
    let mut numbered: Vec<(usize, Item)> = items
        .into_iter()
        .zip(inherited)
        .enumerate()
        .map(|(index, (item, order_of_item))| {
            let place = order.iter().position(|number| *number == index).unwrap_or(index);
            (place, Item { order: order_of_item, ..item })
        })
        .collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, item)| item).collect()
}

/// Pairs of items of which the first has to come before the second, as far as they may meet in one list.
fn edges(items: &[Item]) -> Vec<(usize, usize)> {
    let mut edges = Vec::new();
    for (from, one) in items.iter().enumerate() {
        for (to, other) in items.iter().enumerate() {
            if from != to && may_meet(one.kind, other.kind) && has_to_precede(one, other) {
                edges.push((from, to));
            }
        }
    }
    edges
}

fn has_to_precede(one: &Item, other: &Item) -> bool {
    let names = |patterns: &[String], item: &Item| patterns.iter().any(|pattern| is_like(pattern, &item.name));
    names(&one.order.before, other)
        || names(&other.order.after, one)
        || (one.order.first && !other.order.first)
        || (other.order.last && !one.order.last)
}

/// Whether both can be in one list.
pub(in crate::engine::mutation::sidecars) fn may_meet(one: Kind, other: Kind) -> bool {
    let lists = |kind| match kind {
        Kind::Init | Kind::Native => (true, false),
        Kind::Container { .. } => (false, true),
        Kind::Auto { .. } => (true, true),
    };
    let ((one_init, one_plain), (other_init, other_plain)) = (lists(one), lists(other));
    (one_init && other_init) || (one_plain && other_plain)
}

/// What bounds an item from above bounds those before it, and what bounds it from below those after it.
fn inherit(items: &[Item], edges: &[(usize, usize)], order: &[usize]) -> Vec<Constraints> {
    let mut all: Vec<Constraints> = items.iter().map(|item| item.order.clone()).collect();
    let pairs = |number: usize| edges.iter().copied().filter(move |(from, _)| *from == number);
    for (from, to) in order.iter().rev().flat_map(|number| pairs(*number)) {
        let Some(later) = all.get(to).cloned() else { continue };
        if let Some(earlier) = all.get_mut(from) {
            earlier.first |= later.first;
            earlier.early |= later.early && !earlier.late;
            extend(&mut earlier.before, later.before);
        }
    }
    for (from, to) in order.iter().flat_map(|number| pairs(*number)) {
        let Some(earlier) = all.get(from).cloned() else { continue };
        if let Some(later) = all.get_mut(to) {
            later.last |= earlier.last;
            later.late |= earlier.late && !later.early;
            extend(&mut later.after, earlier.after);
        }
    }
    all
}

fn extend(patterns: &mut Vec<String>, more: Vec<String>) {
    for pattern in more {
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
}
