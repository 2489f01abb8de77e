//! A closed loop: each connection sends its next request when the last one is answered, and checks every answer.

use super::bodies::UID;
use super::client::{Client, Post};
use super::server::Server;
use super::stage::{Program, Stage};
use anyhow::{Context, Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// No phase of a run takes longer, also under valgrind; one that does is an error, not a hang.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much is sent. The warm-up goes over the same connections and is not measured.
#[derive(Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub warm_up: usize,
    pub requests: usize,
}

/// A request, and whether Portcullis has to allow it.
#[derive(Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub post: Arc<Post>,
    pub allowed: bool,
}

impl Scenario {
    pub fn new(name: &'static str, path: &str, body: &[u8], allowed: bool) -> Self {
        Self { name, post: Arc::new(Post::new(path, body)), allowed }
    }
}

/// What one run against a fresh server showed.
pub struct Slice {
    /// CPU time of the server, per request.
    pub cpu: Duration,
    /// Requests a second, as the client saw it.
    pub rate: f64,
    /// The part of its core that the server used; below 0.95 the client was the slower one.
    pub busy: f64,
    /// Time to answer of every request, shortest first.
    latencies: Vec<Duration>,
    /// Bytes of memory after the first answer, and after the last.
    pub idle: u64,
    pub loaded: u64,
}

impl Slice {
    /// Starts the program, drives it, and stops it.
    pub async fn measure(stage: &Stage, program: &Program, scenario: &Scenario, load: Load) -> Result<Self> {
        let server = Server::start(stage, program, &scenario.post).await?;
        let idle = server.resident()?;
        let clients = connect(stage, &server, load.connections).await?;
        let (clients, expected) = probe(clients, program, scenario).await?;
        let (clients, _) = drive(clients, scenario, &expected, load.warm_up).await?;
        let (before, start) = (server.cpu_time()?, Instant::now());
        let (clients, latencies) = drive(clients, scenario, &expected, load.requests).await?;
        let (wall, cpu) = (start.elapsed().as_secs_f64(), server.cpu_time()? - before);
        let loaded = server.resident()?;
        drop(clients);
        Ok(Self {
            cpu: cpu / u32::try_from(load.requests)?,
            rate: load.requests as f64 / wall,
            busy: cpu.as_secs_f64() / wall,
            latencies,
            idle,
            loaded,
        })
    }

    /// The latency that this share of the requests (0.5 is the median) stayed within.
    pub fn latency(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1) as f64;
        self.latencies.get((last * share) as usize).copied().unwrap_or_default()
    }
}

/// Sends this many requests to a server and keeps no figures.
pub async fn send(stage: &Stage, server: &Server, program: &Program, scenario: &Scenario, load: Load) -> Result<()> {
    let clients = connect(stage, server, load.connections).await?;
    let (clients, expected) = probe(clients, program, scenario).await?;
    drive(clients, scenario, &expected, load.requests).await?;
    Ok(())
}

async fn connect(stage: &Stage, server: &Server, connections: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(timeout(PATIENCE, Client::connect(server.port, &stage.tls)).await??);
    }
    Ok(clients)
}

/// Asks once, looks at the answer closely, and returns it: all others have to be its equal, byte for byte.
async fn probe(mut clients: Vec<Client>, program: &Program, scenario: &Scenario) -> Result<(Vec<Client>, Arc<[u8]>)> {
    let client = clients.first_mut().context("a load without connections")?;
    let answer = timeout(PATIENCE, client.ask(&scenario.post)).await??;
    let text = String::from_utf8_lossy(answer.body).into_owned();
    ensure!(answer.status == 200, "{}: status {}: {text}", scenario.name, answer.status);
    let review: serde_json::Value = serde_json::from_slice(answer.body)?;
    ensure!(review.pointer("/response/uid") == Some(&UID.into()), "{}: another uid: {text}", scenario.name);
    // The null webhook allows everything.
    let allowed = scenario.allowed || *program == Program::Null;
    ensure!(review.pointer("/response/allowed") == Some(&allowed.into()), "{}: another verdict: {text}", scenario.name);
    let expected = answer.body.into();
    Ok((clients, expected))
}

async fn drive(
    clients: Vec<Client>,
    scenario: &Scenario,
    expected: &Arc<[u8]>,
    requests: usize,
) -> Result<(Vec<Client>, Vec<Duration>)> {
    let left = Arc::new(AtomicUsize::new(requests));
    let mut loops = JoinSet::new();
    for client in clients {
        loops.spawn(ask_until_none_is_left(client, scenario.post.clone(), expected.clone(), left.clone()));
    }
    let mut clients = Vec::with_capacity(loops.len());
    let mut latencies = Vec::with_capacity(requests);
    while let Some(ended) = timeout(PATIENCE, loops.join_next()).await.context("the server answers too slowly")? {
        let (client, times) = ended?.with_context(|| format!("during {}", scenario.name))?;
        clients.push(client);
        latencies.extend(times);
    }
    latencies.sort_unstable();
    Ok((clients, latencies))
}

async fn ask_until_none_is_left(
    mut client: Client,
    post: Arc<Post>,
    expected: Arc<[u8]>,
    left: Arc<AtomicUsize>,
) -> Result<(Client, Vec<Duration>)> {
    let mut latencies = Vec::new();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let start = Instant::now();
        let answer = client.ask(&post).await?;
        latencies.push(start.elapsed());
        let same = answer.status == 200 && *answer.body == *expected;
        ensure!(same, "status {}, body {}", answer.status, String::from_utf8_lossy(answer.body));
    }
    Ok((client, latencies))
}
