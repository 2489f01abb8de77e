//! Traffic at a steady rate, whatever becomes of it: who waits for an answer keeps nobody else from asking.

use super::{
    harness::{Answer, Ask, Pool},
    labels::{History, Level},
    request::{self, Expected, TIGHTENED, TURNING},
};
use anyhow::Result;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep},
};

/// Requests that are sent at once: an even stream would all go over one connection, to one replica. The API server keeps 25
/// idle connections, so that each burst makes some anew.
const BURST: usize = 36;
/// Requests under way at a time; beyond that none are sent until some are answered. An API server that starts while a
/// thousand clients make connections to it on a machine that has other things to do never gets ready.
const UNDER_WAY: usize = 108;
/// Between two changes of the policy of the first namespace that turns; the next one takes four times as long.
const TURN: Duration = Duration::from_millis(1500);

/// From when to when.
pub type Window = (Instant, Instant);

/// A request and its answer.
#[derive(Debug)]
pub struct Record {
    pub expected: Expected,
    pub sent: Instant,
    pub answered: Instant,
    pub outcome: Outcome,
    /// What the labels were meanwhile, and for how long before it was sent.
    pub in_force: Option<(Level, Duration)>,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Admitted,
    /// Refused for what its namespace enforces.
    Denied,
    /// The API server could not call the webhook, or took its answer for none.
    Uncalled(String),
    /// The API server could not serve it itself.
    Unserved(String),
    /// Anything else.
    Odd(String),
}

impl Outcome {
    /// `failed calling webhook` is what the API server says of every call that came to nothing. Whatever else ends in a
    /// broken connection or a 5xx never got as far, or was admitted and could not be stored.
    fn of(answer: &Result<Answer>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Self::Unserved(format!("{error:#}")),
        };
        let text = || format!("{} {}", answer.status, answer.message());
        match answer.status {
            200 | 201 => Self::Admitted,
            403 if answer.message().contains("violates PodSecurity") => Self::Denied,
            // An API server that has just started knows no Services yet; nobody deletes ours.
            _ if answer.message().contains("service \"portcullis\" not found") => Self::Unserved(text()),
            _ if answer.message().contains("failed calling webhook") => Self::Uncalled(text()),
            429 | 500 | 503 | 504 => Self::Unserved(text()),
            403 if answer.message().contains("not yet ready to handle request") => Self::Unserved(text()),
            _ => Self::Odd(text()),
        }
    }
}

/// Traffic that goes on until it is ended.
pub struct Traffic {
    shared: Arc<Shared>,
    runtime: Runtime,
    tasks: Vec<JoinHandle<()>>,
    window: Mutex<Option<Window>>,
    unguarded: Mutex<Vec<Window>>,
}

/// What was sent, and what is known of the fault.
pub struct Sent {
    pub records: Vec<Record>,
    /// While the fault could be felt.
    pub window: Option<Window>,
    /// While the API server may not have asked us, for somebody had told it not to.
    pub unguarded: Vec<Window>,
}

struct Shared {
    pool: Pool,
    is_over: AtomicBool,
    number: AtomicUsize,
    records: Mutex<Vec<Record>>,
    /// Of [`TURNING`] and, last, of [`TIGHTENED`].
    histories: [History; TURNING.len() + 1],
    is_tightened: AtomicBool,
}

impl Traffic {
    /// Sends so many requests a second.
    pub fn start(pool: Pool, rate: f64) -> Result<Self> {
        let mut traffic = Self::new(pool)?;
        for index in 0..traffic.shared.histories.len() {
            traffic.tasks.push(traffic.runtime.spawn(turn(traffic.shared.clone(), index)));
        }
        traffic.tasks.push(traffic.runtime.spawn(pace(traffic.shared.clone(), rate)));
        Ok(traffic)
    }

    /// Requests a second that are answered if each of `count` clients sends one as soon as its last is answered.
    pub fn sustained(pool: Pool, count: usize, time: Duration) -> Result<f64> {
        let traffic = Self::new(pool)?;
        let clients = (0..count).map(|_| {
            let shared = traffic.shared.clone();
            traffic.runtime.spawn(async move {
                while !shared.is_over.load(Ordering::SeqCst) {
                    ask(&shared).await;
                }
            })
        });
        let clients: Vec<_> = clients.collect();
        std::thread::sleep(time);
        let answered = traffic.shared.records().len();
        traffic.shared.is_over.store(true, Ordering::SeqCst);
        clients.into_iter().try_for_each(|client| traffic.runtime.block_on(client))?;
        Ok(answered as f64 / time.as_secs_f64())
    }

    fn new(pool: Pool) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = Arc::new(Shared {
            pool,
            is_over: AtomicBool::new(false),
            number: AtomicUsize::new(0),
            records: Mutex::default(),
            histories: Default::default(),
            is_tightened: AtomicBool::new(false),
        });
        Ok(Self { shared, runtime, tasks: Vec::new(), window: Mutex::default(), unguarded: Mutex::default() })
    }

    /// Has the policy of [`TIGHTENED`] tightened, for as long as this traffic lasts.
    pub fn tighten(&self) {
        self.shared.is_tightened.store(true, Ordering::SeqCst);
    }

    /// From when to when the fault could be felt; the last one that is told counts.
    pub fn window(&self, begin: Instant, end: Instant) {
        *self.window.lock().unwrap_or_else(PoisonError::into_inner) = Some((begin, end));
    }

    /// From when to when the API server may not have asked us.
    pub fn unguarded(&self, begin: Instant, end: Instant) {
        self.unguarded.lock().unwrap_or_else(PoisonError::into_inner).push((begin, end));
    }

    /// Sends no more, and waits for all answers.
    pub fn end(self) -> Result<Sent> {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.tasks.into_iter().try_for_each(|task| self.runtime.block_on(task))?;
        let window = self.window.into_inner().unwrap_or_else(PoisonError::into_inner);
        let records = std::mem::take(&mut *self.shared.records());
        let unguarded = self.unguarded.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Sent { records, window, unguarded })
    }
}

impl Shared {
    fn records(&self) -> std::sync::MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn pace(shared: Arc<Shared>, rate: f64) {
    let mut ticks = interval(Duration::from_secs_f64(BURST as f64 / rate));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut under_way = JoinSet::new();
    while !shared.is_over.load(Ordering::SeqCst) {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        for _ in 0..BURST.min(UNDER_WAY.saturating_sub(under_way.len())) {
            let shared = shared.clone();
            under_way.spawn(async move { ask(&shared).await });
        }
    }
    under_way.join_all().await;
}

async fn ask(shared: &Shared) {
    let number = shared.number.fetch_add(1, Ordering::Relaxed);
    let (expected, ask) = request::numbered(number);
    send(shared, expected, &ask).await;
}

/// Sends a request, and records what became of it; true if it was admitted.
async fn send(shared: &Shared, expected: Expected, ask: &Ask) -> bool {
    let sent = Instant::now();
    let outcome = Outcome::of(&shared.pool.ask(ask).await);
    let answered = Instant::now();
    let is_admitted = outcome == Outcome::Admitted;
    let in_force = match expected {
        Expected::ByLabels(index) => shared.histories[index].in_force(sent, answered),
        _ => None,
    };
    shared.records().push(Record { expected, sent, answered, outcome, in_force });
    is_admitted
}

/// Changes the policy of a namespace until the traffic is over.
async fn turn(shared: Arc<Shared>, index: usize) {
    let history = &shared.histories[index];
    let is_turning = index < TURNING.len();
    let name = if is_turning { TURNING[index] } else { TIGHTENED };
    while !shared.is_over.load(Ordering::SeqCst) {
        let wanted = match history.last() {
            Some(last) if is_turning => last.other(),
            _ if !is_turning && shared.is_tightened.load(Ordering::SeqCst) => Level::Restricted,
            _ => Level::Privileged,
        };
        if history.last() != Some(wanted) || history.in_force(Instant::now(), Instant::now()).is_none() {
            history.asked(wanted);
            if send(&shared, Expected::Admitted, &request::relabel(name, wanted)).await {
                history.done();
            }
        }
        sleep(if is_turning { TURN * (1 + 3 * index as u32) } else { TURN / 10 }).await;
    }
}
