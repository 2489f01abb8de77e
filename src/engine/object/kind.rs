//! Groups, versions and kinds: which ones hold a pod template, and which ones upstream's webhook can decode at all.

use std::fmt;

/// A kind with its group and version, printed as Go prints a `schema.GroupVersionKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupVersionKind<'a> {
    pub group: &'a str,
    pub version: &'a str,
    pub kind: &'a str,
}

impl<'a> GroupVersionKind<'a> {
    pub fn of(api_version: &'a str, kind: &'a str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group, version, kind }
    }
}

impl fmt::Display for GroupVersionKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}, Kind={}", self.group, self.version, self.kind)
    }
}

/// The eight kinds that hold a pod template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    CronJob,
    DaemonSet,
    Deployment,
    Job,
    PodTemplate,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
}

impl Workload {
    /// Each with its API version, kind and resource.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 8] = [
        (Self::CronJob, "batch/v1", "CronJob", "cronjobs"),
        (Self::DaemonSet, "apps/v1", "DaemonSet", "daemonsets"),
        (Self::Deployment, "apps/v1", "Deployment", "deployments"),
        (Self::Job, "batch/v1", "Job", "jobs"),
        (Self::PodTemplate, "v1", "PodTemplate", "podtemplates"),
        (Self::ReplicaSet, "apps/v1", "ReplicaSet", "replicasets"),
        (Self::ReplicationController, "v1", "ReplicationController", "replicationcontrollers"),
        (Self::StatefulSet, "apps/v1", "StatefulSet", "statefulsets"),
    ];

    /// The workload kind of an object, by its own `apiVersion` and `kind`.
    pub fn of(api_version: &str, kind: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, version, name, _)| *version == api_version && *name == kind).map(|row| row.0)
    }
}

/// Whether upstream's webhook could decode an object of this kind: its scheme holds the groups core, apps, batch and
/// admission at v1 (`cmd/webhook/server/scheme.go`), and in each the kinds of apimachinery's own.
pub fn is_registered(kind: GroupVersionKind<'_>) -> bool {
    let kinds: &[&str] = match (kind.group, kind.version) {
        ("", "v1") => &CORE,
        ("apps", "v1") => &APPS,
        ("batch", "v1") => &BATCH,
        ("admission.k8s.io", "v1") => &["AdmissionReview"],
        _ => return false,
    };
    kinds.contains(&kind.kind) || META.contains(&kind.kind)
}

/// `k8s.io/api/core/v1/register.go` at v0.37.
const CORE: [&str; 44] = [
    "Binding",
    "ComponentStatus",
    "ComponentStatusList",
    "ConfigMap",
    "ConfigMapList",
    "Endpoints",
    "EndpointsList",
    "Event",
    "EventList",
    "LimitRange",
    "LimitRangeList",
    "List",
    "Namespace",
    "NamespaceList",
    "Node",
    "NodeList",
    "NodeProxyOptions",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "PersistentVolumeClaimList",
    "PersistentVolumeList",
    "Pod",
    "PodAttachOptions",
    "PodExecOptions",
    "PodList",
    "PodLogOptions",
    "PodPortForwardOptions",
    "PodProxyOptions",
    "PodTemplate",
    "PodTemplateList",
    "RangeAllocation",
    "ReplicationController",
    "ReplicationControllerList",
    "ResourceQuota",
    "ResourceQuotaList",
    "Secret",
    "SecretList",
    "SerializedReference",
    "Service",
    "ServiceAccount",
    "ServiceAccountList",
    "ServiceList",
    "ServiceProxyOptions",
    "Status",
];
/// `k8s.io/api/apps/v1/register.go`.
const APPS: [&str; 10] = [
    "ControllerRevision",
    "ControllerRevisionList",
    "DaemonSet",
    "DaemonSetList",
    "Deployment",
    "DeploymentList",
    "ReplicaSet",
    "ReplicaSetList",
    "StatefulSet",
    "StatefulSetList",
];
/// `k8s.io/api/batch/v1/register.go`.
const BATCH: [&str; 4] = ["CronJob", "CronJobList", "Job", "JobList"];
/// What `metav1.AddToGroupVersion` adds to every group.
const META: [&str; 7] =
    ["CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions", "WatchEvent"];
