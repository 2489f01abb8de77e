//! Which LimitRanges of a namespace stand in the way, in words: kubectl shows each under its name.

use super::limit_range::LimitRanges;
use crate::engine::mutation::LimitRange;

/// Names those that by themselves stand in the way. Where it takes several together, or says nothing of which, all that say something
/// of the matter are named.
pub fn in_the_way(
    ranges: &[LimitRange<'_>],
    is_in_the_way: impl Fn(&LimitRanges) -> bool,
    is_about_it: impl Fn(&LimitRanges) -> bool,
) -> String {
    let read: Vec<(&str, LimitRanges)> =
        ranges.iter().map(|range| (range.name, LimitRanges::read(&[*range]))).collect();
    let named = |is_meant: &dyn Fn(&LimitRanges) -> bool| -> Vec<String> {
        read.iter().filter(|(_, limits)| is_meant(limits)).map(|(name, _)| format!("{name:?}")).collect()
    };
    let alone = named(&is_in_the_way);
    let names = if alone.is_empty() { named(&is_about_it) } else { alone };
    let kind = if names.len() == 1 { "LimitRange" } else { "LimitRanges" };
    format!("{kind} {}", names.join(" and "))
}
