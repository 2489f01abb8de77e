//! What all tests of a target share: started by the first that asks, ended when the test runner exits.
//!
//! A start that failed is not tried again: every test then fails at once, with the first one's reason.

use super::kernel;
use anyhow::{Result, anyhow};
use std::sync::{Arc, Mutex, PoisonError};

/// A place for one `T`, to be put into a `static`.
pub struct Shared<T: 'static> {
    started: Mutex<Option<Result<Arc<T>, String>>>,
}

impl<T: Send + Sync> Shared<T> {
    /// An empty place.
    pub const fn new() -> Self {
        Self { started: Mutex::new(None) }
    }

    /// What is shared; `start` is called by whoever comes first, while the others wait.
    pub fn or_start(&'static self, start: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = started.get_or_insert_with(|| {
            kernel::at_exit(|| self.end());
            start().map(Arc::new).map_err(|error| format!("{error:#}"))
        });
        outcome.clone().map_err(|reason| anyhow!(reason))
    }

    fn end(&self) {
        self.started.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
