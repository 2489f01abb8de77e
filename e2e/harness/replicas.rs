//! Several replicas of the real binary behind one Service, each of which can be ended, stalled and started anew.

use super::{
    balancer::{Balancer, Endpoint},
    kernel::Signal,
    plane::ControlPlane,
    portcullis::binary,
    process::{Process, until},
    webhook::Service,
};
use anyhow::{Context, Result, ensure};
use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

/// Until a replica that was started is among the endpoints, and one that has gone is not.
const PATIENCE: Duration = Duration::from_secs(60);
/// A server that drains waits this long for requests under way, and ends then.
const GRACE: Duration = Duration::from_secs(60);
/// Processes of replicas have addresses from here on.
const FIRST_HOST: u8 = 30;
const NAME: &str = "portcullis";

/// Replicas behind a Service.
pub struct Replicas {
    /// The Service that leads to them, to be registered.
    pub service: Service,
    /// What stands for the Service.
    pub balancer: Balancer,
    replicas: Vec<Replica>,
}

struct Replica {
    name: String,
    endpoint: Endpoint,
    arguments: Vec<String>,
    log: PathBuf,
    process: Option<Process>,
}

impl Replicas {
    /// Starts `count` of them behind this Service with these arguments beside their addresses, and waits until all are among
    /// the endpoints.
    pub fn start(plane: &ControlPlane, service: Service, count: u8, arguments: &[String]) -> Result<Self> {
        let replicas = (0..count).map(|index| Replica::new(plane, index, arguments)).collect::<Result<Vec<_>>>()?;
        let endpoints = replicas.iter().map(|replica| replica.endpoint).collect();
        let balancer = Balancer::start(service.address, endpoints)?;
        let mut started = Self { service, balancer, replicas };
        started.start_all()?;
        Ok(started)
    }

    /// How many there are, running or not.
    pub fn count(&self) -> usize {
        self.replicas.len()
    }

    /// Starts a replica that does not run; it is not waited for.
    pub fn start_unready(&mut self, index: usize) -> Result<()> {
        self.balancer.forget(index);
        self.replicas[index].start()
    }

    /// Starts those that do not run, lets those go on that are stalled, and waits until all are among the endpoints.
    pub fn start_all(&mut self) -> Result<()> {
        for index in 0..self.count() {
            match &self.replicas[index].process {
                Some(process) => process.send(Signal::Continue)?,
                None => self.start_unready(index)?,
            }
        }
        (0..self.count()).try_for_each(|index| self.await_ready(index).map(drop))
    }

    /// Asks a replica to end, as a kubelet does, and waits until it has: it must say that all went well.
    pub fn terminate(&mut self, index: usize) -> Result<()> {
        let replica = &mut self.replicas[index];
        let status = replica.process.take().context("it does not run")?.terminate(GRACE)?;
        ensure!(status.success(), "{} ended with {status} after SIGTERM", replica.name);
        Ok(())
    }

    /// Ends a replica without a word, as `kill -9` does.
    pub fn kill(&mut self, index: usize) {
        drop(self.replicas[index].process.take());
    }

    /// The replica to which the most connections lead.
    pub fn busiest(&self) -> usize {
        (0..self.count()).max_by_key(|&index| self.balancer.connections(index)).unwrap_or_default()
    }

    /// The process of a replica.
    pub fn process(&self, index: usize) -> Result<&Process> {
        self.replicas[index].process.as_ref().context("it does not run")
    }

    /// Waits until a replica is among the endpoints; returns when it was.
    pub fn await_ready(&self, index: usize) -> Result<Instant> {
        self.await_change(index, true).with_context(|| {
            let log = self.process(index).map(Process::log_end).unwrap_or_default();
            format!("{} does not get ready; the end of its log:\n{log}", self.replicas[index].name)
        })
    }

    /// Waits until a replica is among the endpoints no more; returns when it was not.
    pub fn await_left(&self, index: usize) -> Result<Instant> {
        self.await_change(index, false).with_context(|| format!("{} does not leave", self.replicas[index].name))
    }

    fn await_change(&self, index: usize, is_ready: bool) -> Result<Instant> {
        until(PATIENCE, || Ok((self.balancer.is_ready(index) == is_ready).then(Instant::now)))
    }
}

impl Replica {
    fn new(plane: &ControlPlane, index: u8, arguments: &[String]) -> Result<Self> {
        let name = format!("{NAME}-{index}");
        let listen = || plane.addresses.process(FIRST_HOST + index);
        let endpoint = Endpoint { reviews: listen()?, admin: listen()? };
        let log = plane.file(&format!("{name}.log"));
        Ok(Self { name, endpoint, arguments: arguments.to_vec(), log, process: None })
    }

    fn start(&mut self) -> Result<()> {
        let Endpoint { reviews, admin } = self.endpoint;
        let mut command = Command::new(binary()?);
        command
            .arg("serve")
            .args([format!("--listen={reviews}"), format!("--admin-listen={admin}")])
            .args(&self.arguments);
        self.process = Some(Process::start(&self.name, &self.log, command)?);
        Ok(())
    }
}
