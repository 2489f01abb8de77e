//! Numbered cases that several workers take in turn.

use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

/// Works on the cases of these numbers, each once, with so many workers at a time until all are done or one breaks off. A worker has
/// what `begin` gave it for itself.
///
/// # Errors
/// Those of `begin` and `work`; a worker panicked.
pub fn share<W>(
    cases: Range<u64>,
    workers: usize,
    begin: impl Fn() -> Result<W> + Sync,
    work: impl Fn(&mut W, u64) -> Result<ControlFlow<()>> + Sync,
) -> Result<()> {
    let next = AtomicU64::new(cases.start);
    let worker = || -> Result<()> {
        let mut own = begin()?;
        loop {
            let case = next.fetch_add(1, Ordering::Relaxed);
            if case >= cases.end || work(&mut own, case)?.is_break() {
                return Ok(());
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })
}
