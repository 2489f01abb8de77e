//! All that we know: immutable while a request is decided, swapped whole when something changes.

use std::sync::Arc;

use super::mutation::{Candidates, Documents, Interned, Labels, ServiceAccounts, Surroundings, kept_of};
use super::object::StringMap;
use super::pod_security::{Configuration, LabelledPolicy, policy_of};
use super::shards::Shards;

/// Everything that decide looks at beside the request and its facts. A clone is cheap: it shares what does not change.
#[derive(Debug, Default, Clone)]
pub struct Snapshot {
    pub mode: Mode,
    pub pod_security: Arc<Configuration>,
    /// What happens to a workload whose template violates its namespace's enforced policy, where no label says otherwise.
    pub workloads: Workloads,
    /// What mutation knows of the cluster.
    pub surroundings: Arc<Surroundings>,
    documents: Arc<Documents>,
    candidates: Interned,
    namespaces: Shards<Namespace>,
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
    /// None while no document is in force.
    pub(super) mutation: Option<Box<NamespaceMutation>>,
}

/// What mutation needs of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamespaceMutation {
    pub(super) labels: Labels,
    /// Those that documents ask for.
    pub(super) annotations: Labels,
    pub(super) candidates: Arc<Candidates>,
}

/// The label by which a namespace chooses what becomes of its workloads; `deny` or `warn`.
pub const WORKLOADS_LABEL: &str = "portcullis.dev/workloads";

impl Namespace {
    /// Compiles a namespace's labels for judging; see [`Snapshot::compile`] for all that they mean. A value that is none is an error
    /// of the labels, never of ours.
    pub fn new(labels: &StringMap<'_>, configuration: &Configuration) -> Self {
        let workloads = match labels.get(WORKLOADS_LABEL) {
            Some("deny") => Some(Workloads::Deny),
            Some("warn") => Some(Workloads::Warn),
            _ => None,
        };
        Self { pod_security: policy_of(labels, &configuration.defaults), workloads, mutation: None }
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
        Self { namespaces: Shards::default(), ..self.clone() }
    }

    /// The same with other documents in force, and knowing no namespace.
    pub fn with_documents(&self, documents: Arc<Documents>) -> Self {
        let mut snapshot = Self { documents, candidates: Interned::default(), ..self.without_namespaces() };
        if snapshot.unlisted.is_some() {
            snapshot.unlisted = Some(Arc::new(snapshot.compile(&StringMap::default(), &StringMap::default())));
        }
        snapshot
    }

    /// The documents in force.
    pub fn documents(&self) -> &Documents {
        &self.documents
    }

    /// Whether these very documents are in force.
    pub fn is_under(&self, documents: &Arc<Documents>) -> bool {
        Arc::ptr_eq(&self.documents, documents)
    }

    /// The same without anything that can be too old to judge by: each review needs it as a fact.
    pub fn without_what_ages(&self) -> Self {
        let surroundings =
            Surroundings { service_accounts: ServiceAccounts::default(), ..(*self.surroundings).clone() };
        Self { surroundings: Arc::new(surroundings), ..self.without_namespaces() }
    }

    /// Compiles a namespace's labels and annotations under the rules and documents of this snapshot.
    pub fn compile(&self, labels: &StringMap<'_>, annotations: &StringMap<'_>) -> Namespace {
        self.compile_keeping(labels, annotations, Arc::new)
    }

    fn compile_keeping(
        &self,
        labels: &StringMap<'_>,
        annotations: &StringMap<'_>,
        keep: impl FnOnce(Candidates) -> Arc<Candidates>,
    ) -> Namespace {
        let mut namespace = Namespace::new(labels, &self.pod_security);
        if !self.documents.is_empty() {
            let candidates = keep(self.documents.candidates(|key| labels.get(key)));
            let labels = labels.iter().map(|(key, value)| (key.into(), value.into())).collect();
            let annotations = kept_of(&self.documents.asks().namespace_annotations, annotations);
            namespace.mutation = Some(Box::new(NamespaceMutation { labels, annotations, candidates }));
        }
        namespace
    }

    /// Adds a namespace without annotations; see [`Self::insert_annotated_namespace`].
    pub fn insert_namespace(&mut self, name: &str, labels: &StringMap<'_>) -> bool {
        self.insert_annotated_namespace(name, labels, &StringMap::default())
    }

    /// Adds a namespace, or replaces the one of this name; false if that changes nothing for any decision.
    pub fn insert_annotated_namespace(
        &mut self,
        name: &str,
        labels: &StringMap<'_>,
        annotations: &StringMap<'_>,
    ) -> bool {
        let mut interned = std::mem::take(&mut self.candidates);
        let namespace = self.compile_keeping(labels, annotations, |candidates| interned.keep(candidates));
        self.candidates = interned;
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
