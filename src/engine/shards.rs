//! Facts of a cluster by name: its namespaces, its service accounts.
//!
//! A copy shares what does not change afterwards: publishing one change among ten thousand names copies the forty or so
//! that lie beside it, and nothing of the rest.

use std::collections::HashMap;
use std::sync::Arc;

const SHARDS: usize = 256;

type Shard<V> = HashMap<Arc<str>, V>;

#[derive(Debug, Clone)]
pub(super) struct Shards<V> {
    shards: Box<[Arc<Shard<V>>]>,
    count: usize,
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Arc::default()).collect(), count: 0 }
    }
}

impl<V: Clone + PartialEq> Shards<V> {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn find(&self, name: &str) -> Option<&V> {
        self.shards.get(shard_of(name))?.get(name)
    }

    /// Puts a value under this name; false if it stood there already, the same.
    pub(super) fn put(&mut self, name: &str, value: V) -> bool {
        if self.find(name) == Some(&value) {
            return false;
        }
        let Some(shard) = self.shards.get_mut(shard_of(name)) else { return false };
        let before = Arc::make_mut(shard).insert(name.into(), value);
        self.count += usize::from(before.is_none());
        true
    }

    /// Takes out what stands under this name; false if there is nothing.
    pub(super) fn take(&mut self, name: &str) -> bool {
        if self.find(name).is_none() {
            return false;
        }
        let Some(shard) = self.shards.get_mut(shard_of(name)) else { return false };
        let before = Arc::make_mut(shard).remove(name);
        self.count -= usize::from(before.is_some());
        true
    }
}

/// Spreads names; whoever chooses names that meet makes publishing dearer, never looking up.
fn shard_of(name: &str) -> usize {
    name.bytes().fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte))) % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Namespace, Workloads};

    fn denying() -> Namespace {
        Namespace { workloads: Some(Workloads::Deny), ..Namespace::default() }
    }

    #[test]
    fn a_copy_shares_what_did_not_change_and_keeps_what_it_had() {
        let mut after = Shards::default();
        for index in 0..1000 {
            after.put(&format!("team-{index}"), Namespace::default());
        }
        let before = after.clone();
        assert!(after.put("team-7", denying()));
        let shared = before.shards.iter().zip(&after.shards).filter(|(old, new)| Arc::ptr_eq(old, new)).count();
        assert_eq!(shared, SHARDS - 1);
        assert_eq!(before.find("team-7"), Some(&Namespace::default()));
        assert_eq!(after.find("team-7"), Some(&denying()));
        assert_eq!((before.len(), after.len()), (1000, 1000));
    }

    #[test]
    fn says_whether_anything_changed() {
        let mut namespaces = Shards::default();
        assert!(namespaces.put("shop", Namespace::default()));
        assert!(!namespaces.put("shop", Namespace::default()));
        assert!(namespaces.take("shop"));
        assert!(!namespaces.take("shop"));
        assert_eq!(namespaces.len(), 0);
    }

    #[test]
    fn names_are_spread() {
        let mut namespaces = Shards::default();
        for index in 0..10_000 {
            namespaces.put(&format!("tenant-{index}-production"), Namespace::default());
        }
        let fullest = namespaces.shards.iter().map(|shard| shard.len()).max();
        assert!(fullest < Some(400), "{fullest:?}");
    }
}
