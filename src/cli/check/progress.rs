//! A line that says how far a long run has come, for somebody who watches.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// A run that takes no longer shows nothing.
const PATIENCE: Duration = Duration::from_millis(700);
/// Between two showings.
const PAUSE: Duration = Duration::from_millis(100);

/// Written to standard error if that is a terminal, else to nobody.
pub(super) struct Progress {
    is_watched: bool,
    total: usize,
    due: Instant,
    is_shown: bool,
}

impl Progress {
    /// `total` inputs are to come.
    pub(super) fn new(total: usize) -> Self {
        let is_watched = io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { is_watched, total, due: Instant::now() + PATIENCE, is_shown: false }
    }

    pub(super) fn is_watched(&self) -> bool {
        self.is_watched
    }

    pub(super) fn show(&mut self, inputs: usize) {
        let now = Instant::now();
        if self.is_watched && now >= self.due {
            self.due = now + PAUSE;
            self.is_shown = true;
            // A line that is lost does no harm.
            let _ = write!(io::stderr(), "\r\u{1b}[2Kjudging: {inputs} of {} inputs", self.total);
        }
    }

    /// Makes room for what is to stay.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(io::stderr(), "\r\u{1b}[2K");
        }
    }
}
