//! What a dry-run create costs the API server and whoever waits for it: without a webhook, with the null webhook, with ours.
//!
//! Each has a namespace of its own on one plane, and slices of the same load go to them in turn, so that what disturbs the
//! machine disturbs all alike.

use super::{
    NULL_SERVER,
    harness::{Api, ApiServerSettings, ControlPlane, Portcullis, Registration, Service, Settings, to_watch},
    kernel, pod,
    report::{Report, Round, Row, median, progress},
};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const NAMESPACE: &str = "portcullis";
/// Of the null webhook's Service.
const NULL_NAMESPACE: &str = "null-webhook";
const ENFORCE: (&str, &str) = ("pod-security.kubernetes.io/enforce", "restricted");
/// The namespaces: one of which nobody is asked, one of the null webhook, one of ours.
const TARGETS: [&str; 3] = ["bare", "null", "ours"];

/// How much is measured.
#[derive(Args)]
pub struct Options {
    /// Slices of each.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Dry-run creates in a slice.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..))]
    requests: u16,
}

/// Measures, prints, and writes target/bench/cluster.json.
pub fn run(options: &Options) -> Result<()> {
    let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
    let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })?;
    [NAMESPACE, NULL_NAMESPACE].iter().try_for_each(|name| plane.create_namespace(name, &[]))?;
    TARGETS.iter().try_for_each(|name| plane.create_namespace(name, &[ENFORCE]))?;
    let mut api = plane.connect()?;
    let null = Null::start(&plane)?;
    let ours = start_ours(&plane)?;
    for (service, target) in [(&null.service, "null"), (&ours.service, "ours")] {
        service.create(&mut api)?;
        Registration { service, namespaces: &[target], failure_policy: "Fail" }.create(&mut api)?;
    }
    let programs =
        Programs { api_server: plane.api_servers[0].process()?.pid(), null: null.child.id(), ours: ours.process.pid() };
    let requests = usize::from(options.requests);
    warm_up(&mut api, &ours, requests)?;
    let mut rounds = Vec::new();
    for number in 0..usize::from(options.rounds) {
        progress(&format!("round {} of {}", number + 1, options.rounds));
        rounds.push(Slices::measure(&mut api, &programs, requests, number)?);
    }
    report(&rounds)
}

/// Until our webhook is called, and all have answered some.
fn warm_up(api: &mut Api, ours: &Portcullis, requests: usize) -> Result<()> {
    let judged = "portcullis_request_duration_seconds_count{phase=\"validate\"}";
    for _ in 0..20 {
        for target in TARGETS {
            (0..requests).try_for_each(|_| create(api, target))?;
        }
        if ours.metric(judged)? >= requests as f64 {
            return Ok(());
        }
    }
    bail!("the API server does not call the webhook")
}

fn create(api: &mut Api, target: &str) -> Result<()> {
    let path = format!("/api/v1/namespaces/{target}/pods?dryRun=All");
    api.post(&path, &pod::to_create())?.done().map(drop)
}

/// Process IDs.
struct Programs {
    api_server: u32,
    null: u32,
    ours: u32,
}

/// One slice of each.
struct Slices([Slice; 3]);

#[derive(Clone, Default)]
struct Slice {
    /// Microseconds of the API server's CPU for each request.
    api_server: f64,
    /// The same of the webhook's.
    webhook: f64,
    /// Microseconds from asking to the answer, in order.
    latencies: Vec<f64>,
}

impl Slices {
    /// Begins with another each time.
    fn measure(api: &mut Api, programs: &Programs, requests: usize, number: usize) -> Result<Self> {
        let webhooks = [None, Some(programs.null), Some(programs.ours)];
        let mut slices: [Slice; 3] = Default::default();
        for turn in 0..TARGETS.len() {
            let index = (number + turn) % TARGETS.len();
            slices[index] = Slice::measure(api, TARGETS[index], (programs.api_server, webhooks[index]), requests)?;
        }
        Ok(Self(slices))
    }

    fn against_null(&self) -> Round<Slice> {
        Round { null: self.0[1].clone(), ours: self.0[2].clone() }
    }
}

impl Slice {
    fn measure(api: &mut Api, target: &str, programs: (u32, Option<u32>), requests: usize) -> Result<Self> {
        let used = || -> Result<(Duration, Duration)> {
            let webhook = programs.1.map(kernel::scheduled).transpose()?.unwrap_or_default();
            Ok((kernel::scheduled(programs.0)?.ran, webhook.ran))
        };
        let before = used()?;
        let mut latencies = Vec::with_capacity(requests);
        for _ in 0..requests {
            let begin = Instant::now();
            create(api, target)?;
            latencies.push(begin.elapsed().as_secs_f64() * 1e6);
        }
        let after = used()?;
        latencies.sort_by(f64::total_cmp);
        let each = |used: Duration| used.as_secs_f64() * 1e6 / requests as f64;
        Ok(Self { api_server: each(after.0 - before.0), webhook: each(after.1 - before.1), latencies })
    }

    fn latency(&self, share: f64) -> f64 {
        let index = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(index.min(self.latencies.len() - 1)).copied().unwrap_or_default()
    }
}

fn report(slices: &[Slices]) -> Result<()> {
    let rounds: Vec<Round<Slice>> = slices.iter().map(Slices::against_null).collect();
    let mut report = Report::default();
    report.add([
        Row::compared("API server cpu", "µs/dry-run create", &rounds, |slice| slice.api_server),
        Row::compared("webhook cpu", "µs/dry-run create", &rounds, |slice| slice.webhook),
        Row::compared("latency p50", "µs", &rounds, |slice| slice.latency(0.5)),
        Row::compared("latency p90", "µs", &rounds, |slice| slice.latency(0.9)),
    ]);
    let bare = |figure: fn(&Slice) -> f64| median(slices.iter().map(|slices| figure(&slices.0[0])));
    report.note(format!(
        "without a webhook: {:.0} µs of the API server's cpu, {:.0} µs at p50, {:.0} µs at p90",
        bare(|slice| slice.api_server),
        bare(|slice| slice.latency(0.5)),
        bare(|slice| slice.latency(0.9)),
    ));
    report.print()?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    fs::create_dir_all(&folder)?;
    report.write(&folder.join("cluster.json"))
}

fn start_ours(plane: &ControlPlane) -> Result<Portcullis> {
    let rules = to_watch();
    let kubeconfig = plane.allow(NAMESPACE, &rules)?.display().to_string();
    // One thread, as the null webhook has.
    let arguments = ["--kubeconfig", &kubeconfig, "--threads=1"];
    Portcullis::start(plane, NAMESPACE, plane.addresses.service(2), &arguments)
}

/// The null webhook: this program once more, killed when dropped.
struct Null {
    child: Child,
    service: Service,
}

impl Null {
    fn start(plane: &ControlPlane) -> Result<Self> {
        let service = Service {
            name: "null".to_owned(),
            namespace: NULL_NAMESPACE.to_owned(),
            address: (plane.addresses.service(3), 8443).into(),
            authority_pem: fs::read_to_string(plane.authority())?,
        };
        let pair = plane.sign_for_host(&format!("null.{NULL_NAMESPACE}.svc"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg(NULL_SERVER)
            .arg(service.address.to_string())
            .arg(pair.certificate)
            .arg(pair.key)
            .stdin(Stdio::null());
        let null = Self { child: command.spawn().context("the null webhook does not start")?, service };
        let begin = Instant::now();
        while TcpStream::connect(null.service.address).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                bail!("the null webhook does not listen on {}", null.service.address);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(null)
    }
}

impl Drop for Null {
    fn drop(&mut self) {
        // Either fails only where it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
