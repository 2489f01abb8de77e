//! All that we know: immutable while a request is decided, swapped whole when something changes.

use std::sync::Arc;

use super::namespaces::Namespaces;
use super::object::StringMap;
use super::pod_security::{Configuration, LabelledPolicy, policy_of};

/// Everything that decide looks at beside the request and its facts. A clone is cheap: it shares what does not change.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    pub mode: Mode,
    pub pod_security: Arc<Configuration>,
    /// What happens to a workload whose template violates its namespace's enforced policy, where no label says otherwise.
    pub workloads: Workloads,
    namespaces: Namespaces,
    /// What a namespace is that is not among them; none if it is unknown.
    unlisted: Option<Arc<Namespace>>,
}

/// Whether anything is ever denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Enforce,
    /// Nothing is: what would have been denied is allowed and reported.
    Audit,
}

/// What becomes of a workload that violates the policy which its pods will be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Workloads {
    /// As upstream: it draws warnings and audit annotations; its pods are refused later.
    #[default]
    Warn,
    /// It is refused itself, so that the mistake shows where it was made.
    Deny,
}

/// What a namespace is that the snapshot does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// Unknown: a request for it needs its namespace as a fact, or fails.
    Unknown,
    /// One without labels, so that the defaults apply: for use without a cluster.
    Unlabelled,
}

/// What decisions need to know of a namespace, compiled from its labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Namespace {
    pub(super) pod_security: LabelledPolicy,
    pub(super) workloads: Option<Workloads>,
}

/// The label by which a namespace chooses what becomes of its workloads; `deny` or `warn`.
pub const WORKLOADS_LABEL: &str = "portcullis.dev/workloads";

impl Namespace {
    /// Compiles a namespace's labels. A value that is none is an error of the labels, never of ours.
    pub fn new(labels: &StringMap<'_>, configuration: &Configuration) -> Self {
        let workloads = match labels.get(WORKLOADS_LABEL) {
            Some("deny") => Some(Workloads::Deny),
            Some("warn") => Some(Workloads::Warn),
            _ => None,
        };
        Self { pod_security: policy_of(labels, &configuration.defaults), workloads }
    }

    /// The policy of its pods, and what is wrong with its labels.
    pub fn pod_security(&self) -> &LabelledPolicy {
        &self.pod_security
    }
}

impl Snapshot {
    pub fn new(pod_security: Configuration, unlisted: Unlisted) -> Self {
        let unlisted = match unlisted {
            Unlisted::Unknown => None,
            Unlisted::Unlabelled => Some(Arc::new(Namespace::new(&StringMap::default(), &pod_security))),
        };
        Self { pod_security: Arc::new(pod_security), unlisted, ..Self::default() }
    }

    /// The same, knowing no namespace.
    pub fn without_namespaces(&self) -> Self {
        Self { namespaces: Namespaces::default(), ..self.clone() }
    }

    /// Adds a namespace, or replaces the one of this name; false if that changes nothing for any decision.
    pub fn insert_namespace(&mut self, name: &str, labels: &StringMap<'_>) -> bool {
        let namespace = Namespace::new(labels, &self.pod_security);
        self.namespaces.put(name, namespace)
    }

    /// Forgets a namespace; false if it was not known.
    pub fn remove_namespace(&mut self, name: &str) -> bool {
        self.namespaces.take(name)
    }

    /// How many namespaces are known.
    pub fn namespace_count(&self) -> usize {
        self.namespaces.len()
    }

    /// What is known of a namespace.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.find(name).or(self.unlisted.as_deref())
    }

    /// Whether a namespace is known by name, and not only taken to be there.
    pub fn lists_namespace(&self, name: &str) -> bool {
        self.namespaces.find(name).is_some()
    }
}
