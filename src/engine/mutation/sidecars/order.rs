//! Where in its list a container of ours may stand. The others keep the order that they have; ours is fitted in.

use super::super::selection::is_like;
use super::parts::Constraints;

/// One of the other containers of a list.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) name: String,
    /// Whether a document of ours adds it.
    pub(super) is_ours: bool,
    /// Whether it asks to stand before, or after, the container that is placed.
    pub(super) asks_to_precede: bool,
    pub(super) asks_to_follow: bool,
    /// Whether it is the document's whose container is placed.
    pub(super) is_of_same_document: bool,
    /// Whether it comes before, or after, all that do not insist on the same.
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

/// Where it may stand, and where it is put: so many of the others come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) best: usize,
}

/// None if no place is as it should be.
pub(super) fn places(others: &[Neighbour], order: &Constraints) -> Option<Places> {
    let names = |patterns: &[String], other: &Neighbour| patterns.iter().any(|pattern| is_like(pattern, &other.name));
    // Who is first or last is so for everybody who is not, and of two documents the earlier one stands further out.
    let has_to_precede = |other: &Neighbour| {
        names(&order.after, other)
            || other.asks_to_precede
            || (order.last && !other.is_last)
            || (other.is_first && !(order.first && other.is_of_same_document))
    };
    let has_to_follow = |other: &Neighbour| {
        names(&order.before, other)
            || other.asks_to_follow
            || (order.first && !other.is_first)
            || (other.is_last && !(order.last && other.is_of_same_document))
    };
    let least = others.iter().rposition(has_to_precede).map_or(0, |index| index + 1);
    let most = others.iter().position(has_to_follow).unwrap_or(others.len());
    if least > most {
        return None;
    }
    // What is ours is not meant by `*`.
    let first_foreign = || others.iter().enumerate().position(|(index, other)| index >= least && !other.is_ours);
    let last_foreign = || others.iter().enumerate().rposition(|(index, other)| index < most && !other.is_ours);
    if order.early {
        let most = first_foreign().map_or(most, |index| index.min(most));
        return Some(Places { least, most, best: most });
    }
    if order.late {
        let least = last_foreign().map_or(least, |index| (index + 1).max(least));
        return Some(Places { least, most, best: most });
    }
    let is_only_after = order.before.is_empty() && !order.first && (order.last || !order.after.is_empty());
    Some(Places { least, most, best: if is_only_after { least } else { most } })
}

impl Places {
    pub(super) fn hold(self, place: usize) -> bool {
        (self.least..=self.most).contains(&place)
    }
}
