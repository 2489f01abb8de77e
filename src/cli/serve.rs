//! `portcullis serve`: wires the server to a backend: over the cluster where there is one, else over memory.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch::channel;

use super::backends::{Live, Memory};
use super::certificates::{CertificateArguments, Certified, Serving, Surroundings};
use super::inputs::Judging;
use super::keeping::{self, Keeping};
use crate::cluster::{Access, Cluster, Owners};
use crate::engine::pod_security::LevelVersion;
use crate::engine::{Mode, Unlisted};
use crate::serve::{Backend, Limits, Listeners, Server};
use crate::telemetry::{Metrics, Recorder, log};

/// Serve admission reviews over HTTPS.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    keeping: Keeping,
    /// Watch the cluster of this kubeconfig's current context. In a cluster, its own is watched; a file of --namespaces takes
    /// the place of either.
    #[arg(long, value_name = "FILE", conflicts_with = "namespaces")]
    kubeconfig: Option<PathBuf>,
    /// Be ready only while everything about the cluster's namespaces is known as of this long ago or less, such as 60s.
    #[arg(long, value_name = "DURATION", value_parser = staleness, default_value = "60s")]
    stale_after: Duration,
    /// Tell the owners of pods by Events, such as a ReplicaSet, where a document was left out of a pod or there is a warning; never in
    /// audit mode.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = true, action = clap::ArgAction::Set)]
    owner_events: bool,
    /// Where to listen for reviews (HTTPS) [default: 127.0.0.1:8443; in a cluster [::]:8443]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to listen for /livez, /readyz and /metrics (HTTP) [default: 127.0.0.1:8444; in a cluster [::]:8444]
    #[arg(long, value_name = "ADDRESS")]
    admin_listen: Option<SocketAddr>,
    #[command(flatten)]
    certificates: CertificateArguments,
    /// How long to go on accepting after SIGTERM, such as 10s [default: 0s; in a cluster 10s]
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    drain_delay: Option<Duration>,
    /// Threads that serve [default: one for each processor that there is]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
    /// Log every Nth review that is allowed; none if 0. Denials and errors are always logged.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    log_allowed_every: u64,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode> {
    log::start();
    let is_in_cluster = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let threads = arguments.threads.map_or_else(available, std::num::NonZeroUsize::get);
    let mut runtime = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.worker_threads(threads).enable_all().build().context("cannot start")?;
    runtime.block_on(serve(arguments, is_in_cluster))?;
    // What still runs after the grace, or after a second signal, is not waited for.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

async fn serve(arguments: Arguments, is_in_cluster: bool) -> Result<()> {
    let access = match &arguments.kubeconfig {
        Some(path) => Some(Access::from_kubeconfig(path).await?),
        None if is_in_cluster && arguments.judging.namespaces.is_none() => Some(Access::in_cluster()?),
        None => None,
    };
    let otherwise = if is_in_cluster || access.is_some() { LevelVersion::PRIVILEGED } else { LevelVersion::RESTRICTED };
    let metrics = Arc::new(Metrics::default());
    let recorder = Recorder::new(metrics.clone(), arguments.log_allowed_every);
    let (authorities, trusted) = channel(None);
    let mut around = Surroundings {
        access: access.clone(),
        release: arguments.keeping.release()?,
        is_in_cluster,
        published: None,
        authorities,
        metrics: metrics.clone(),
    };
    if let Some(access) = access {
        let rules = arguments.judging.rules(otherwise, Unlisted::Unknown)?;
        let registration = arguments.keeping.registration(&rules, is_in_cluster)?;
        let tells_owners = arguments.owner_events && rules.mode == Mode::Enforce;
        let owners = tells_owners.then(|| Owners::new(access.clone(), around.release.name(), metrics.clone()));
        let cluster = Cluster::watch(access, rules, arguments.stale_after, metrics);
        match registration {
            Some(registration) => around.published = Some(keeping::keep(&cluster, registration, trusted)),
            None => drop(trusted),
        }
        serve_over(Live::new(cluster, owners, recorder), arguments, around).await
    } else {
        arguments.keeping.without_cluster()?;
        drop(trusted);
        let (snapshot, pods) = arguments.judging.snapshot(otherwise)?;
        serve_over(Memory::new(snapshot, pods, recorder), arguments, around).await
    }
}

async fn serve_over<B: Backend>(backend: B, arguments: Arguments, around: Surroundings) -> Result<()> {
    let (metrics, is_in_cluster) = (around.metrics.clone(), around.is_in_cluster);
    let Serving { tls, authority, certificates, authorities } = arguments.certificates.start(around)?;
    if let Some(authorities) = authorities {
        arguments.keeping.trust(authority.as_deref(), authorities).await?;
    }
    let loopback = if is_in_cluster { "[::]" } else { "127.0.0.1" };
    let listeners = Listeners {
        reviews: listen(arguments.listen, &format!("{loopback}:8443"), "--listen").await?,
        admin: listen(arguments.admin_listen, &format!("{loopback}:8444"), "--admin-listen").await?,
    };
    let signals = Signals::new()?;
    let address = listeners.reviews.local_addr()?.to_string();
    let admin_address = listeners.admin.local_addr()?.to_string();
    tracing::info!(address, admin_address, ca = authority.map(|path| path.display().to_string()), "listening");
    let default_delay = Duration::from_secs(if is_in_cluster { 10 } else { 0 });
    let server = Server {
        backend: Arc::new(Certified { backend, certificates }),
        metrics,
        tls,
        limits: Limits::default(),
        drain_delay: arguments.drain_delay.unwrap_or(default_delay),
    };
    signals.run(server, listeners).await;
    Ok(())
}

async fn listen(address: Option<SocketAddr>, default: &str, flag: &str) -> Result<TcpListener> {
    let address = match address {
        Some(address) => address,
        None => default.parse()?,
    };
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}; choose another with {flag}"))
}

/// The signals that ask us to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let on = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Runs the server, which the first signal asks to stop; a second ends it at once.
    async fn run<B: Backend>(mut self, server: Server<B>, listeners: Listeners) {
        let (ask, asked) = tokio::sync::oneshot::channel::<()>();
        let mut serving = std::pin::pin!(server.run(listeners, async {
            let _ = asked.await;
        }));
        tokio::select! {
            () = &mut serving => return,
            () = self.next() => {}
        }
        let _ = ask.send(());
        tokio::select! {
            () = serving => {}
            () = self.next() => tracing::warn!("stopping at once, as asked a second time"),
        }
    }
}

/// Reads how old what is known may be: a proof that it is fresh comes every fifteen seconds or so.
fn staleness(text: &str) -> Result<Duration, String> {
    let shortest = Duration::from_secs(20);
    let longest = Duration::from_secs(24 * 60 * 60);
    match seconds(text)? {
        duration if duration < shortest => {
            Err("a proof of freshness comes every 15 s or so; give 20s or more".to_owned())
        }
        duration if duration > longest => Err("give 86400s, a day, or less".to_owned()),
        duration => Ok(duration),
    }
}

/// Reads `10s`, `1.5s` or plain seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text);
    let seconds: f64 = number.parse().map_err(|_| "write seconds, such as 10s or 0.5s".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staleness_is_bounded_on_both_sides() {
        assert_eq!(staleness("20s"), Ok(Duration::from_secs(20)));
        assert!(staleness("19s").is_err_and(|problem| problem.contains("20s or more")));
        assert!(staleness("1e9").is_err_and(|problem| problem.contains("or less")));
    }

    #[test]
    fn delays_are_seconds() {
        assert_eq!(seconds("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "s", "-1s", "1m", "nan", "inf"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
