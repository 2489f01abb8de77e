//! What every measurement stands on: two cores, a folder for its files, and the two programs that are compared.

use super::client;
use super::kernel::{self, Cores};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use tokio_rustls::TlsConnector;

const NAMESPACE: &str = include_str!("templates/namespace.yaml");

/// A sidecar for every pod: three operations.
const SIDECAR: &str = include_str!("templates/sidecar.yaml");

/// Documents that are for none of the pods.
const OTHERS: usize = 1_000;

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
        fs::write(folder.join(Policies::Sidecar.file()), SIDECAR)?;
        fs::write(folder.join(Policies::Others.file()), others())?;
        let ours =
            if ours == "null" { Program::Null } else { Program::Portcullis(PathBuf::from(ours), Policies::None) };
        Ok(Self { cores, tls: client::connector()?, folder, null: Program::Null, ours, only: only.to_owned() })
    }

    /// Ours with these documents in force.
    pub fn ours_with(&self, policies: Policies) -> Program {
        match &self.ours {
            Program::Null => Program::Null,
            Program::Portcullis(binary, _) => Program::Portcullis(binary.clone(), policies),
        }
    }

    /// Whether rows whose names begin like this are to be measured.
    pub fn wants(&self, name: &str) -> bool {
        name.contains(&self.only)
    }

    /// The command line, program first, that serves AdmissionReviews on a port of the loopback.
    pub fn serve(&self, program: &Program, port: u16, admin_port: u16) -> Result<Vec<OsString>> {
        let Program::Portcullis(binary, policies) = program else {
            let address = format!("127.0.0.1:{port}");
            return Ok(vec![std::env::current_exe()?.into(), NULL_SERVER.into(), address.into()]);
        };
        let mut words: Vec<OsString> = vec![
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
        ];
        if *policies != Policies::None {
            words.extend(["--policies".into(), self.folder.join(policies.file()).into()]);
        }
        Ok(words)
    }
}

/// Injections for pods with labels that no pod here has, half of them by an opt-in, half by a selector.
fn others() -> String {
    let document = |number: usize| {
        let choice = if number.is_multiple_of(2) {
            format!("mode: OptIn\n  enablement: {{podLabels: [inject-{number}]}}")
        } else {
            format!("mode: Always\n  match: {{podSelector: {{matchLabels: {{app: other-{number}}}}}}}")
        };
        SIDECAR
            .replace("name: bench-sidecar", &format!("name: bench-sidecar-{number}"))
            .replace("mode: Always", &choice)
    };
    (0..OTHERS).map(document).collect::<Vec<_>>().join("---\n")
}

/// The documents that Portcullis has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Policies {
    None,
    Sidecar,
    Others,
}

impl Policies {
    fn file(self) -> &'static str {
        match self {
            Self::None => "none.yaml",
            Self::Sidecar => "sidecar.yaml",
            Self::Others => "others.yaml",
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum Program {
    Null,
    Portcullis(PathBuf, Policies),
}
