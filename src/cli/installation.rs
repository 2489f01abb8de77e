//! The arguments that say which installation a process belongs to.

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Args;

use crate::cluster::{Access, ClusterError, Release};

/// Where a pod finds the name of its namespace.
const OWN_NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

#[derive(Debug, Args)]
pub(super) struct Installation {
    /// What the installation is called: its Service, ClusterRole and webhook configurations.
    #[arg(long, value_name = "NAME", default_value = "portcullis")]
    release: String,
    /// The installation's namespace [default: in a pod its own; elsewhere portcullis-system]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// The port of the installation's Service.
    #[arg(long, value_name = "N", default_value_t = 443)]
    service_port: u16,
}

impl Installation {
    pub(super) fn release(&self) -> Result<Release> {
        let namespace = self.namespace.clone().unwrap_or_else(own_namespace);
        named(&self.release, &namespace, self.service_port)
    }
}

/// How a command reaches an installation, from wherever it is run.
#[derive(Debug, Args)]
pub(super) struct Reach {
    /// The kubeconfig whose current context is used [default: as kubectl, KUBECONFIG or ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// What the installation is called.
    #[arg(long, value_name = "NAME", default_value = "portcullis")]
    release: String,
    /// The installation's namespace.
    #[arg(long, value_name = "NAME", default_value = "portcullis-system")]
    namespace: String,
}

impl Reach {
    /// Does one thing to the installation.
    ///
    /// # Errors
    /// The cluster cannot be reached, or refuses.
    pub(super) fn with<T>(&self, act: impl AsyncFnOnce(Access, Release) -> Result<T, ClusterError>) -> Result<T> {
        let release = named(&self.release, &self.namespace, 443)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
        runtime.block_on(async {
            let access = match &self.kubeconfig {
                Some(path) => Access::from_kubeconfig(path).await?,
                None => Access::from_environment().await?,
            };
            Ok(act(access, release).await?)
        })
    }
}

fn named(release: &str, namespace: &str, service_port: u16) -> Result<Release> {
    Release::new(release, namespace, service_port).ok_or_else(|| {
        anyhow!("--release {release:?} and --namespace {namespace:?} must be names: a-z, 0-9 and -, at most 63 of them")
    })
}

fn own_namespace() -> String {
    let text = std::fs::read_to_string(OWN_NAMESPACE).unwrap_or_default();
    let name = text.trim();
    if name.is_empty() { "portcullis-system".to_owned() } else { name.to_owned() }
}
