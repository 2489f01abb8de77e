//! etcd on plain HTTP over loopback, without fsync: what it keeps lives as long as the test.

use super::{process::Process, programs, state::State};
use anyhow::Result;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    time::Duration,
};

const START: Duration = Duration::from_secs(60);

/// Starts etcd at `address` and waits until it is healthy.
pub fn start(state: &State, address: SocketAddr) -> Result<Process> {
    let url = format!("http://{address}");
    let mut command = Command::new(programs::path("etcd")?);
    command
        .env_clear() // it reads every ETCD_* variable as a flag
        .arg("--name=plane")
        .arg(format!("--data-dir={}", state.path("etcd").display()))
        .args(["--unsafe-no-fsync", "--logger=zap", "--log-level=warn", "--quota-backend-bytes=4294967296"])
        .arg(format!("--listen-client-urls={url}"))
        .arg(format!("--advertise-client-urls={url}"))
        .arg("--listen-peer-urls=http://127.0.0.1:0");
    Process::start("etcd", &state.path("etcd.log"), command)?.ready(START, || answers_200(address, "/health"))
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
