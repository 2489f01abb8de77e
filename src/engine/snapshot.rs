//! All that we know: immutable while a request is decided, swapped whole when something changes.

use std::collections::HashMap;

use super::object::StringMap;
use super::pod_security::{Configuration, LabelledPolicy, policy_of};

/// Everything that decide looks at beside the request and its facts.
#[derive(Debug, Default)]
pub struct Snapshot {
    pub mode: Mode,
    pub pod_security: Configuration,
    /// What happens to a workload whose template violates its namespace's enforced policy, where no label says otherwise.
    pub workloads: Workloads,
    namespaces: HashMap<Box<str>, Namespace>,
    unlisted: Unlisted,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unlisted {
    /// Unknown: a request for it needs its namespace as a fact, or fails.
    #[default]
    Unknown,
    /// One without labels, so that the defaults apply: for use without a cluster.
    Unlabelled,
}

/// What decisions need to know of a namespace, compiled from its labels.
#[derive(Debug, Clone, Default)]
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
        Self { pod_security, unlisted, ..Self::default() }
    }

    /// Adds a namespace, or replaces the one of this name.
    pub fn insert_namespace(&mut self, name: &str, labels: &StringMap<'_>) {
        let namespace = Namespace::new(labels, &self.pod_security);
        self.namespaces.insert(name.into(), namespace);
    }

    /// What is known of a namespace.
    pub fn namespace(&self, name: &str) -> Known<'_> {
        match (self.namespaces.get(name), self.unlisted) {
            (Some(namespace), _) => Known::Listed(namespace),
            (None, Unlisted::Unlabelled) => Known::Unlabelled,
            (None, Unlisted::Unknown) => Known::Unknown,
        }
    }
}

/// What a snapshot knows of one namespace.
#[derive(Debug, Clone, Copy)]
pub enum Known<'s> {
    Listed(&'s Namespace),
    /// Taken to be there, without labels.
    Unlabelled,
    Unknown,
}
