//! RuntimeClasses: what their pods get from the API server. A cluster has a few.

use std::sync::Arc;

use super::collection::Keeper;
use super::held::Held;
use super::state::State;
use super::surroundings::{Known, key};
use crate::engine::mutation::RuntimeClass;

pub(super) const PATH: &str = "/apis/node.k8s.io/v1/runtimeclasses";

/// Holds the RuntimeClasses.
pub(super) struct RuntimeClasses {
    pub(super) state: Arc<State>,
    pub(super) known: Arc<Known>,
    /// By name.
    pub(super) held: Held<Box<str>, RuntimeClass>,
}

impl Keeper for RuntimeClasses {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.put(key(object)?.1, RuntimeClass::read(object)?);
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?.1);
        Ok(())
    }

    fn publish(&mut self) {
        if let Some(classes) = self.held.take_changed() {
            self.known.change(|known| known.runtime_classes.clone_from(classes));
            self.known.publish(&self.state);
        }
    }
}
