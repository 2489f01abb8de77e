//! The name that somebody meant who wrote another one.

/// The candidate that is nearest to `written`, if one is near enough to have been meant.
pub(in crate::engine::mutation) fn nearest<'n>(
    written: &str,
    candidates: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let most = (written.chars().count() / 3).max(1);
    let measured = candidates.into_iter().map(|candidate| (distance(written, candidate), candidate));
    measured.filter(|(distance, _)| *distance <= most).min().map(|(_, candidate)| candidate)
}

/// How many characters are to be changed, added, left out or swapped with their neighbour; capitals do not count.
fn distance(one: &str, other: &str) -> usize {
    let letters = |text: &str| text.chars().map(|letter| letter.to_ascii_lowercase()).collect::<Vec<_>>();
    let (one, other) = (letters(one), letters(other));
    // The rows of the table of distances between beginnings: of the last but one letter of `one`, and of the last one.
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let mut next = vec![index + 1];
        for (place, facing) in other.iter().enumerate() {
            let at = |row: &[usize], place: usize| row.get(place).copied().unwrap_or(usize::MAX - 1);
            let changed = at(&row, place) + usize::from(letter != facing);
            let mut least = changed.min(at(&row, place + 1) + 1).min(at(&next, place) + 1);
            let is_swapped =
                place > 0 && index > 0 && other.get(place - 1) == Some(letter) && one.get(index - 1) == Some(facing);
            if is_swapped {
                least = least.min(at(&before, place - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_nothing_far_away() {
        let names = ["containerPort", "hostIP", "hostPort", "name", "protocol"];
        assert_eq!(nearest("containerport", names), Some("containerPort"));
        assert_eq!(nearest("contianerPort", names), Some("containerPort"));
        assert_eq!(nearest("port", names), None);
        assert_eq!(nearest("nam", names), Some("name"));
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest("imagePullPolcy", ["image", "imagePullPolicy"]), Some("imagePullPolicy"));
    }

    #[test]
    fn a_swap_counts_once() {
        assert_eq!(distance("abcd", "abdc"), 1);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ABC", "abc"), 0);
    }
}
