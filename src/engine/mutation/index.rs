//! A map by texts that is asked far more often than it is made: a text is looked for by its hash, and compared once.

use std::collections::BTreeMap;

/// Values by texts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Index<T> {
    /// In the order of the hashes, and of the texts where those are the same.
    entries: Vec<(u64, Box<str>, T)>,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T> Index<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        let place = self.place(key).ok()?;
        self.entries.get(place).map(|(.., value)| value)
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        let hash = hash(key);
        self.entries.binary_search_by(|(found, text, _)| found.cmp(&hash).then_with(|| (**text).cmp(key)))
    }
}

/// Of several values for one text, the first is kept.
impl<T> FromIterator<(Box<str>, T)> for Index<T> {
    fn from_iter<I: IntoIterator<Item = (Box<str>, T)>>(values: I) -> Self {
        let mut entries: Vec<_> = values.into_iter().map(|(key, value)| (hash(&key), key, value)).collect();
        entries.sort_by(|(one, first, _), (other, second, _)| (one, first).cmp(&(other, second)));
        entries.dedup_by(|(other, second, _), (one, first, _)| (one, first) == (other, second));
        Self { entries }
    }
}

impl<T> From<BTreeMap<Box<str>, T>> for Index<T> {
    fn from(map: BTreeMap<Box<str>, T>) -> Self {
        map.into_iter().collect()
    }
}

/// FNV-1a, by eight bytes at a time. Texts that are made to meet cost a few comparisons more.
fn hash(text: &str) -> u64 {
    let fold = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(rest.len() as u64, |word, byte| (word << 8) | u64::from(*byte));
    let hash = words.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| fold(hash, u64::from_le_bytes(*word)));
    fold(hash, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_nothing_else() {
        let keys = (0..500).map(|number| format!("key-{}/{number}", number % 7).into_boxed_str());
        let index: Index<usize> =
            keys.enumerate().map(|(number, key)| (key, number)).collect::<BTreeMap<_, _>>().into();
        for number in 0..500 {
            assert_eq!(index.get(&format!("key-{}/{number}", number % 7)), Some(&number));
            assert_eq!(index.get(&format!("key-{}/{number}", number % 7 + 1)), None);
        }
        assert!(!index.is_empty() && Index::<usize>::default().is_empty());
        assert_eq!(index.get(""), None);
    }
}
