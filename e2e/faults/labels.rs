//! What the labels of a namespace were at which time, as far as whoever changed them can know.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What a namespace demands of its pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Privileged,
    Restricted,
}

impl Level {
    /// As it stands in the label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Restricted => "restricted",
        }
    }

    pub fn other(self) -> Self {
        match self {
            Self::Privileged => Self::Restricted,
            Self::Restricted => Self::Privileged,
        }
    }
}

/// All changes of one namespace, oldest first.
#[derive(Debug, Default)]
pub struct History(Mutex<Vec<Change>>);

#[derive(Clone, Copy, Debug)]
struct Change {
    level: Level,
    asked: Instant,
    /// None while it is under way, and for ever if nobody knows whether it was done.
    done: Option<Instant>,
}

impl History {
    /// Begins a change; what is in force is unknown until it is [done](Self::done).
    pub fn asked(&self, level: Level) {
        self.with(|changes| changes.push(Change { level, asked: Instant::now(), done: None }));
    }

    /// The change that was begun last is in force.
    pub fn done(&self) {
        self.with(|changes| {
            if let Some(last) = changes.last_mut() {
                last.done = Some(Instant::now());
            }
        });
    }

    /// What was in force all the time from `begin` to `end`, and for how long before; none if that is not sure.
    pub fn in_force(&self, begin: Instant, end: Instant) -> Option<(Level, Duration)> {
        let last = self.with(|changes| changes.iter().rev().find(|change| change.asked <= end).copied())?;
        let since = last.done.filter(|done| *done <= begin)?;
        Some((last.level, begin - since))
    }

    /// What was asked for last.
    pub fn last(&self) -> Option<Level> {
        self.with(|changes| changes.last().map(|change| change.level))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Change>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
