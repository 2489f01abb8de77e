//! The arguments that say which installation a process belongs to.

use anyhow::{Result, anyhow};
use clap::Args;

use crate::cluster::Release;

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
        Release::new(&self.release, &namespace, self.service_port).ok_or_else(|| {
            let name = &self.release;
            anyhow!(
                "--release {name:?} and --namespace {namespace:?} must be names: a-z, 0-9 and -, at most 63 of them"
            )
        })
    }
}

fn own_namespace() -> String {
    let text = std::fs::read_to_string(OWN_NAMESPACE).unwrap_or_default();
    let name = text.trim();
    if name.is_empty() { "portcullis-system".to_owned() } else { name.to_owned() }
}
