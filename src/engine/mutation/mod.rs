//! Mutation: edits that make pods complete and safe, planned over a tree of their JSON and answered as a minimal patch.
//!
//! Pure and convergent: the same pod, documents and facts give the same bytes, and a pod that went through once and came back with
//! the API server's defaults gives no patch.

mod advice;
pub mod arrival;
mod asks;
mod authored;
mod change;
mod check;
mod clash;
mod defaults;
pub mod document;
mod documents;
mod driver;
mod ending;
mod index;
mod kinds;
mod leaving;
mod others;
mod patch;
mod plan;
mod quarrel;
pub mod resources;
mod schema;
mod selection;
mod service_accounts;
mod sidecars;
mod size;
mod surroundings;
mod tree;
mod unfilling;
mod written;

pub use asks::Asks;
pub use documents::{Active, Candidates, Documents, Interned};
pub use driver::{Mutated, Rules, mutate, passed_over, verify};
pub use kinds::{limits_of, priority_of};
pub use patch::Patch;
pub use plan::{
    Conflict, KeptClasses, LabelSet, LimitRange, Note, Plan, PriorityClass, PriorityClasses, Reason, Reserved, Weight,
    World,
};
pub use selection::{
    Controller, Decision, Outcome, Relevance, Selection, containers, is_like, is_named, operating_system, owner,
    owner_kind,
};
pub(super) use service_accounts::service_account_of;
pub use service_accounts::{ServiceAccounts, kept_of};
pub use surroundings::{Around, Labels, LimitRanges, RuntimeClass, RuntimeClasses, Surroundings};
pub use tree::Node;
pub use written::quoted;

#[cfg(test)]
mod tests;
