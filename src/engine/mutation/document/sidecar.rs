//! `SidecarInjection`: what is added to a pod, where, and what happens where that collides with what is there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Enablement, Guards, Match, Mode, Names, Overrides, Proportion, Resources};

/// Which pods get something, and what: containers, volumes, variables, mounts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SidecarInjection {
    pub mode: Mode,
    pub enablement: Enablement,
    pub r#match: Match,
    pub guards: Guards,
    /// Documents of a lower number come first; those of the same number go by name.
    pub precedence: i32,
    pub conflicts: Conflicts,
    pub safety: Safety,
    pub failure: Failure,
    /// Registries, or paths in one, from which others may have this document's images pulled instead, such as
    /// `mirror.example.com/hub`. A sidecar is known again with an image from there, if what follows is the image's own name, with its
    /// registry or without.
    pub image_mirrors: Vec<String>,
    pub overrides: Option<Overrides>,
    pub revisions: Option<Revisions>,
    /// Names of fields of Kubernetes that are newer than this Portcullis: they pass as they are written, unchecked.
    pub newer_fields: Vec<String>,
    pub add: Parts,
}

/// What is added. A revision may have parts of its own.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Parts {
    pub containers: Vec<Sidecar>,
    pub init_containers: Vec<Sidecar>,
    /// Volumes of a pod, as Kubernetes has them.
    pub volumes: Vec<AddedVolume>,
    pub patch_containers: Vec<ContainerPatch>,
    pub probe_rewrite: Option<ProbeRewrite>,
    pub pod: PodParts,
}

/// A container that is added.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sidecar {
    /// A Container, as Kubernetes has it.
    pub container: Value,
    #[serde(default)]
    pub placement: Placement,
    #[serde(default)]
    pub security: Security,
    /// Variables whose values come from the pod or its namespace; others are written in the container itself.
    #[serde(default)]
    pub env: Vec<DerivedVariable>,
    /// Resources, where the container's own `resources` do not say them.
    #[serde(default)]
    pub resources: Resources,
    /// What percentages are of.
    #[serde(default)]
    pub proportion: Proportion,
    /// What the sidecar does to the pod's quality of service.
    #[serde(default)]
    pub qos: QualityOfService,
    /// What is done where the pod has resources of its own (`spec.resources`).
    #[serde(default)]
    pub pod_level: PodLevel,
    #[serde(default)]
    pub reserves: Reserves,
    /// A token of the pod's service account for this container alone.
    #[serde(default)]
    pub token: Option<Token>,
    /// Runs as the first user of the range that the namespace's annotation `openshift.io/sa.scc.uid-range` gives, if there is one.
    #[serde(default)]
    pub user_of_namespace: bool,
    /// Sets the resources back where somebody else has changed them. Otherwise what others set stays: an autoscaler and a webhook
    /// that insist on different amounts evict pods in a circle.
    #[serde(default)]
    pub enforce_resources: bool,
}

/// Where a container goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Placement {
    /// For `containers`; an init container is one.
    pub kind: PlacementKind,
    /// Where the cluster has no native sidecars.
    pub fallback: Fallback,
    /// Allows a plain container in a pod that would complete without it, such as a Job's: one with the restart policy `Never` or
    /// `OnFailure`. It then completes only if something ends the sidecar.
    pub allow_blocking_job: bool,
    pub order: Order,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PlacementKind {
    /// Native where every kubelet knows native sidecars, else by `fallback`.
    #[default]
    Auto,
    /// An init container with `restartPolicy: Always`.
    Native,
    /// A plain container.
    Container,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Fallback {
    Container,
    #[default]
    Skip,
    Deny,
}

/// Constraints on the place in the list. Names may hold `*`; `*` alone is all that is not ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Order {
    pub first: bool,
    pub last: bool,
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// Whether the container's security context is completed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Security {
    /// To whatever the restricted standard demands, at container level.
    #[default]
    Restricted,
    AsWritten,
}

/// A variable whose value comes from elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DerivedVariable {
    pub name: String,
    pub from: Origin,
    /// The value where there is none; without it, the variable is left out.
    pub default: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    NamespaceLabel(String),
    PodLabel(String),
    PodAnnotation(String),
    /// The name of the workload that the pod belongs to, as far as the pod tells.
    OwnerName,
    /// The name of the first container that is not ours.
    FirstContainer,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum QualityOfService {
    /// A Guaranteed pod stays one: limits are lowered to the requests.
    #[default]
    Preserve,
    /// The same; requests are raised to the limits.
    PreserveFromLimits,
    /// No class changes, not even from BestEffort: the sidecar then goes without resources.
    Strict,
    AllowDowngrade,
    /// A pod whose class would change is denied.
    Deny,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PodLevel {
    /// The pod's resources grow by what the sidecar needs.
    #[default]
    Extend,
    /// The sidecar has to fit in.
    Fit,
    /// The sidecar has none.
    Omit,
}

/// What a sidecar takes for itself; a pod that uses one of these conflicts with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Reserves {
    pub ports: Vec<u16>,
    pub uid: Option<i64>,
}

/// A projected token: it works where the pod does not mount its service account's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    pub audience: String,
    #[serde(default = "hour")]
    pub expiration_seconds: u32,
    /// The directory in which the container finds it, as `token`.
    pub path: String,
}

fn hour() -> u32 {
    3600
}

/// A volume that is added.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddedVolume {
    /// A Volume, as Kubernetes has it.
    pub volume: Value,
    /// Lists it in `cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes`, so that it does not keep a node from being
    /// scaled down.
    #[serde(default)]
    pub safe_to_evict: bool,
}

/// Edits to containers that are there.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ContainerPatch {
    pub select: ContainerSelection,
    pub env: Vec<VariableEdit>,
    pub mounts: Vec<MountEdit>,
}

/// Which containers are edited; never ephemeral ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ContainerSelection {
    pub names: Names,
    /// Init containers too, native sidecars included.
    pub init_containers: bool,
    /// Containers too that documents of ours have added.
    pub injected: bool,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VariableEdit {
    pub name: String,
    pub value: Option<String>,
    /// An EnvVarSource, as Kubernetes has it.
    pub value_from: Option<Value>,
    pub from: Option<Origin>,
    pub default: Option<String>,
    #[serde(default)]
    pub position: Position,
    #[serde(default)]
    pub on_existing: OnExisting,
    /// For `onExisting: Append`: nothing is appended to a value that holds this.
    pub unless_contains: Option<String>,
    /// For `onExisting: Append`: what stands between the value that is there and ours.
    #[serde(default = "blank")]
    pub separator: String,
}

fn blank() -> String {
    " ".to_owned()
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Position {
    /// Before all others, so that they can refer to it.
    First,
    #[default]
    Last,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnExisting {
    #[default]
    Keep,
    Replace,
    /// After the value that is there. One that comes from elsewhere (`valueFrom`) is left alone, with a warning.
    Append,
    /// A conflict, with the outcome that `conflicts.other` says.
    Fail,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MountEdit {
    /// A VolumeMount, as Kubernetes has it.
    pub mount: Value,
    /// `Keep` or `Fail`: what is done where something is mounted at the path.
    #[serde(default)]
    pub on_existing: OnExisting,
}

/// Sends the kubelet's probes and hooks through a sidecar. What they were is kept in a variable of that sidecar.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProbeRewrite {
    /// The sidecar that answers in their place.
    pub container: String,
    pub port: u16,
    /// `{container}` and `{probe}` are the only places that are filled in; both must be there.
    pub path: String,
    /// The variable that tells the sidecar what the probes were, as JSON by path.
    pub variable: String,
    #[serde(default = "all_kinds")]
    pub kinds: Vec<HandlerKind>,
    #[serde(default = "all_handlers")]
    pub handlers: Vec<HandlerName>,
    #[serde(default)]
    pub containers: Names,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HandlerKind {
    HttpGet,
    TcpSocket,
    Grpc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HandlerName {
    LivenessProbe,
    ReadinessProbe,
    StartupProbe,
    PostStart,
    PreStop,
}

fn all_kinds() -> Vec<HandlerKind> {
    vec![HandlerKind::HttpGet, HandlerKind::TcpSocket, HandlerKind::Grpc]
}

fn all_handlers() -> Vec<HandlerName> {
    use HandlerName::{LivenessProbe, PostStart, PreStop, ReadinessProbe, StartupProbe};
    vec![LivenessProbe, ReadinessProbe, StartupProbe, PostStart, PreStop]
}

/// What is added to the pod itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PodParts {
    /// Set where the pod has none of the name.
    pub labels: BTreeMap<String, String>,
    /// Set where the pod has none of the name.
    pub annotations: BTreeMap<String, String>,
    /// Sets `kubectl.kubernetes.io/default-container` to the first container that is not ours, where the pod has none.
    pub default_container: bool,
    /// In seconds; a shorter period is raised to it, but for 0, by which the user asks for an immediate end.
    pub termination_grace_period_at_least: Option<u32>,
    /// Names of Secrets, appended where they are missing.
    pub image_pull_secrets: Vec<String>,
}

/// What happens where something that is to be added is there already, as something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Conflicts {
    pub container_name: NameConflict,
    pub volume_name: NameConflict,
    pub port: PortConflict,
    pub uid: OnConflict,
    pub order: OnConflict,
    /// Everything else: a root-needing container in a pod that forbids root, resources that fit no LimitRange, …
    pub other: OnConflict,
}

impl Default for Conflicts {
    fn default() -> Self {
        Self {
            container_name: NameConflict::Deny,
            volume_name: NameConflict::Deny,
            port: PortConflict::Deny,
            uid: OnConflict::Deny,
            order: OnConflict::Warn,
            other: OnConflict::Deny,
        }
    }
}

/// `Deny` refuses the pod, `Skip` leaves this document out of it with a warning, `Warn` goes on with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnConflict {
    Deny,
    Skip,
    Warn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum NameConflict {
    Deny,
    Skip,
    /// A container of the pod with our name and the image `auto` is completed by ours; any other conflicts as under `Deny`.
    /// For containers.
    MergeAuto,
    /// Ours gets another name, which follows from the document's. For volumes.
    Rename,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PortConflict {
    Deny,
    Skip,
    Warn,
    /// Ours moves to the next port that is free.
    Remap,
}

/// What the result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Safety {
    pub pod_security: PodSecuritySafety,
    pub limit_range: LimitRangeSafety,
}

impl Default for Safety {
    fn default() -> Self {
        Self { pod_security: PodSecuritySafety::NoNewViolations, limit_range: LimitRangeSafety::Clamp }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum PodSecuritySafety {
    /// What the document adds violates nothing that the namespace enforces.
    NoNewViolations,
    /// The namespace's policy is left to judge it.
    Allow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum LimitRangeSafety {
    /// What the document adds is brought within the namespace's limits.
    Clamp,
    /// It conflicts with them.
    Deny,
}

/// What becomes of a pod where the document cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Failure {
    /// Where our own patch would break the pod: a fault of ours.
    pub on_self_check: OnFailure,
    /// Where the pod arrives at the end without what was to be added.
    pub verify: Verify,
}

impl Default for Failure {
    fn default() -> Self {
        Self { on_self_check: OnFailure::Admit, verify: Verify::Off }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnFailure {
    Admit,
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Verify {
    Off,
    Warn,
    Deny,
}

/// Several versions of the parts at a time.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revisions {
    /// The revision of pods that no weight gives another; it has the document's own parts if it is none of `items`.
    pub default: String,
    /// The pod label by which a pod or its namespace chooses a revision.
    pub label: Option<String>,
    #[serde(default)]
    pub sticky_by: StickyBy,
    #[serde(default)]
    pub items: Vec<Revision>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum StickyBy {
    /// All pods of a workload have the same.
    #[default]
    Owner,
    Namespace,
}

#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Revision {
    pub name: String,
    /// In percent of workloads or namespaces.
    #[serde(default)]
    pub weight: u8,
    pub add: Parts,
}
