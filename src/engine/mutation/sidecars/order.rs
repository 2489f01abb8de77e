//! Where in its list a container of ours may stand. The others keep the order that they have; ours is fitted in.

use super::super::selection::is_like;
use super::parts::Constraints;

/// One of the other containers of a list.
#[derive(Debug)]
pub(super) struct Neighbour {
    pub(super) name: String,
    /// Whether a document of ours adds it.
    pub(super) is_ours: bool,
    /// Whether it is where it is to be: one of ours that is still to come may be moved yet.
    pub(super) is_settled: bool,
    /// Whether it is an earlier, or a later, document's. Of two documents that both want to be first or last the earlier one stands
    /// further out.
    pub(super) is_further_out: bool,
    pub(super) is_further_in: bool,
    /// Whether it comes before, or after, all that do not insist on the same.
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    /// Whether it demands itself to come before ours, or after it.
    pub(super) precedes: bool,
    pub(super) follows: bool,
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
    // Who is named comes before who is meant by being the first or the last of all.
    let is_named_before = |other: &Neighbour| other.precedes || names(&order.after, other);
    let is_named_behind = |other: &Neighbour| other.follows || names(&order.before, other);
    let is_outside_before = |other: &Neighbour| {
        (order.last && (!other.is_last || other.is_further_in))
            || (other.is_first && other.is_settled && (!order.first || other.is_further_out))
    };
    let is_outside_behind = |other: &Neighbour| {
        (order.first && (!other.is_first || other.is_further_in))
            || (other.is_last && other.is_settled && (!order.last || other.is_further_out))
    };
    let has_to_precede =
        |other: &Neighbour| is_named_before(other) || (is_outside_before(other) && !is_named_behind(other));
    let has_to_follow =
        |other: &Neighbour| is_named_behind(other) || (is_outside_behind(other) && !is_named_before(other));
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
        // Of those that are the last of all, the one that was there first stays so.
        return Some(Places { least, most, best: if order.last { least } else { most } });
    }
    // Who is not there says nothing, and where nothing is said ours comes last.
    let is_after_somebody = order.last || others.iter().any(|other| names(&order.after, other));
    let is_only_after = order.before.is_empty() && !order.first && is_after_somebody;
    Some(Places { least, most, best: if is_only_after { least } else { most } })
}

impl Places {
    pub(super) fn hold(self, place: usize) -> bool {
        (self.least..=self.most).contains(&place)
    }
}
