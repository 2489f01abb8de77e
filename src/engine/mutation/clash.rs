//! Documents that refuse each other's pods: told of where the second one is written, before any pod is refused.
//!
//! Only what is certain counts: the one is for every pod that the other is for, and the pod would be refused. What may happen to some pods
//! is found in those pods.

use super::Active;
use super::document::Flaw;
use super::documents::Part;

impl Active {
    /// What in this document every pod that both are for is refused for, if they are for the same pods.
    pub fn clashes_with(&self, other: &Self) -> Vec<Flaw> {
        let (Part::Injection(ours), Part::Injection(theirs)) = (&self.part, &other.part) else { return Vec::new() };
        let meet = self.selection.covers(&other.selection) || other.selection.covers(&self.selection);
        if self.title == other.title || !meet {
            return Vec::new();
        }
        // Whoever comes second finds what the first has added.
        let second = if self.rank() < other.rank() { theirs } else { ours };
        ours.clashes_with(theirs, &other.title, second.conflicts())
    }
}
