//! What all faults share: one plane, three replicas in front, and the rate of the traffic.

use super::{
    harness::{ApiServerSettings, ControlPlane, Registration, Replicas, Settings, Shared},
    labels::Level,
    request::{STRICT, TIGHTENED, TURNING, bad_pod, enforcing},
    tally::Tally,
    timings::Timings,
    traffic::Traffic,
};
use anyhow::{Context, Result};
use serde_json::json;
use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

/// Traffic before a fault.
const LEAD: Duration = Duration::from_millis(500);
/// Traffic after it.
pub const TAIL: Duration = Duration::from_millis(1500);
/// For how long, and by how many clients at a time, the rate is measured.
const MEASURED: (Duration, usize) = (Duration::from_secs(2), 8);
const NAMESPACE: &str = "portcullis";

/// What the faults break. Replicas end before the plane.
pub struct Stage {
    pub timings: Timings,
    pub replicas: Replicas,
    pub plane: ControlPlane,
    /// Requests a second: half of what was sustained.
    rate: f64,
}

/// What is started in any order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Etcd,
    ApiServer,
    Replicas,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "API server",
            Self::Replicas => "replicas",
        }
    }
}

/// Has `act` do a fault and undo it while there is traffic; prints the line, and refuses what is wrong.
pub fn fault(name: &str, act: impl FnOnce(&mut Stage, &Traffic) -> Result<()>) -> Result<Tally> {
    static STAGE: Shared<Mutex<Stage>> = Shared::new();
    let shared = STAGE.or_start(|| Stage::set().map(Mutex::new))?;
    let mut stage = shared.lock().unwrap_or_else(PoisonError::into_inner);
    stage.start_everything().with_context(|| format!("before {name}"))?;
    let traffic = Traffic::start(stage.plane.api_servers[0].pool(), stage.rate)?;
    thread::sleep(LEAD);
    act(&mut stage, &traffic).with_context(|| name.to_owned())?;
    thread::sleep(TAIL);
    let tally = Tally::new(name, traffic.end()?);
    say(&tally)?;
    tally.assert_nothing_wrong();
    Ok(tally)
}

/// The figures are for whoever runs the tests, passed or not: the test runner would keep them to itself.
fn say(line: &dyn fmt::Display) -> Result<()> {
    Ok(writeln!(io::stderr(), "{line}")?)
}

impl Stage {
    fn set() -> Result<Self> {
        let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })?;
        let timings = Timings::read();
        let replicas = put_replicas_in_front(&plane, timings)?;
        let (time, clients) = MEASURED;
        let sustained = Traffic::sustained(plane.api_servers[0].pool(), clients, time)?;
        say(&format_args!("sustained: {sustained:.0} requests/s; every fault gets half of it ({timings})"))?;
        Ok(Self { timings, replicas, plane, rate: sustained / 2.0 })
    }

    /// Everything runs and is ready, whatever the last fault has left.
    fn start_everything(&mut self) -> Result<()> {
        if self.plane.etcd.process().is_err() {
            self.plane.etcd.start_again()?;
        }
        if self.plane.api_servers[0].process().is_err() {
            self.plane.api_servers[0].start_again()?;
        }
        self.replicas.start_all()
    }

    /// Ends everything as a power failure does.
    pub fn kill_everything(&mut self) {
        (0..self.replicas.count()).for_each(|index| self.replicas.kill(index));
        self.plane.api_servers[0].kill();
        self.plane.etcd.kill();
    }

    /// Starts a part; only etcd is waited for.
    pub fn start(&mut self, part: Part) -> Result<()> {
        match part {
            Part::Etcd => self.plane.etcd.start_again(),
            Part::ApiServer => self.plane.api_servers[0].start_unready(),
            Part::Replicas => (0..self.replicas.count()).try_for_each(|index| self.replicas.start_unready(index)),
        }
    }

    /// Waits until all that was started is ready.
    pub fn await_everything(&mut self) -> Result<()> {
        self.plane.api_servers[0].await_ready()?;
        (0..self.replicas.count()).try_for_each(|index| self.replicas.await_ready(index).map(drop))
    }
}

fn put_replicas_in_front(plane: &ControlPlane, timings: Timings) -> Result<Replicas> {
    plane.create_namespace(NAMESPACE, &[])?;
    plane.create_namespace("kube-node-lease", &[]).ok(); // the API server makes it itself, sooner or later
    plane.create_namespace(STRICT, &enforcing(Level::Restricted))?;
    let changing = [TURNING[0], TURNING[1], TIGHTENED];
    changing.iter().try_for_each(|name| plane.create_namespace(name, &enforcing(Level::Privileged)))?;
    let mut api = plane.connect()?;
    api.post("/api/v1/nodes", &json!({"metadata": {"name": "node"}}))?.done()?;
    let leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    api.post(leases, &json!({"metadata": {"name": "node"}}))?.done()?;

    let rules = json!([
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
    ]);
    let kubeconfig = plane.allow(NAMESPACE, &rules)?.display().to_string();
    let drain = format!("--drain-delay={}s", timings.drain.as_secs_f64());
    let place = (NAMESPACE, plane.addresses.service(2));
    let replicas = Replicas::start(plane, place, 3, &["--kubeconfig", &kubeconfig, &drain])?;
    replicas.service.create(&mut api)?;
    let namespaces: Vec<&str> = [STRICT].into_iter().chain(changing).collect();
    let registration = Registration { service: &replicas.service, namespaces: &namespaces, failure_policy: "Fail" };
    registration.create_and_await(&mut api, &format!("/api/v1/namespaces/{STRICT}/pods"), &bad_pod())?;
    Ok(replicas)
}
