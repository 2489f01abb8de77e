//! Catches panics, so that a fault costs one request and not the server.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Work came to no end because of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panicked;

// Nothing that the work could leave half done is looked at again: it owns what it changes, and counters are atomic.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}

/// As [`caught`], for work that waits.
pub(super) async fn caught_async<F: Future>(work: F) -> Result<F::Output, Panicked> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| match caught(|| work.as_mut().poll(context)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_value_wherever_it_happens() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| -> u8 { panic!("a fault") }), Err(Panicked));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let late = async {
            tokio::task::yield_now().await;
            panic!("a fault after waiting")
        };
        assert_eq!(runtime.block_on(caught_async::<_>(async { 2 })), Ok(2));
        assert_eq!(runtime.block_on(caught_async(late)), Err::<(), _>(Panicked));
    }
}
