//! What all faults share: one plane, and three replicas in front.

use super::{
    harness::{ApiServerSettings, ControlPlane, Replicas, Service, Settings, Shared, free_port, until},
    labels::Level,
    request::{STRICT, TIGHTENED, TURNING, bad_pod, enforcing},
    rights,
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
/// For how long, and by how many clients at a time, the rate is measured: before each fault, for the machine has other
/// things to do now and then.
const MEASURED: (Duration, usize) = (Duration::from_millis(700), 8);
/// Traffic after it.
pub const TAIL: Duration = Duration::from_millis(1200);
pub const RELEASE: &str = "portcullis";
pub const NAMESPACE: &str = "portcullis-system";
/// Far more than anything here takes on a machine that has other things to do.
pub const SOON: Duration = Duration::from_secs(60);

/// What the faults break. Replicas end before the plane.
pub struct Stage {
    pub timings: Timings,
    pub replicas: Replicas,
    pub plane: ControlPlane,
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
    let (time, clients) = MEASURED;
    let sustained = Traffic::sustained(stage.plane.api_servers[0].pool(), clients, time)?;
    let traffic = Traffic::start(stage.plane.api_servers[0].pool(), sustained / 2.0)?;
    thread::sleep(LEAD);
    act(&mut stage, &traffic).with_context(|| name.to_owned())?;
    thread::sleep(TAIL);
    let tally = Tally::new(name, traffic.end()?);
    say(&format_args!("{tally}\n  at half of {sustained:.0} requests/s, {}", stage.timings))?;
    tally.assert_nothing_wrong();
    Ok(tally)
}

/// The figures are for whoever runs the tests, passed or not: the test runner would keep them to itself.
fn say(line: &dyn fmt::Display) -> Result<()> {
    Ok(writeln!(io::stderr(), "{line}")?)
}

impl Stage {
    fn set() -> Result<Self> {
        let api_server = ApiServerSettings {
            without_plugins: vec!["PodSecurity"],
            // Otherwise it waits for a minute until the last watch has ended before it ends itself.
            flags: vec!["--shutdown-watch-termination-grace-period=3s".to_owned()],
            ..ApiServerSettings::default()
        };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })?;
        let timings = Timings::read();
        let replicas = put_replicas_in_front(&plane, timings)?;
        Ok(Self { timings, replicas, plane })
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

    let service = Service {
        name: RELEASE.to_owned(),
        namespace: NAMESPACE.to_owned(),
        address: free_port(plane.addresses.service(2))?,
        authority_pem: String::new(),
    };
    service.create(&mut api)?;
    rights::grant(plane, RELEASE, NAMESPACE)?;
    let arguments = arguments(plane, &service, timings)?;
    let replicas = Replicas::start(plane, service, 3, &arguments)?;
    let pods = format!("/api/v1/namespaces/{STRICT}/pods?dryRun=All");
    until(SOON, || Ok((api.post(&pods, &bad_pod())?.status == 403).then_some(())))?;
    Ok(replicas)
}

/// As in an installation, but for the addresses.
fn arguments(plane: &ControlPlane, service: &Service, timings: Timings) -> Result<Vec<String>> {
    let kubeconfig = plane.kubeconfig_of_service_account(NAMESPACE, RELEASE)?;
    Ok(vec![
        "--register".to_owned(),
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--namespace={NAMESPACE}"),
        format!("--service-port={}", service.address.port()),
        "--certificates=kept".to_owned(),
        format!("--drain-delay={}s", timings.drain.as_secs_f64()),
    ])
}
