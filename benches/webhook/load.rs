//! A closed loop: each connection sends its next request when the last one is answered, and checks every answer.

use super::bodies::UID;
use super::client::{Client, Post};
use super::server::Server;
use super::stage::{Policies, Program, Stage};
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// No phase of a run takes longer, also under valgrind; one that does is an error, not a hang.
const PATIENCE: Duration = Duration::from_secs(300);

/// How much is sent: over so many connections, so much to warm up, and then in every slice.
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
    pub body: Vec<u8>,
    pub post: Arc<Post>,
    pub allowed: bool,
    pub policies: Policies,
}

impl Scenario {
    pub fn new(name: &'static str, path: &str, body: Vec<u8>, allowed: bool) -> Self {
        Self { name, post: Arc::new(Post::new(path, &body)), body, allowed, policies: Policies::None }
    }

    /// The same with these documents in force.
    pub fn with(self, policies: Policies) -> Self {
        Self { policies, ..self }
    }
}

/// A server that has been started and warmed up, with the connections to it.
pub struct Drive<'a> {
    server: Server,
    scenario: &'a Scenario,
    clients: Vec<Client>,
    /// The one right answer: equal requests get equal answers, byte for byte.
    expected: Arc<[u8]>,
    requests: usize,
    /// Bytes of memory after the very first answer.
    idle: u64,
}

/// What a server did with one stretch of the load.
pub struct Slice {
    /// CPU time of the server, per request.
    pub cpu: Duration,
    /// Requests a second, as the client saw it.
    pub rate: f64,
    /// The part of the time that the server ran; well below 1 it was not saturated.
    pub busy: f64,
    /// The part of the time that the server could have run, but another program had its core.
    pub waited: f64,
    /// Time to answer of every request, shortest first.
    latencies: Vec<Duration>,
    /// Bytes of memory after the server's first answer, and at the end of this slice.
    pub idle: u64,
    pub loaded: u64,
}

impl<'a> Drive<'a> {
    /// Starts the program, looks closely at one answer, and sends the warm-up.
    pub async fn start(stage: &Stage, program: &Program, scenario: &'a Scenario, load: Load) -> Result<Self> {
        Self::start_under(&[], stage, program, scenario, load).await
    }

    /// The same, under another program (such as valgrind) whose command line comes first.
    pub async fn start_under(
        wrapper: &[OsString],
        stage: &Stage,
        program: &Program,
        scenario: &'a Scenario,
        load: Load,
    ) -> Result<Self> {
        let server = Server::start(wrapper, stage, program, &scenario.post).await?;
        let idle = server.resident()?;
        let mut clients = connect(stage, &server, load.connections).await?;
        let expected = probe(&mut clients, program, scenario).await?;
        let mut drive = Self { server, scenario, clients, expected, requests: load.requests, idle };
        drive.send(load.warm_up).await?;
        Ok(drive)
    }

    /// One stretch of the load, measured.
    pub async fn slice(&mut self) -> Result<Slice> {
        let (before, start) = (self.server.scheduled()?, Instant::now());
        let latencies = self.send(self.requests).await?;
        let (wall, after) = (start.elapsed().as_secs_f64(), self.server.scheduled()?);
        let cpu = after.ran - before.ran;
        Ok(Slice {
            cpu: cpu / u32::try_from(self.requests)?,
            rate: self.requests as f64 / wall,
            busy: cpu.as_secs_f64() / wall,
            waited: (after.waited - before.waited).as_secs_f64() / wall,
            latencies,
            idle: self.idle,
            loaded: self.server.resident()?,
        })
    }

    /// Closes the connections and has the server end in its own time.
    pub fn stop(self) -> Result<()> {
        drop(self.clients);
        self.server.stop()
    }

    /// Sends so many requests, all connections at once, and returns the times to answer in order of length.
    async fn send(&mut self, requests: usize) -> Result<Vec<Duration>> {
        let left = Arc::new(AtomicUsize::new(requests));
        let mut loops = JoinSet::new();
        for client in self.clients.drain(..) {
            let (post, expected) = (self.scenario.post.clone(), self.expected.clone());
            loops.spawn(ask_until_none_is_left(client, post, expected, left.clone()));
        }
        // One who waits for each answer before the next request sleeps in between, in a cluster too.
        let awake = (loops.len() > 1).then(|| JoinSet::from_iter([stay_awake()]));
        let mut latencies = Vec::with_capacity(requests);
        while let Some(ended) = timeout(PATIENCE, loops.join_next()).await.context("the server answers too slowly")? {
            let (client, times) = ended?.with_context(|| format!("during {}", self.scenario.name))?;
            self.clients.push(client);
            latencies.extend(times);
        }
        drop(awake);
        latencies.sort_unstable();
        Ok(latencies)
    }
}

impl Slice {
    /// The latency that this share of the requests (0.5 is the median) stayed within.
    pub fn latency(&self, share: f64) -> Duration {
        let last = self.latencies.len().saturating_sub(1) as f64;
        self.latencies.get((last * share) as usize).copied().unwrap_or_default()
    }
}

async fn connect(stage: &Stage, server: &Server, connections: usize) -> Result<Vec<Client>> {
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        clients.push(timeout(PATIENCE, Client::connect(server.port, &stage.tls)).await??);
    }
    Ok(clients)
}

/// Asks once and looks closely at the answer: status, uid and verdict.
async fn probe(clients: &mut [Client], program: &Program, scenario: &Scenario) -> Result<Arc<[u8]>> {
    let client = clients.first_mut().context("a load without connections")?;
    let answer = timeout(PATIENCE, client.ask(&scenario.post)).await??;
    let text = String::from_utf8_lossy(answer.body);
    ensure!(answer.status == 200, "{}: status {}: {text}", scenario.name, answer.status);
    let review: serde_json::Value = serde_json::from_slice(answer.body)?;
    ensure!(review.pointer("/response/uid") == Some(&UID.into()), "{}: another uid: {text}", scenario.name);
    // The null webhook allows everything.
    let allowed = scenario.allowed || *program == Program::Null;
    ensure!(review.pointer("/response/allowed") == Some(&allowed.into()), "{}: another verdict: {text}", scenario.name);
    Ok(answer.body.into())
}

/// Keeps the client's core from going to sleep: to wake it is work that the kernel does on the server's core and charges
/// to the server, the more of it the slower the server is. The API server is on another machine and costs no such thing.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
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
