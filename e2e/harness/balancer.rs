//! Stands in for kubelet, endpoints and kube-proxy: a Service's address leads to those replicas that are ready.
//!
//! As in a cluster, each replica is asked for `/readyz` every second, a failure or two decide, new connections go to ready
//! replicas only, those that exist stay where they are, and the Service refuses connections while nobody is ready.

use anyhow::{Context, Result};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::watch,
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// Between two probes of a replica, and the time for each.
const PERIOD: Duration = Duration::from_secs(1);
/// Probes in a row that fail before a replica is unready.
const FAILURES: u32 = 2;
/// A replica that does not accept at all is as good as one that refuses.
const CONNECT: Duration = Duration::from_secs(10);

/// Where a replica listens.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// For reviews.
    pub reviews: SocketAddr,
    /// For `/readyz`.
    pub admin: SocketAddr,
}

/// A Service in front of some endpoints, until dropped.
pub struct Balancer {
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    address: SocketAddr,
    endpoints: Vec<Endpoint>,
    /// By endpoint: whether it is ready.
    ready: watch::Sender<Vec<bool>>,
    /// By endpoint: connections that lead there.
    connections: Vec<AtomicUsize>,
    next: AtomicUsize,
    opened: Mutex<Option<Instant>>,
}

impl Balancer {
    /// Listens on `address` whenever one of the endpoints is ready.
    pub(super) fn start(address: SocketAddr, endpoints: Vec<Endpoint>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = Arc::new(Shared {
            address,
            ready: watch::Sender::new(vec![false; endpoints.len()]),
            connections: endpoints.iter().map(|_| AtomicUsize::new(0)).collect(),
            endpoints,
            next: AtomicUsize::new(0),
            opened: Mutex::default(),
        });
        for index in 0..shared.endpoints.len() {
            runtime.spawn(probe(shared.clone(), index));
        }
        runtime.spawn(accept(shared.clone()));
        Ok(Self { shared, _runtime: runtime })
    }

    /// Whether new connections may go to this endpoint.
    pub fn is_ready(&self, index: usize) -> bool {
        self.shared.ready.borrow().get(index).copied().unwrap_or_default()
    }

    /// When the Service began to accept connections the last time: the first endpoint was ready again.
    pub fn opened(&self) -> Result<Instant> {
        self.shared.opened.lock().unwrap_or_else(PoisonError::into_inner).context("nobody was ever ready")
    }

    /// An endpoint begins anew, and is unready until it says otherwise.
    pub(super) fn forget(&self, index: usize) {
        self.shared.set(index, false);
    }

    /// How many connections lead to this endpoint.
    pub fn connections(&self, index: usize) -> usize {
        self.shared.connections[index].load(Ordering::SeqCst)
    }
}

/// Asks one endpoint for ever whether it is ready.
async fn probe(shared: Arc<Shared>, index: usize) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failures = 0;
    loop {
        ticks.tick().await;
        let answered = timeout(PERIOD, answers_ready(shared.endpoints[index].admin)).await;
        let is_ready = matches!(answered, Ok(Ok(true)));
        failures = if is_ready { 0 } else { failures + 1 };
        if is_ready || failures >= FAILURES {
            shared.set(index, is_ready);
        }
    }
}

async fn answers_ready(admin: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect(admin).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n").await?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(head.ends_with(b" 200"))
}

/// Listens while somebody is ready; in between the kernel refuses, as kube-proxy does.
async fn accept(shared: Arc<Shared>) {
    let mut ready = shared.ready.subscribe();
    let mut unready = shared.ready.subscribe();
    loop {
        let _ = ready.wait_for(|ready| ready.contains(&true)).await;
        let Ok(listener) = TcpListener::bind(shared.address).await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        loop {
            tokio::select! {
                _ = unready.wait_for(|ready| !ready.contains(&true)) => break,
                accepted = listener.accept() => {
                    if let Ok((client, _)) = accepted {
                        tokio::spawn(carry(shared.clone(), client));
                    }
                }
            }
        }
    }
}

/// Carries bytes both ways until both sides have ended, or one has broken.
async fn carry(shared: Arc<Shared>, mut client: TcpStream) {
    let carried = async {
        let index = shared.choose().context("nobody is ready")?;
        let _open = Open::enter(&shared.connections[index]);
        let mut server = timeout(CONNECT, TcpStream::connect(shared.endpoints[index].reviews)).await??;
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let carried = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        if carried.is_err() {
            let _ = server.set_zero_linger();
        }
        carried.context("a side broke")
    };
    if carried.await.is_err() {
        // Without a proxy in between, the client would have seen the reset itself.
        let _ = client.set_zero_linger();
    }
}

impl Shared {
    fn set(&self, index: usize, is_ready: bool) {
        self.ready.send_if_modified(|ready| {
            if is_ready && !ready.contains(&true) {
                *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
            std::mem::replace(&mut ready[index], is_ready) != is_ready
        });
    }

    /// The next endpoint that is ready, in turn.
    fn choose(&self) -> Option<usize> {
        let ready = self.ready.borrow();
        let candidates: Vec<usize> = (0..ready.len()).filter(|&index| ready[index]).collect();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        candidates.get(turn % candidates.len().max(1)).copied()
    }
}

/// Counted while it lives.
struct Open<'c>(&'c AtomicUsize);

impl<'c> Open<'c> {
    fn enter(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
