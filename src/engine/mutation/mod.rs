//! Mutation: edits that make pods complete and safe, planned over a tree of their JSON and answered as a minimal patch.

pub mod document;
mod patch;
mod plan;
mod tree;

pub use patch::Patch;
pub use plan::{Conflict, Note, Plan, PriorityClass, Reason, Weight, World};
pub use tree::{Node, quoted};

#[cfg(test)]
mod tests;
