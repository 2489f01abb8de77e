//! etcd on plain HTTP over loopback, without fsync: what it keeps lives as long as the test.

use super::{process::Process, programs, state::State};
use anyhow::{Context, Result};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

const START: Duration = Duration::from_secs(60);

/// One etcd.
pub struct Etcd {
    /// Where it listens.
    pub address: SocketAddr,
    data: PathBuf,
    log: PathBuf,
    process: Option<Process>,
}

impl Etcd {
    /// Starts it at `address`, and waits until it is healthy.
    pub(super) fn start(state: &State, address: SocketAddr) -> Result<Self> {
        let mut etcd = Self { address, data: state.path("etcd"), log: state.path("etcd.log"), process: None };
        etcd.start_again()?;
        Ok(etcd)
    }

    /// Ends it without a word; what it had written is not lost, for the kernel goes on.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it with the data that it had, and waits until it is healthy.
    pub fn start_again(&mut self) -> Result<()> {
        let url = format!("http://{}", self.address);
        let mut command = Command::new(programs::path("etcd")?);
        command
            .env_clear() // it reads every ETCD_* variable as a flag
            .arg("--name=plane")
            .arg(format!("--data-dir={}", self.data.display()))
            .args(["--unsafe-no-fsync", "--logger=zap", "--log-level=warn", "--quota-backend-bytes=4294967296"])
            .arg(format!("--listen-client-urls={url}"))
            .arg(format!("--advertise-client-urls={url}"))
            .arg("--listen-peer-urls=http://127.0.0.1:0");
        self.process = None; // one that still runs has the port
        let process = Process::start("etcd", &self.log, command)?;
        self.process = Some(process.ready(START, || answers_200(self.address, "/health"))?);
        Ok(())
    }

    /// Its process, unless it is stopped.
    pub fn process(&self) -> Result<&Process> {
        self.process.as_ref().context("it does not run")
    }
}

/// Whether a plain HTTP server says 200 to a GET.
pub fn answers_200(server: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}
