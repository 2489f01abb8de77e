//! `PodDefaults`: what unset fields become. Nothing that a pod says is ever changed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Enablement, Guards, LabelSelector, Match, Mode, Names, OnConflict, QuantityText, Resources};

/// Which pods are completed, and what their unset fields become.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodDefaults {
    /// `OptOut` if not given: defaults are for all pods that match.
    pub mode: Mode,
    pub enablement: Enablement,
    pub r#match: Match,
    pub guards: Guards,
    /// Documents of a lower number come first, and what one has set the next finds set; those of the same number go by name.
    pub precedence: i32,
    /// What happens where a default cannot be set as it should be.
    pub on_conflict: OnConflict,
    pub resources: Option<ResourceDefaults>,
    pub security: Option<SecurityDefaults>,
    pub probes: Option<ProbeDefaults>,
    pub scheduling: Option<SchedulingDefaults>,
    pub dns: Option<DnsDefaults>,
    pub pod: PodFieldDefaults,
    /// Names of fields of Kubernetes that are newer than this Portcullis: they pass as they are written, unchecked.
    pub newer_fields: Vec<String>,
}

impl Default for PodDefaults {
    fn default() -> Self {
        Self {
            mode: Mode::OptOut,
            enablement: Enablement::default(),
            r#match: Match::default(),
            guards: Guards { host_network: super::Guard::Allow, host_pid: super::Guard::Allow },
            precedence: 0,
            on_conflict: OnConflict::Warn,
            resources: None,
            security: None,
            probes: None,
            scheduling: None,
            dns: None,
            pod: PodFieldDefaults::default(),
            newer_fields: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ResourceDefaults {
    pub containers: Resources,
    pub init_containers: Resources,
    /// Which containers these are for.
    pub names: Names,
    /// What happens where a default limit is below the request.
    pub request_above_default_limit: RequestAboveLimit,
    /// Pods and containers that are left alone.
    pub skip_when: Vec<SkipResources>,
    /// Makes pods Guaranteed: every container's limits become its requests where they are unset, or its requests its limits; a
    /// container that has neither gets the amounts above for both.
    pub guaranteed: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum RequestAboveLimit {
    #[default]
    RaiseLimit,
    OmitLimit,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SkipResources {
    /// Pods that have resources of their own (`spec.resources`).
    PodLevelResources,
    /// Containers that ask for an extended resource, such as a GPU.
    ExtendedResources,
    /// Pods that a VerticalPodAutoscaler watches, by their annotation `vpaObservedContainers`.
    VpaManaged,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SecurityDefaults {
    /// Which containers these are for.
    pub containers: Names,
    pub seccomp_profile: Option<SeccompDefault>,
    pub run_as_non_root: Option<RunAsNonRoot>,
    /// False where it is unset, but for containers that are privileged or add `SYS_ADMIN`, where the API forbids it.
    pub deny_privilege_escalation: bool,
    pub capabilities: Option<CapabilityDefaults>,
    pub read_only_root_filesystem: Option<ReadOnlyRootFilesystem>,
    pub automount_service_account_token: Option<Automount>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SeccompDefault {
    /// `RuntimeDefault`, for the pod.
    RuntimeDefault,
}

/// When `runAsNonRoot: true` is set. An image that runs as root does not start with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum RunAsNonRoot {
    /// Where the pod or the container names a user other than 0; elsewhere there is a warning.
    WhenUserIsKnown,
    /// Everywhere but where user 0 is named.
    Always,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CapabilityDefaults {
    /// `ALL` is appended to what is dropped; what is added stays added.
    pub drop_all: bool,
    /// Appended to what is dropped.
    pub drop: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReadOnlyRootFilesystem {
    /// Where the containers may write: each gets an `emptyDir`, unless something is mounted there or above it.
    pub writable: Vec<WritablePath>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WritablePath {
    pub path: String,
    pub size_limit: Option<QuantityText>,
    #[serde(default)]
    pub safe_to_evict: bool,
}

/// No token where the pod does not ask for one; what the ServiceAccount plugin has mounted already is taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Automount {
    /// Service accounts whose pods keep their token.
    pub unless_service_account: LabelSelector,
}

/// Probes are copied from others and never made up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProbeDefaults {
    /// A plain container with a liveness probe and no readiness probe gets the same as readiness probe.
    pub readiness_from_liveness: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SchedulingDefaults {
    /// Tolerations, as Kubernetes has them, appended unless the pod tolerates the same already.
    pub tolerations: Vec<Value>,
    /// NodeSelectorRequirements, as Kubernetes has them, added to every term of the required node affinity.
    pub required_node_affinity: Vec<Value>,
    /// TopologySpreadConstraints without a selector, as Kubernetes has them, appended where none is for the same key and action. They
    /// select the pods of the same controller; pods of a DaemonSet and pods without a controller get none.
    pub topology_spread: Vec<Value>,
    /// For pods whose priority class nobody chose.
    pub priority_class_name: Option<String>,
    /// For pods whose runtime class nobody chose. The API server gives them its overhead and its nodes; pods that ask for others are left
    /// alone, as is every pod where there is no such class.
    pub runtime_class_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DnsDefaults {
    /// Resolver options by name, such as `ndots: "2"`; an empty value is an option without one.
    pub options: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodFieldDefaults {
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// Names of Secrets, appended where they are missing.
    pub image_pull_secrets: Vec<String>,
}
