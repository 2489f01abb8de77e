//! A large cluster: how soon we are ready, and how much memory we hold, before and after there was something to do.

use super::{
    fill::{fill, namespace},
    harness::{Api, ApiServerSettings, ControlPlane, Portcullis, Registration, Settings, to_watch, until},
    kernel, pod,
    report::progress,
};
use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;
use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

const NAMESPACE: &str = "portcullis";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
/// What is hoped for.
const READY: f64 = 2.0;
const MEMORY: f64 = 60.0;
const STARTS: usize = 3;
const CHANGES: usize = 1_000;
const REVIEWS: usize = 2_000;
const DRY_RUNS: usize = 6;

/// How large the cluster is.
#[derive(Args)]
pub struct Options {
    /// Namespaces in the cluster.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    namespaces: u32,
    /// Pods in the cluster.
    #[arg(long, default_value_t = 100_000)]
    pods: u32,
    /// Pods of the first namespace, which is tightened.
    #[arg(long, default_value_t = 6_000)]
    crowd: u32,
}

/// Fills, measures and prints; fails if a goal is missed.
pub fn run(options: &Options) -> Result<ExitCode> {
    let mut plane = start_plane()?;
    let kubeconfig = allow(&plane)?;
    plane.api_servers[0].kill();
    fill(plane.etcd.address, options.namespaces as usize, options.pods as usize, options.crowd as usize)?;
    progress("an API server that starts on it");
    plane.api_servers[0].start_again()?;
    let mut figures = Figures::default();
    let portcullis = start(&plane, &kubeconfig, &mut figures)?;
    let pid = portcullis.process.pid();
    let known = portcullis.metric("portcullis_namespaces")?;
    ensure!(known >= f64::from(options.namespaces), "{known} namespaces are known");
    figures.memory("memory when ready", kernel::resident(pid)?);

    let mut api = plane.connect()?;
    register(&portcullis, &mut api)?;
    change_labels(&mut api, options.namespaces as usize)?;
    figures.memory(format!("memory after {CHANGES} label changes"), kernel::resident(pid)?);
    review(&mut api)?;
    figures.memory(format!("memory after {REVIEWS} reviews"), kernel::resident(pid)?);
    let slowest = tighten(&mut api)?;
    figures.add(format!("slowest of {DRY_RUNS} dry runs over {} pods, s", options.crowd), slowest, None);
    figures.memory(format!("memory after {DRY_RUNS} dry runs"), kernel::resident(pid)?);
    thread::sleep(Duration::from_secs(30));
    figures.memory("memory half a minute later", kernel::resident(pid)?);
    figures.memory("memory at its peak", kernel::peak(pid)?);
    Ok(figures.print())
}

/// Without a watch cache for pods: a cluster of this size takes gigabytes and minutes otherwise, and all that we ask for of
/// pods is asked of etcd anyway.
fn start_plane() -> Result<ControlPlane> {
    let api_server = ApiServerSettings {
        without_plugins: vec!["PodSecurity"],
        flags: vec!["--watch-cache-sizes=pods#0".to_owned()],
        ..ApiServerSettings::default()
    };
    let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })?;
    plane.create_namespace(NAMESPACE, &[])?;
    Ok(plane)
}

fn allow(plane: &ControlPlane) -> Result<String> {
    let rules = to_watch();
    Ok(plane.allow(NAMESPACE, &rules)?.display().to_string())
}

/// Starts it several times, and keeps the last one.
fn start(plane: &ControlPlane, kubeconfig: &str, figures: &mut Figures) -> Result<Portcullis> {
    for number in 1.. {
        progress(&format!("start {number} of {STARTS}"));
        let begin = Instant::now();
        let cluster_ip = plane.addresses.service(2);
        let portcullis = Portcullis::start_unready(plane, NAMESPACE, cluster_ip, &["--kubeconfig", kubeconfig])?;
        until(Duration::from_secs(60), || Ok((portcullis.asked("/readyz")?.0 == 200).then_some(())))?;
        figures.add(format!("ready after start {number}, s"), begin.elapsed().as_secs_f64(), Some(READY));
        if number == STARTS {
            return Ok(portcullis);
        }
    }
    unreachable!("the loop ends by itself")
}

fn register(portcullis: &Portcullis, api: &mut Api) -> Result<()> {
    portcullis.service.create(api)?;
    let names = [namespace(0)];
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let registration = Registration { service: &portcullis.service, namespaces: &names, failure_policy: "Fail" };
    relabel(api, &namespace(0), "restricted")?;
    let pods = format!("/api/v1/namespaces/{}/pods", namespace(0));
    registration.create_and_await(api, &pods, &privileged())
}

fn change_labels(api: &mut Api, namespaces: usize) -> Result<()> {
    for number in 0..CHANGES {
        if number % 250 == 0 {
            progress(&format!("label change {number} of {CHANGES}"));
        }
        let level = ["restricted", "baseline", "privileged"][number % 3];
        relabel(api, &namespace(1 + number * 7 % namespaces.saturating_sub(1).max(1)), level)?;
    }
    Ok(())
}

fn review(api: &mut Api) -> Result<()> {
    progress(&format!("{REVIEWS} reviews"));
    let pods = format!("/api/v1/namespaces/{}/pods?dryRun=All", namespace(0));
    for _ in 0..REVIEWS {
        api.post(&pods, &pod::to_create())?.done()?;
    }
    Ok(())
}

/// Loosens and tightens the crowded namespace in turn; the longest time that a tightening took, in seconds.
fn tighten(api: &mut Api) -> Result<f64> {
    let mut slowest = Duration::ZERO;
    for number in 1..=DRY_RUNS {
        progress(&format!("dry run {number} of {DRY_RUNS}"));
        relabel(api, &namespace(0), "privileged")?;
        let begin = Instant::now();
        let warnings = relabel(api, &namespace(0), "baseline")?;
        slowest = slowest.max(begin.elapsed());
        ensure!(warnings.iter().any(|text| text.contains("existing pods in namespace")), "{warnings:?}");
    }
    Ok(slowest.as_secs_f64())
}

fn relabel(api: &mut Api, name: &str, level: &str) -> Result<Vec<String>> {
    let change = json!({"metadata": {"labels": {ENFORCE: level}}});
    let answer = api.merge(&format!("/api/v1/namespaces/{name}"), &change)?;
    ensure!(answer.status == 200, "{}", answer.body);
    Ok(answer.warnings)
}

fn privileged() -> serde_json::Value {
    json!({"metadata": {"name": "probe"}, "spec": {"containers": [
        {"name": "app", "image": "nginx", "securityContext": {"privileged": true}},
    ]}})
}

/// What was measured, and what was hoped for.
#[derive(Default)]
struct Figures(Vec<(String, f64, Option<f64>)>);

impl Figures {
    fn add(&mut self, name: impl Into<String>, figure: f64, goal: Option<f64>) {
        self.0.push((name.into(), figure, goal));
    }

    fn memory(&mut self, name: impl Into<String>, bytes: u64) {
        self.add(format!("{}, MiB", name.into()), bytes as f64 / f64::from(1 << 20), Some(MEMORY));
    }

    fn print(&self) -> ExitCode {
        let mut is_met = true;
        println!("{:52} {:>8} {:>8}", "", "measured", "goal");
        for (name, figure, goal) in &self.0 {
            let is_missed = goal.is_some_and(|goal| *figure > goal);
            is_met &= !is_missed;
            let goal = goal.map_or_else(|| "-".to_owned(), |goal| format!("{goal:.0}"));
            println!("{name:52} {figure:>8.2} {goal:>8}{}", if is_missed { "  missed" } else { "" });
        }
        if is_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
