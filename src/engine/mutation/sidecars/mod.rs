//! What a SidecarInjection does to a pod.

use super::document::{Flaw, SidecarInjection};
use super::plan::{Conflict, Plan};
use super::tree::Node;

#[derive(Debug)]
pub struct Injection {}

impl Injection {
    pub fn compile(_title: &str, _document: &SidecarInjection) -> Result<Self, Vec<Flaw>> {
        Ok(Self {})
    }

    pub fn own_names(&self) -> Vec<String> {
        Vec::new()
    }

    pub fn apply(&self, _plan: &mut Plan<'_>) -> Result<(), Conflict> {
        Ok(())
    }

    pub fn missing(&self, _pod: &Node<'_>) -> Vec<String> {
        Vec::new()
    }
}
