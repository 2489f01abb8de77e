//! What one request needs beside the snapshot, gathered before deciding: almost always nothing.

use std::cell::RefCell;

use super::mutation::Labels;
use super::snapshot::Namespace;

/// The facts gathered for one request.
#[derive(Debug, Default)]
pub struct Facts {
    /// The request's namespace, read live because the snapshot lacks it.
    pub namespace: Option<Namespace>,
    /// The pods of a namespace whose enforced policy is to change.
    pub existing_pods: ExistingPods,
    /// The labels of the pod's service account, read live because the snapshot lacks it.
    pub service_account: Option<Labels>,
}

/// What a request needs to have gathered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needed<'r> {
    Nothing,
    /// The labels and annotations of this namespace, which the snapshot lacks.
    Namespace(&'r str),
    /// The labels of a service account, which the snapshot lacks.
    ServiceAccount(ServiceAccountName<'r>),
    /// The same, and those of its namespace, which the snapshot lacks as well.
    ServiceAccountAndNamespace(ServiceAccountName<'r>),
    /// The pods of this namespace, all if possible, in the order of a list.
    PodsOf(&'r str),
}

/// What a service account is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountName<'r> {
    pub namespace: &'r str,
    pub name: String,
}

/// The pods that exist in a namespace, as far as they could be had.
#[derive(Default)]
pub enum ExistingPods {
    #[default]
    NotGathered,
    /// They could not be listed.
    Unlistable,
    Listed {
        /// Each a Pod as JSON.
        pods: Vec<Box<[u8]>>,
        /// How many more there are in the namespace, which were not had within the bounds.
        unlisted: usize,
        /// Yields once for each pod that there is time to look at: it ends at the deadline, and decide reads no clock. It is
        /// asked before each pod but the first.
        time: RefCell<Box<dyn Iterator<Item = ()> + Send>>,
    },
}

impl std::fmt::Debug for ExistingPods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotGathered => f.write_str("NotGathered"),
            Self::Unlistable => f.write_str("Unlistable"),
            Self::Listed { pods, .. } => write!(f, "Listed({})", pods.len()),
        }
    }
}
