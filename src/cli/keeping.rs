//! What `serve` needs to keep itself registered: which installation it is, and whose certificates are to be trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use tokio::sync::watch;
use tokio::time::sleep;

use super::installation::Installation;
use crate::cluster::{Cluster, Registration, Release};
use crate::engine::Snapshot;

/// How often the file of authorities is looked at.
const INTERVAL: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
pub(super) struct Keeping {
    #[command(flatten)]
    installation: Installation,
    /// Keep the webhook configurations of this installation as they are to be [default: true in a cluster, else false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    register: Option<bool>,
    /// A namespace about which the API server is not to ask, beside kube-system and our own; repeatable.
    #[arg(long, value_name = "NAME")]
    exclude_namespace: Vec<String>,
    /// The authorities (PEM) that signed the certificate of --tls-cert-file, for the API server to trust; read again when it
    /// changes.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    registration_ca_file: Option<PathBuf>,
}

/// A PEM bundle of authorities; none while there are none.
pub(super) type Authorities = Option<Arc<str>>;

impl Keeping {
    /// The installation that this process belongs to.
    ///
    /// # Errors
    /// A name is none.
    pub(super) fn release(&self) -> Result<Release> {
        self.installation.release()
    }

    /// What is to be registered; none if nothing is.
    ///
    /// # Errors
    /// A name is none.
    pub(super) fn registration(&self, rules: &Snapshot, is_in_cluster: bool) -> Result<Option<Registration>> {
        if !self.register.unwrap_or(is_in_cluster) {
            return Ok(None);
        }
        for name in &self.exclude_namespace {
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            ensure!(
                is_name && !name.is_empty(),
                "--exclude-namespace {name:?} names no namespace: a-z, 0-9 and - only"
            );
        }
        Ok(Some(Registration::new(self.installation.release()?, &self.exclude_namespace, rules)))
    }

    /// Without a cluster, nothing can be registered.
    ///
    /// # Errors
    /// It was asked for.
    pub(super) fn without_cluster(&self) -> Result<()> {
        match self.register {
            Some(true) => Err(anyhow!("--register needs an API server: give --kubeconfig FILE, and no --namespaces")),
            _ => Ok(()),
        }
    }

    /// Tells `trusted` of the authorities from now on: those of the file that was given, or `own`, which signed for us when we
    /// started.
    ///
    /// # Errors
    /// There is no file, or it cannot be read.
    pub(super) async fn trust(&self, own: Option<&Path>, trusted: watch::Sender<Authorities>) -> Result<()> {
        let Some(path) = self.registration_ca_file.as_deref().or(own) else {
            ensure!(
                trusted.is_closed(),
                "to register with --tls-cert-file, give --registration-ca-file FILE: the API server has to know whom to trust; \
                 or --register=false"
            );
            return Ok(());
        };
        let read = |path: &Path| std::fs::read_to_string(path);
        let first = read(path).with_context(|| format!("cannot read the authorities in {}", path.display()))?;
        trusted.send_replace(Some(first.into()));
        let path = path.to_owned();
        tokio::spawn(async move {
            while !trusted.is_closed() {
                sleep(INTERVAL).await;
                // A file that is being replaced is read again soon.
                let Ok(text) = read(&path) else { continue };
                trusted.send_if_modified(|known| {
                    let is_other = known.as_deref() != Some(&text);
                    if is_other {
                        *known = Some(text.into());
                    }
                    is_other
                });
            }
        });
        Ok(())
    }
}

/// Keeps a registration from now on, as soon as there are authorities to trust.
/// What the API servers are known to have been told of comes back.
pub(super) fn keep(
    cluster: &Cluster,
    registration: Registration,
    trusted: watch::Receiver<Authorities>,
) -> watch::Receiver<Authorities> {
    let (published, told) = watch::channel(None);
    cluster.keep_registered(registration, trusted, published);
    told
}
