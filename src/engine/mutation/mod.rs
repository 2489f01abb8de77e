//! Mutation: edits that make pods complete and safe, planned over a tree of their JSON and answered as a minimal patch.

pub mod document;
mod patch;
mod plan;
pub mod resources;
mod selection;
mod tree;

pub use document::OperatingSystem;
pub use patch::Patch;
pub use plan::{Conflict, Note, Plan, PriorityClass, Reason, Weight, World};
pub use selection::{
    Decision, Outcome, Relevance, Selection, containers, is_like, is_named, operating_system, owner, owner_kind,
};
pub use tree::{Node, quoted};

#[cfg(test)]
mod tests;
