//! Random pods and admission reviews, made from a seed.
//!
//! A case depends on the seed and its own index alone. At least half of the pods stand near a boundary: the smallest
//! pod that a level and version allow, changed in one to three places by a table of changes that matter to the checks.

pub mod containers;
pub mod edit;
pub mod minimal;
pub mod pod;
pub mod random;
pub mod review;
pub mod runes;
pub mod tweaks;
pub mod words;
pub mod wrong;
