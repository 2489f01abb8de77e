//! A server from its listeners to its last answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::accept::accept;
use super::admin;
use super::backend::Backend;
use super::body::Room;
use super::drain::{Drain, Leaving};
use super::limits::Limits;
use super::tls::Tls;
use crate::telemetry::Metrics;

/// Where a server listens: for reviews over TLS, and for probes and metrics in the clear.
pub struct Listeners {
    pub reviews: TcpListener,
    pub admin: TcpListener,
}

/// What a server is made of.
pub struct Server<B> {
    pub backend: Arc<B>,
    pub metrics: Arc<Metrics>,
    pub tls: Arc<Tls>,
    pub limits: Limits,
    /// How long connections are still accepted after the server was told to stop, so that clients hear of it first.
    pub drain_delay: Duration,
}

/// What all connections share.
pub(super) struct Shared<B> {
    pub(super) backend: Arc<B>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) tls: Arc<Tls>,
    pub(super) limits: Limits,
    pub(super) drain: Drain,
    /// The bytes that bodies take up.
    pub(super) room: Room,
    /// One permit for each connection that may be open, surplus ones included.
    pub(super) permits: Arc<Semaphore>,
}

impl<B: Backend> Server<B> {
    /// Serves until `stop` comes, then drains; returns when the last connection is closed or the grace is over.
    pub async fn run(self, listeners: Listeners, stop: impl Future<Output = ()>) {
        let Self { backend, metrics, tls, limits, drain_delay } = self;
        let permits = Arc::new(Semaphore::new(limits.connections + limits.surplus_connections));
        let room = Room::new(limits.all_bodies);
        let shared = Arc::new(Shared { backend, metrics, tls, limits, drain: Drain::default(), room, permits });
        let admin = tokio::spawn(admin::serve(shared.clone(), listeners.admin));
        tokio::select! {
            () = accept(&shared, listeners.reviews) => {}
            () = leave(&shared, stop, drain_delay) => {}
        }
        shared.drain.enter(Leaving::Gone);
        let all = u32::try_from(shared.limits.connections + shared.limits.surplus_connections).unwrap_or(u32::MAX);
        if timeout(shared.limits.grace, shared.permits.acquire_many(all)).await.is_err() {
            tracing::warn!("requests were still under way when the grace was over; their connections are cut");
        }
        admin.abort();
        tracing::info!("stopped");
    }
}

/// Waits for the word to stop and lets clients know before connections are refused.
async fn leave<B>(shared: &Shared<B>, stop: impl Future<Output = ()>, delay: Duration) {
    stop.await;
    tracing::info!("stopping: not ready any more; connections are accepted for the drain delay");
    shared.drain.enter(Leaving::Unready);
    let farewell = delay.min(shared.limits.farewell);
    sleep(delay - farewell).await;
    shared.drain.enter(Leaving::Farewell);
    sleep(farewell).await;
}
