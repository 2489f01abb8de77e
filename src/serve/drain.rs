//! How a server leaves: unready at once, later with closing answers, at last without new connections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::Waker;

/// How far a server is with leaving, in the order in which it happens; zero before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Leaving {
    /// `/readyz` says no; everything else goes on.
    Unready = 1,
    /// Answers say `Connection: close`.
    Farewell,
    /// Nothing is accepted, and connections close as soon as they are idle.
    Gone,
}

/// The state of leaving, and the connections that have to hear of it.
#[derive(Default)]
pub(super) struct Drain {
    stage: AtomicU8,
    next: AtomicU64,
    /// By connection: its task, woken when the server stops. One entry a connection, so that requests need not look.
    tasks: Mutex<HashMap<u64, Waker>>,
}

impl Drain {
    pub(super) fn enter(&self, stage: Leaving) {
        self.stage.store(stage as u8, Ordering::SeqCst);
        if stage == Leaving::Gone {
            let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.values().for_each(Waker::wake_by_ref);
        }
    }

    #[inline]
    pub(super) fn has_reached(&self, stage: Leaving) -> bool {
        self.stage.load(Ordering::Relaxed) >= stage as u8
    }

    pub(super) fn join(&self) -> Member<'_> {
        Member { drain: self, id: self.next.fetch_add(1, Ordering::Relaxed), waker: None }
    }
}

/// A connection among those that are told.
pub(super) struct Member<'d> {
    drain: &'d Drain,
    id: u64,
    waker: Option<Waker>,
}

impl Member<'_> {
    /// Sees to it that this task is woken when the server stops. A task keeps its waker, so this is done once.
    #[inline]
    pub(super) fn listen(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
            self.drain.tasks.lock().unwrap_or_else(PoisonError::into_inner).insert(self.id, waker.clone());
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.drain.tasks.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}
