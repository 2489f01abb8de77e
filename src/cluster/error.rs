//! What can go wrong between us and the API server.

use std::path::PathBuf;

/// Why something could not be had from the API server. No text of it holds an object.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error("the kubeconfig {path} cannot be used: {why}")]
    Kubeconfig { path: PathBuf, why: kube::config::KubeconfigError },
    #[error("there is no usable kubeconfig: {0}; give --kubeconfig FILE, or name one in KUBECONFIG")]
    NoKubeconfig(kube::config::KubeconfigError),
    #[error("the pod's service account cannot be used: {0}; outside a cluster, give --kubeconfig FILE")]
    InCluster(#[from] kube::config::InClusterError),
    #[error("no client for the API server can be made: {0}")]
    Client(kube::Error),
    #[error("the API server cannot be asked: {0}")]
    Question(#[from] kube::core::request::Error),
    #[error("the API server cannot be reached: {0}")]
    Unreachable(kube::Error),
    #[error("the API server's answer broke off: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    #[error("the API server refuses: {code} {message}")]
    Refused { code: u16, message: String },
    #[error("an answer of the API server has more than {0} bytes")]
    TooLarge(usize),
    #[error("an answer of the API server is not what it should be: {0}")]
    Unreadable(#[from] serde_json::Error),
    #[error("the API server did not answer in time")]
    Late,
    #[error("{doing}: {why}")]
    Doing { doing: String, why: Box<Self> },
}

impl ClusterError {
    /// Whether the API server answered that what was asked for does not exist.
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { code: 404, .. })
    }

    /// Whether somebody else has written meanwhile.
    pub(super) fn is_conflict(&self) -> bool {
        matches!(self, Self::Refused { code: 409, .. })
    }

    /// Whether what was to be written would not be valid.
    pub(super) fn is_invalid(&self) -> bool {
        matches!(self, Self::Refused { code: 422, .. })
    }

    /// Whether something cannot be written because its namespace is not there, or about to go.
    pub(super) fn is_of_no_namespace(&self) -> bool {
        self.is_absent()
            || matches!(self, Self::Refused { code: 403, message } if message.contains("is being terminated"))
    }

    /// The same, saying what was being done.
    pub(super) fn while_doing(self, doing: &str) -> Self {
        Self::Doing { doing: doing.to_owned(), why: Box::new(self) }
    }

    /// Whether asking again would give the same.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if *code < 500 && *code != 429)
    }

    /// Whether a watch cannot go on from where it was: the version is too old, or newer than the API server's own.
    pub(super) fn is_from_nowhere(&self) -> bool {
        matches!(self, Self::Refused { code: 400 | 410 | 504, .. })
    }
}
