//! Accepts connections while there is room for them, and rests when the system has none.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::backend::Backend;
use super::connection::serve;
use super::server::Shared;

/// After a failure to accept, such as a lack of file descriptors: trying again at once would only burn the processor.
const REST: Duration = Duration::from_millis(50);

/// Between two log lines about that.
const QUIET: Duration = Duration::from_secs(10);

/// Accepts for ever. Beyond the last surplus connection nothing is accepted until one closes; the kernel's queue holds them.
pub(super) async fn accept<B: Backend>(shared: &Arc<Shared<B>>, listener: TcpListener) {
    let mut last_line: Option<Instant> = None;
    loop {
        let Ok(permit) = shared.permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let open = Open::enter(shared.clone(), permit);
                let is_surplus = open.before >= shared.limits.connections;
                tokio::spawn(async move { serve(open.shared.clone(), stream, is_surplus).await });
            }
            Err(error) => {
                shared.metrics.accept_errors.fetch_add(1, Ordering::Relaxed);
                if last_line.is_none_or(|line| line.elapsed() > QUIET) {
                    last_line = Some(Instant::now());
                    tracing::error!(error = %error, "cannot accept a connection; trying again");
                }
                sleep(REST).await;
            }
        }
    }
}

/// Counted as open while it lives.
struct Open<B> {
    shared: Arc<Shared<B>>,
    /// How many there were before.
    before: usize,
    _permit: OwnedSemaphorePermit,
}

impl<B> Open<B> {
    fn enter(shared: Arc<Shared<B>>, permit: OwnedSemaphorePermit) -> Self {
        shared.metrics.accepted.fetch_add(1, Ordering::Relaxed);
        let before = shared.metrics.connections.fetch_add(1, Ordering::Relaxed);
        Self { shared, before: usize::try_from(before).unwrap_or_default(), _permit: permit }
    }
}

impl<B> Drop for Open<B> {
    fn drop(&mut self) {
        self.shared.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }
}
