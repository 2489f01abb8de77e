//! How long faults last: a few seconds within all other tests, as long as in production by `make faults`.

use super::stage::Part;
use std::{env, fmt, time::Duration};

/// What comes from the environment.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// `HOLD`: how long what is gone stays gone.
    pub hold: Duration,
    /// `DRAIN`: how long a replica goes on after SIGTERM. It must be more than the time until it has left the endpoints.
    pub drain: Duration,
    /// `ROUNDS`: how often the same is done again.
    pub rounds: usize,
}

impl Timings {
    /// Short ones, unless the environment says otherwise.
    pub fn read() -> Self {
        Self {
            hold: Duration::from_secs_f64(number("HOLD").unwrap_or(1.5)),
            drain: Duration::from_secs_f64(number("DRAIN").unwrap_or(4.0)),
            rounds: number("ROUNDS").unwrap_or(1.0) as usize,
        }
    }

    /// Whether there is time for everything.
    pub fn are_long(&self) -> bool {
        self.rounds > 1
    }
}

impl fmt::Display for Timings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hold, drain, rounds } = self;
        write!(f, "HOLD={} DRAIN={} ROUNDS={rounds}", hold.as_secs_f64(), drain.as_secs_f64())
    }
}

/// In which orders the parts are started: the one in which everybody waits longest, or all.
pub fn boot_orders() -> Vec<[Part; 3]> {
    use Part::{ApiServer, Etcd, Replicas};
    let all = vec![
        [Replicas, ApiServer, Etcd],
        [Etcd, ApiServer, Replicas],
        [Etcd, Replicas, ApiServer],
        [Replicas, Etcd, ApiServer],
        [ApiServer, Etcd, Replicas],
        [ApiServer, Replicas, Etcd],
    ];
    let count = if Timings::read().are_long() { all.len() } else { 1 };
    all.into_iter().take(count).collect()
}

/// A number of the environment; a typing error must not make a run that tests something else.
fn number(name: &str) -> Option<f64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: give a number")))
}
