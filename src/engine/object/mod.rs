//! Our view of Kubernetes objects: only the fields that somebody reads, borrowed from the JSON they came in.
//!
//! `null`, a missing field and an empty value are told apart only where Go's own types tell them apart: a pointer is an
//! `Option`, everything else has its zero value. Names follow the API's field names.

mod annotations;
mod kind;
mod pod;
mod quantity;
mod value;
mod volume;

pub use annotations::{Annotations, is_judged_annotation};
pub use kind::{GroupVersionKind, Workload, is_registered};
pub use pod::{ContainerAt, ContainerList, Pod};
pub use quantity::{Precision, Quantity, QuantityError, Ratio};
pub use value::{List, StringMap, Text, or_default};
pub use volume::{Source, Volume};

use serde::Deserialize;

/// Any object that a review may carry: a Pod, a Namespace, one of the eight workload kinds, or something that nobody judges.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Object<'a> {
    #[serde(borrow)]
    pub api_version: Text<'a>,
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub metadata: Metadata<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub spec: Spec<'a>,
    /// A PodTemplate's template.
    #[serde(borrow)]
    pub template: Option<Box<Template<'a>>>,
}

impl Object<'_> {
    /// The object's own group, version and kind.
    pub fn group_version_kind(&self) -> GroupVersionKind<'_> {
        GroupVersionKind::of(&self.api_version, &self.kind)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub namespace: Text<'a>,
    #[serde(borrow)]
    pub labels: StringMap<'a>,
    #[serde(borrow)]
    pub annotations: Annotations<'a>,
    #[serde(borrow)]
    pub owner_references: List<OwnerReference<'a>>,
}

impl Metadata<'_> {
    /// The uid of the controller that owns the object, as `metav1.GetControllerOf` finds it.
    pub fn controller_uid(&self) -> Option<&str> {
        self.owner_references.iter().find(|owner| owner.controller == Some(true)).map(|owner| &*owner.uid)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OwnerReference<'a> {
    #[serde(borrow)]
    pub uid: Text<'a>,
    pub controller: Option<bool>,
}

/// A PodTemplateSpec.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Template<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub metadata: Metadata<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    pub spec: Spec<'a>,
}

/// A JobTemplateSpec.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct JobTemplate<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    pub spec: Spec<'a>,
}

/// A PodSpec and, so that one pass serves every kind in whatever order its fields come, the templates of a workload's spec.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Spec<'a> {
    #[serde(borrow)]
    pub template: Option<Box<Template<'a>>>,
    #[serde(borrow)]
    pub job_template: Option<Box<JobTemplate<'a>>>,

    #[serde(borrow)]
    pub volumes: List<Volume<'a>>,
    #[serde(borrow)]
    pub init_containers: List<Container<'a>>,
    #[serde(borrow)]
    pub containers: List<Container<'a>>,
    #[serde(borrow)]
    pub ephemeral_containers: List<Container<'a>>,
    pub host_network: Option<bool>,
    #[serde(rename = "hostPID")]
    pub host_pid: Option<bool>,
    #[serde(rename = "hostIPC")]
    pub host_ipc: Option<bool>,
    pub host_users: Option<bool>,
    #[serde(borrow)]
    pub os: Option<OperatingSystem<'a>>,
    #[serde(borrow)]
    pub runtime_class_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub security_context: Option<SecurityContext<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct OperatingSystem<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
}

/// A Container or an EphemeralContainer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub image: Text<'a>,
    pub ports: List<ContainerPort>,
    #[serde(borrow)]
    pub liveness_probe: Option<Handler<'a>>,
    #[serde(borrow)]
    pub readiness_probe: Option<Handler<'a>>,
    #[serde(borrow)]
    pub startup_probe: Option<Handler<'a>>,
    #[serde(borrow)]
    pub lifecycle: Option<Lifecycle<'a>>,
    #[serde(borrow)]
    pub security_context: Option<SecurityContext<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerPort {
    pub host_port: Option<i32>,
}

/// What a probe or a lifecycle hook does, as far as it names a host.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Handler<'a> {
    #[serde(borrow)]
    pub http_get: Option<HostAction<'a>>,
    #[serde(borrow)]
    pub tcp_socket: Option<HostAction<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HostAction<'a> {
    #[serde(borrow)]
    pub host: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Lifecycle<'a> {
    #[serde(borrow)]
    pub post_start: Option<Handler<'a>>,
    #[serde(borrow)]
    pub pre_stop: Option<Handler<'a>>,
}

/// A pod's or a container's security context: the fields of either.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecurityContext<'a> {
    pub privileged: Option<bool>,
    pub allow_privilege_escalation: Option<bool>,
    pub run_as_non_root: Option<bool>,
    pub run_as_user: Option<i64>,
    #[serde(borrow)]
    pub proc_mount: Option<Text<'a>>,
    #[serde(borrow)]
    pub capabilities: Option<Capabilities<'a>>,
    #[serde(borrow)]
    pub seccomp_profile: Option<Profile<'a>>,
    #[serde(borrow)]
    pub app_armor_profile: Option<Profile<'a>>,
    #[serde(borrow)]
    pub se_linux_options: Option<SeLinuxOptions<'a>>,
    pub windows_options: Option<WindowsOptions>,
    #[serde(borrow)]
    pub sysctls: List<Sysctl<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities<'a> {
    #[serde(borrow)]
    pub add: List<Text<'a>>,
    #[serde(borrow)]
    pub drop: List<Text<'a>>,
}

/// A seccomp or an AppArmor profile.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Profile<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SeLinuxOptions<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub user: Text<'a>,
    #[serde(borrow)]
    pub role: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WindowsOptions {
    pub host_process: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sysctl<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
}
