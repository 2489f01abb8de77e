//! Finds the pod in an object of any kind, and visits every container of every list once, in upstream's order.

use std::ops::Deref;
use std::sync::LazyLock;

use super::{Container, Metadata, Object, Spec, Template, Workload};

/// What Go reads where a template is missing.
static EMPTY: LazyLock<Template<'static>> = LazyLock::new(Template::default);

/// A pod, or the pod template of a workload, and where in its object it stands.
#[derive(Debug, Clone, Copy)]
pub struct Pod<'o> {
    pub metadata: &'o Metadata<'o>,
    pub spec: &'o Spec<'o>,
    prefix: &'static str,
}

impl<'o> Pod<'o> {
    /// The object as a Pod, whatever its kind says.
    pub fn of(object: &'o Object<'o>) -> Self {
        Self { metadata: &object.metadata, spec: &object.spec, prefix: "" }
    }

    /// The pod template of a workload; none if it has none, which the API allows a ReplicationController alone: the other
    /// kinds hold their template by value, so that a missing one is an empty one.
    pub fn template_of(object: &'o Object<'o>, workload: Workload) -> Option<Self> {
        let spec = &object.spec;
        match workload {
            Workload::PodTemplate => Some(Self::within(object.template.as_deref(), "template.")),
            Workload::CronJob => {
                let job = spec.job_template.as_ref();
                Some(Self::within(job.and_then(|job| job.spec.template.as_deref()), "spec.jobTemplate.spec.template."))
            }
            Workload::ReplicationController if spec.template.is_none() => None,
            _ => Some(Self::within(spec.template.as_deref(), "spec.template.")),
        }
    }

    fn within(template: Option<&'o Template<'o>>, prefix: &'static str) -> Self {
        match template {
            Some(template) => Self { metadata: &template.metadata, spec: &template.spec, prefix },
            None => Self { metadata: &EMPTY.metadata, spec: &EMPTY.spec, prefix },
        }
    }

    /// What comes before `spec` and `metadata` in a path to something of this pod, such as `spec.template.`.
    pub fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// Init containers, then containers, then ephemeral containers, each in the order of its list.
    pub fn containers(&self) -> impl Iterator<Item = ContainerAt<'o>> + use<'o> {
        let spec = self.spec;
        [
            (ContainerList::Init, &*spec.init_containers),
            (ContainerList::Regular, &*spec.containers),
            (ContainerList::Ephemeral, &*spec.ephemeral_containers),
        ]
        .into_iter()
        .flat_map(|(list, containers)| {
            containers.iter().enumerate().map(move |(index, container)| ContainerAt { list, index, container })
        })
    }

    /// Whether the pod says that it runs on Windows nodes.
    pub fn is_windows(&self) -> bool {
        self.spec.os.as_ref().is_some_and(|os| &*os.name == "windows")
    }

    /// Whether the pod asks for a user namespace of its own, `hostUsers: false`.
    pub fn has_own_users(&self) -> bool {
        self.spec.host_users == Some(false)
    }
}

/// The lists that containers stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerList {
    Init,
    Regular,
    Ephemeral,
}

impl ContainerList {
    /// The list's field in a pod's spec.
    pub fn field(self) -> &'static str {
        match self {
            Self::Init => "initContainers",
            Self::Regular => "containers",
            Self::Ephemeral => "ephemeralContainers",
        }
    }
}

/// A container and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct ContainerAt<'o> {
    pub list: ContainerList,
    pub index: usize,
    container: &'o Container<'o>,
}

impl<'o> Deref for ContainerAt<'o> {
    type Target = Container<'o>;

    #[inline]
    fn deref(&self) -> &Container<'o> {
        self.container
    }
}
