//! What has been told of the objects of one kind, compact, and whether it is other than what was last taken.
//!
//! Most of what a watch tells are bookmarks and changes that nobody looks at, and a list mostly tells what is known: those are told
//! apart here, so that they publish nothing.

use std::collections::BTreeMap;

/// The most objects of a kind. Those beyond are not known.
const MOST: usize = 100_000;

#[derive(Debug)]
pub(super) struct Held<K, V> {
    now: BTreeMap<K, V>,
    /// What was held before the list that is being told.
    before: Option<BTreeMap<K, V>>,
    has_changed: bool,
    most: usize,
}

impl<K: Ord, V: PartialEq> Held<K, V> {
    pub(super) fn none() -> Self {
        Self { now: BTreeMap::new(), before: None, has_changed: false, most: MOST }
    }

    /// A full list follows.
    pub(super) fn clear(&mut self) {
        let now = std::mem::take(&mut self.now);
        // A list that broke off is no state to compare with.
        self.before.get_or_insert(now);
    }

    /// An object is there, or is another than before.
    pub(super) fn put(&mut self, key: K, value: V) {
        let known = self.now.get(&key);
        if known.is_none() && self.now.len() >= self.most {
            return;
        }
        self.has_changed |= self.before.is_none() && known != Some(&value);
        self.now.insert(key, value);
    }

    pub(super) fn remove(&mut self, key: &K) {
        let is_gone = self.now.remove(key).is_some();
        self.has_changed |= self.before.is_none() && is_gone;
    }

    /// All that is held, if it is other than what was last taken.
    pub(super) fn take_changed(&mut self) -> Option<&BTreeMap<K, V>> {
        let is_listed_otherwise = self.before.take().is_some_and(|before| before != self.now);
        let has_changed = std::mem::take(&mut self.has_changed) || is_listed_otherwise;
        has_changed.then_some(&self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held() -> Held<&'static str, u32> {
        let mut held = Held::none();
        held.clear();
        held.put("a", 1);
        held.put("b", 2);
        assert_eq!(held.take_changed().map(BTreeMap::len), Some(2));
        held
    }

    #[test]
    fn what_is_told_again_changes_nothing() {
        let mut held = held();
        assert!(held.take_changed().is_none(), "a bookmark");
        held.put("a", 1);
        held.remove(&"c");
        assert!(held.take_changed().is_none());
    }

    #[test]
    fn whatever_is_other_than_before_is_taken_once() {
        let changes: [fn(&mut Held<&str, u32>); 3] =
            [|held| held.put("a", 7), |held| held.put("c", 3), |held| held.remove(&"b")];
        for change in changes {
            let mut held = held();
            change(&mut held);
            assert!(held.take_changed().is_some());
            assert!(held.take_changed().is_none());
        }
    }

    #[test]
    fn a_list_of_what_is_known_changes_nothing_and_any_other_does() {
        let mut held = held();
        held.clear();
        held.put("b", 2);
        held.clear();
        held.put("b", 2);
        held.put("a", 1);
        assert!(held.take_changed().is_none(), "one that was begun anew");
        held.clear();
        held.put("b", 2);
        assert_eq!(held.take_changed().map(|now| now.keys().copied().collect()), Some(vec!["b"]));
        held.clear();
        assert_eq!(held.take_changed().map(BTreeMap::len), Some(0));
    }

    #[test]
    fn a_change_that_was_not_taken_before_a_list_is_taken_after_it() {
        let mut held = held();
        held.put("a", 7);
        held.clear();
        held.put("a", 7);
        held.put("b", 2);
        assert_eq!(held.take_changed().and_then(|now| now.get("a")), Some(&7));
    }

    #[test]
    fn what_is_beyond_the_bound_is_not_held_and_what_is_held_stays_current() {
        let mut held = Held { most: 1, ..Held::none() };
        held.put("a", 1);
        held.put("b", 2);
        held.put("a", 3);
        assert_eq!(held.take_changed(), Some(&BTreeMap::from([("a", 3)])));
    }
}
