//! RuntimeClasses: what their pods get from the API server. A cluster has a few.

use std::sync::Arc;

use super::collection::Keeper;
use super::state::State;
use super::surroundings::{Known, MOST, key};
use crate::engine::mutation::{RuntimeClass, RuntimeClasses as Classes};

pub(super) const PATH: &str = "/apis/node.k8s.io/v1/runtimeclasses";

/// Holds the RuntimeClasses.
pub(super) struct RuntimeClasses {
    pub(super) state: Arc<State>,
    pub(super) known: Arc<Known>,
    pub(super) held: Classes,
}

impl Keeper for RuntimeClasses {
    fn clear(&mut self) {
        self.held.clear();
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let (_, name) = key(object)?;
        if self.held.contains_key(&name) || self.held.len() < MOST {
            self.held.insert(name, RuntimeClass::read(object)?);
        }
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        self.held.remove(&key(object)?.1);
        Ok(())
    }

    fn publish(&mut self) {
        self.known.change(|known| known.runtime_classes.clone_from(&self.held));
        self.known.publish(&self.state);
    }
}
