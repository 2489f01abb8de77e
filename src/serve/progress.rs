//! How far a connection is with its request, and when it has waited too long.
//!
//! One timer a connection serves all its waits and is moved only when a wait ends earlier than it would fire; a request
//! costs no timer of its own. A single task reads and writes, so that relaxed atomics do.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A request.
    Idle,
    /// The rest of a request's head.
    Head,
    /// A request's body.
    Body,
    /// The decision.
    Decision,
}

/// Shared by a connection's socket, its handler and its timer.
pub(super) struct Progress {
    origin: Instant,
    stage: AtomicU8,
    /// When the wait began (idle, head) or ends (body, decision), in nanoseconds after the origin. Zero: not known yet.
    mark: AtomicU64,
    is_over: AtomicBool,
    has_left_body: AtomicBool,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            stage: AtomicU8::new(Stage::Idle as u8),
            mark: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            has_left_body: AtomicBool::new(false),
        }
    }

    /// Bytes have come.
    #[inline]
    pub(super) fn received(&self) {
        if self.stage.load(Relaxed) == Stage::Idle as u8 {
            self.enter(Stage::Head, 0);
        }
    }

    /// A request's head is complete.
    pub(super) fn begin(&self, deadline: Instant) {
        self.enter(Stage::Body, self.nanos(deadline));
    }

    /// Its body is complete, too.
    pub(super) fn has_body(&self) {
        self.stage.store(Stage::Decision as u8, Relaxed);
    }

    /// It is answered.
    pub(super) fn finish(&self, now: Instant) {
        self.is_over.store(false, Relaxed);
        self.enter(Stage::Idle, self.nanos(now));
    }

    pub(super) fn leave_body(&self) {
        self.has_left_body.store(true, Relaxed);
    }

    pub(super) fn has_left_body(&self) -> bool {
        self.has_left_body.load(Relaxed)
    }

    /// The request's time is over. Its handler answers so when it is polled next, and is given this much longer.
    pub(super) fn expire(&self, until: Instant) {
        self.is_over.store(true, Relaxed);
        self.mark.store(self.nanos(until), Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Relaxed) {
            0 => Stage::Idle,
            1 => Stage::Head,
            2 => Stage::Body,
            _ => Stage::Decision,
        }
    }

    /// When the present wait has lasted too long.
    pub(super) fn next(&self, idle: Duration, head: Duration) -> Instant {
        let mut mark = self.mark.load(Relaxed);
        let stage = self.stage();
        if stage == Stage::Head && mark == 0 {
            // Most heads come whole, and never get here: the clock is read for those alone that make us wait.
            mark = self.nanos(Instant::now());
            self.mark.store(mark, Relaxed);
        }
        let patience = match stage {
            Stage::Idle => idle,
            Stage::Head => head,
            Stage::Body | Stage::Decision => Duration::ZERO,
        };
        self.origin + Duration::from_nanos(mark) + patience
    }

    fn enter(&self, stage: Stage, mark: u64) {
        self.stage.store(stage as u8, Relaxed);
        self.mark.store(mark, Relaxed);
    }

    fn nanos(&self, time: Instant) -> u64 {
        u64::try_from(time.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(120);
    const HEAD: Duration = Duration::from_secs(10);

    #[test]
    fn each_wait_ends_by_its_own_limit() {
        let start = Instant::now();
        let progress = Progress::new(start);
        assert_eq!(progress.next(IDLE, HEAD), start + IDLE);
        progress.received();
        assert_eq!(progress.stage(), Stage::Head);
        assert!(progress.next(IDLE, HEAD) < start + IDLE);
        let deadline = start + Duration::from_secs(3);
        progress.begin(deadline);
        assert_eq!(progress.next(IDLE, HEAD), deadline);
        progress.has_body();
        progress.received();
        assert_eq!((progress.stage(), progress.next(IDLE, HEAD)), (Stage::Decision, deadline));
        progress.finish(deadline);
        assert_eq!((progress.stage(), progress.next(IDLE, HEAD)), (Stage::Idle, deadline + IDLE));
    }

    #[test]
    fn a_slow_head_is_timed_from_its_first_byte() {
        let progress = Progress::new(Instant::now());
        progress.received();
        let first = progress.next(IDLE, HEAD);
        progress.received();
        assert_eq!(progress.next(IDLE, HEAD), first);
    }
}
