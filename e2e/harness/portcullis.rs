//! The real binary, `portcullis serve`, listening on the ClusterIP of a Service.

use super::{addresses, etcd::answers_200, plane::ControlPlane, process::Process, webhook::Service};
use anyhow::{Context, Result};
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr},
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
    /// Starts it with these arguments besides its addresses and names; it makes its own certificates.
    pub fn start(plane: &ControlPlane, namespace: &str, cluster_ip: Ipv4Addr, arguments: &[&str]) -> Result<Self> {
        let name = "portcullis";
        let address = addresses::free_port(cluster_ip)?;
        let admin = addresses::free_port(cluster_ip)?;
        let host = format!("{name}.{namespace}.svc");
        let authority = plane.file(&format!("{host}-ca.crt"));
        let mut command = Command::new(binary()?);
        command
            .arg("serve")
            .args([format!("--listen={address}"), format!("--admin-listen={admin}"), format!("--tls-san={host}")])
            .arg(format!("--write-ca={}", authority.display()))
            .args(arguments);
        let log = plane.file(&format!("{host}.log"));
        let process = Process::start(&host, &log, command)?.ready(START, || answers_200(admin, "/readyz"))?;
        let service = Service {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            address,
            authority_pem: fs::read_to_string(&authority).context("Portcullis has not written its authority")?,
        };
        Ok(Self { process, service, admin })
    }
}

/// Cargo puts the binary one folder above the test programs and the examples.
fn binary() -> Result<PathBuf> {
    if let Some(path) = option_env!("CARGO_BIN_EXE_portcullis") {
        return Ok(path.into());
    }
    let program = env::current_exe()?;
    let folder = program.parent().and_then(|folder| folder.parent()).context("this program is in no folder")?;
    Ok(folder.join("portcullis"))
}
