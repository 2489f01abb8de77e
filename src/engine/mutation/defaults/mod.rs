//! What PodDefaults do to a pod.

use super::document::{Flaw, PodDefaults};
use super::plan::{Conflict, Plan};

#[derive(Debug)]
pub struct Defaults {}

impl Defaults {
    pub fn compile(_title: &str, _document: &PodDefaults) -> Result<Self, Vec<Flaw>> {
        Ok(Self {})
    }

    pub fn apply(&self, _plan: &mut Plan<'_>) -> Result<(), Conflict> {
        Ok(())
    }
}
