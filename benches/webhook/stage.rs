//! What every measurement stands on: two cores, a folder for its files, and the two programs that are compared.

use super::client;
use super::kernel::{self, Cores};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tokio_rustls::TlsConnector;

const NAMESPACE: &str = include_str!("templates/namespace.yaml");

/// The word that turns this program into the null webhook.
pub const NULL_SERVER: &str = "null-server";

pub struct Stage {
    pub cores: Cores,
    pub tls: TlsConnector,
    pub folder: PathBuf,
    pub null: Program,
    pub ours: Program,
    only: String,
}

impl Stage {
    /// Moves the calling thread to the client's core. `ours` is a portcullis binary, or `null` to compare the null
    /// webhook with itself: then every ratio should be 1, and what it is instead is the noise of this machine.
    /// `only` is part of the names of the rows that are wanted; empty, it is part of all.
    pub fn set(ours: &str, only: &str) -> Result<Self> {
        let cores = kernel::two_cores()?;
        kernel::pin(cores.client)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(folder.join("namespace.yaml"), NAMESPACE)?;
        let ours = if ours == "null" { Program::Null } else { Program::Portcullis(PathBuf::from(ours)) };
        Ok(Self { cores, tls: client::connector()?, folder, null: Program::Null, ours, only: only.to_owned() })
    }

    /// Whether rows whose names begin like this are to be measured.
    pub fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// The command line, program first, that serves AdmissionReviews on a port of the loopback.
    pub fn serve(&self, program: &Program, port: u16, admin_port: u16) -> Result<Vec<OsString>> {
        let Program::Portcullis(binary) = program else {
            let address = format!("127.0.0.1:{port}");
            return Ok(vec![std::env::current_exe()?.into(), NULL_SERVER.into(), address.into()]);
        };
        Ok(vec![
            binary.into(),
            "serve".into(),
            "--listen".into(),
            format!("127.0.0.1:{port}").into(),
            "--admin-listen".into(),
            format!("127.0.0.1:{admin_port}").into(),
            "--namespaces".into(),
            self.folder.join("namespace.yaml").into(),
            "--write-ca".into(),
            self.folder.join("ca.pem").into(),
        ])
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum Program {
    Null,
    Portcullis(PathBuf),
}
