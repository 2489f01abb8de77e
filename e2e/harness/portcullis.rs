//! The real binary, `portcullis serve`, listening on the ClusterIP of a Service.

use super::{addresses, etcd::answers_200, plane::ControlPlane, process::Process, webhook::Service};
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

const START: Duration = Duration::from_secs(20);

/// A running Portcullis.
pub struct Portcullis {
    /// Its process.
    pub process: Process,
    /// The Service that leads to it, to be registered.
    pub service: Service,
    /// Where it answers /livez, /readyz and /metrics over HTTP.
    pub admin: SocketAddr,
}

impl Portcullis {
    /// Starts it with these arguments besides its addresses and names; it makes its own certificates, unless
    /// the arguments name files, which the plane's authority signed.
    pub fn start(plane: &ControlPlane, namespace: &str, cluster_ip: Ipv4Addr, arguments: &[&str]) -> Result<Self> {
        Self::start_at(addresses::free_port(cluster_ip)?, plane, namespace, arguments)
    }

    /// The same, at a port that is known beforehand.
    pub fn start_at(address: SocketAddr, plane: &ControlPlane, namespace: &str, arguments: &[&str]) -> Result<Self> {
        Self::start_until("/readyz", plane, ("portcullis", namespace), address, arguments)
    }

    /// The same, ready or not: for one that cannot become ready.
    pub fn start_unready(
        plane: &ControlPlane,
        namespace: &str,
        cluster_ip: Ipv4Addr,
        arguments: &[&str],
    ) -> Result<Self> {
        Self::start_for(("portcullis", namespace), "/livez", plane, cluster_ip, arguments)
    }

    /// One behind a Service of any name and namespace, waiting until it answers 200 at this path.
    pub fn start_for(
        service: (&str, &str),
        path: &str,
        plane: &ControlPlane,
        cluster_ip: Ipv4Addr,
        arguments: &[&str],
    ) -> Result<Self> {
        Self::start_until(path, plane, service, addresses::free_port(cluster_ip)?, arguments)
    }

    fn start_until(
        path: &str,
        plane: &ControlPlane,
        (name, namespace): (&str, &str),
        address: SocketAddr,
        arguments: &[&str],
    ) -> Result<Self> {
        let IpAddr::V4(cluster_ip) = address.ip() else { bail!("ClusterIPs of planes are of version 4") };
        let admin = addresses::free_port(cluster_ip)?;
        let host = format!("{name}.{namespace}.svc");
        let authority = plane.file(&format!("{host}-ca.crt"));
        let mut command = Command::new(binary()?);
        command.arg("serve").args([format!("--listen={address}"), format!("--admin-listen={admin}")]);
        let makes_certificates = !arguments.iter().any(|argument| argument.starts_with("--tls-cert-file"));
        let authority = if makes_certificates { authority } else { plane.authority() };
        if makes_certificates {
            command.args([format!("--tls-san={host}"), format!("--write-ca={}", authority.display())]);
        }
        command.args(arguments);
        let log = plane.file(&format!("{host}.log"));
        let process = Process::start(&host, &log, command)?.ready(START, || answers_200(admin, path))?;
        let service = Service {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            address,
            // Written only by one that makes its certificate in memory.
            authority_pem: fs::read_to_string(&authority).unwrap_or_default(),
        };
        Ok(Self { process, service, admin })
    }

    /// The status and the text that its admin port answers at this path.
    pub fn asked(&self, path: &str) -> Result<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.admin, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, text) = answer.split_once("\r\n\r\n").context("no whole answer")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok((status, text.to_owned()))
    }

    /// The value of a metric; `sample` is its name and its labels, as they are rendered.
    pub fn metric(&self, sample: &str) -> Result<f64> {
        let (_, text) = self.asked("/metrics")?;
        let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        Ok(value.with_context(|| format!("{sample} is not rendered"))?.parse()?)
    }
}

/// Cargo puts the binary one folder above the test programs and the examples.
pub(super) fn binary() -> Result<PathBuf> {
    if let Some(path) = option_env!("CARGO_BIN_EXE_portcullis") {
        return Ok(path.into());
    }
    let program = env::current_exe()?;
    let folder = program.parent().and_then(|folder| folder.parent()).context("this program is in no folder")?;
    Ok(folder.join("portcullis"))
}
