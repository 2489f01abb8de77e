//! One pod on its way through the documents: its tree with the edits so far, what is known of its surroundings, and what there is to
//! say about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::document::OnConflict;
use super::surroundings::{Labels, RuntimeClasses};
use super::tree::Node;

/// What a document's part works on.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The pod as it will be: a Pod, or the template of a workload as if it were one.
    pub pod: Node<'a>,
    pub world: &'a World<'a>,
    /// What is ours in this pod, by what the documents in force would render: names of containers, init containers included.
    pub own_containers: Vec<&'a str>,
    pub notes: Vec<Note>,
    pub reserved: Reserved<'a>,
}

/// What the documents that were carried out before have taken in this pod.
#[derive(Debug, Clone, Default)]
pub struct Reserved<'a> {
    /// Containers that come before all others, in their order.
    pub first: Vec<&'a str>,
    /// Containers that come after all others.
    pub last: Vec<&'a str>,
    /// Ports, each with the container that listens there.
    pub ports: BTreeMap<u16, String>,
    /// What the containers of all documents for this pod demand, those to come included; empty if none demands anything of others.
    pub demands: Vec<Demands>,
    /// Containers that were added or found added, and are where they are to be: those to come may still be moved.
    pub settled: Vec<&'a str>,
    /// Volumes that are added or used, by the names that those have in this pod.
    pub volumes: Vec<String>,
}

/// What a container of ours demands of others by their names, in which `*` is any text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    pub name: String,
    /// Before whom it has to be.
    pub before: Vec<String>,
    /// After whom.
    pub after: Vec<String>,
    /// Whether it comes before all, or after all, that do not insist on the same.
    pub first: bool,
    pub last: bool,
}

impl Plan<'_> {
    /// Whether a container of this name is ours.
    pub fn is_ours(&self, name: &str) -> bool {
        self.own_containers.contains(&name)
    }

    /// Notes something about the pod.
    pub fn note(&mut self, document: &str, reason: Reason, weight: Weight, about: impl Into<String>) {
        self.notes.push(Note { document: document.to_owned(), reason, about: about.into(), weight });
    }

    /// Ends the document's part in the pod, or notes a warning and goes on, as the document has it.
    ///
    /// # Errors
    /// The conflict, unless it is only to be warned of.
    pub fn conflict(
        &mut self,
        document: &str,
        how: OnConflict,
        reason: Reason,
        about: impl Into<String>,
    ) -> Result<(), Conflict> {
        let weight = match how {
            OnConflict::Deny => Weight::Denied,
            OnConflict::Skip => Weight::Skipped,
            OnConflict::Warn => {
                self.note(document, reason, Weight::Warning, about);
                return Ok(());
            }
        };
        Err(Conflict { reason, about: about.into(), weight })
    }
}

/// What is known of a pod's surroundings. Everything is a fact of one snapshot.
#[derive(Debug, Default)]
pub struct World<'a> {
    /// The namespace of the request: the object's own may be empty.
    pub namespace: &'a str,
    pub namespace_labels: LabelSet<'a>,
    pub namespace_annotations: LabelSet<'a>,
    /// The labels of the pod's service account; none if they are not known.
    pub service_account_labels: Option<LabelSet<'a>>,
    /// The namespace's LimitRanges.
    pub limit_ranges: Vec<LimitRange<'a>>,
    pub priority_classes: PriorityClasses<'a>,
    /// RuntimeClasses by name; none if nothing is known of them.
    pub runtime_classes: Option<&'a RuntimeClasses>,
    /// Whether every kubelet knows native sidecars (1.29 and later).
    pub has_native_sidecars: bool,
    /// Whether this is the template of a workload, offline: the API server has set no defaults in it and added no pull secrets.
    pub is_template: bool,
}

/// Labels, or annotations, by key.
#[derive(Debug, Clone, Default)]
pub struct LabelSet<'a>(Cow<'a, Labels>);

impl LabelSet<'_> {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(AsRef::as_ref)
    }
}

impl<'a> From<&'a Labels> for LabelSet<'a> {
    fn from(labels: &'a Labels) -> Self {
        Self(Cow::Borrowed(labels))
    }
}

impl<'t> FromIterator<(&'t str, &'t str)> for LabelSet<'_> {
    fn from_iter<I: IntoIterator<Item = (&'t str, &'t str)>>(labels: I) -> Self {
        Self(Cow::Owned(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect()))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for LabelSet<'_> {
    fn from(labels: [(&str, &str); N]) -> Self {
        labels.into_iter().collect()
    }
}

/// A LimitRange of a pod's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitRange<'a> {
    pub name: &'a str,
    /// Its `spec.limits` as JSON.
    pub limits: &'a str,
}

/// PriorityClasses by name: value and preemption policy.
#[derive(Debug, Clone, Default)]
pub struct PriorityClasses<'a>(Cow<'a, KeptClasses>);

/// The same as it is kept for all pods.
pub type KeptClasses = BTreeMap<Box<str>, (i32, Box<str>)>;

impl PriorityClasses<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<PriorityClass<'_>> {
        let (value, preemption_policy) = self.0.get(name)?;
        Some(PriorityClass { value: *value, preemption_policy })
    }
}

impl<'a> From<&'a KeptClasses> for PriorityClasses<'a> {
    fn from(classes: &'a KeptClasses) -> Self {
        Self(Cow::Borrowed(classes))
    }
}

impl<const N: usize> From<[(&str, PriorityClass<'_>); N]> for PriorityClasses<'_> {
    fn from(classes: [(&str, PriorityClass<'_>); N]) -> Self {
        let entry =
            |(name, class): (&str, PriorityClass<'_>)| (name.into(), (class.value, class.preemption_policy.into()));
        Self(Cow::Owned(classes.into_iter().map(entry).collect()))
    }
}

/// What a pod gets from its priority class.
#[derive(Debug, Clone, Copy)]
pub struct PriorityClass<'a> {
    pub value: i32,
    /// `PreemptLowerPriority` or `Never`.
    pub preemption_policy: &'a str,
}

/// Something that was decided about a pod, by which document, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The document's kind and name, such as `SidecarInjection/log-shipper`.
    pub document: String,
    pub reason: Reason,
    /// What it is about, such as `container "app"`: names and paths, never values that a user wrote.
    pub about: String,
    pub weight: Weight,
}

/// As a person reads it.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { document, reason, about, weight } = self;
        let left_out = if *weight == Weight::Skipped { "left out: " } else { "" };
        write!(f, "{document}: {left_out}{about}: {} ({})", reason.text(), reason.code())
    }
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// For who asks (`--explain`, audit annotations).
    Detail,
    /// The user is warned.
    Warning,
    /// The document was left out of this pod, with a warning.
    Skipped,
    /// The pod is refused.
    Denied,
}

/// Ends a document's part in a pod: what it has planned so far is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub reason: Reason,
    pub about: String,
    pub weight: Weight,
}

macro_rules! reasons {
    ($($variant:ident $code:literal $text:literal,)*) => {
        /// Why something was done or left; the same in warnings, annotations, metrics, Events and on the command line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason { $($variant,)* }

        impl Reason {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code, in lower case with underscores.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means, for people; see `advice` for what to do.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    // Rows of the enablement table, in its order.
    MirrorPod "mirror_pod" "it mirrors a static pod of a kubelet, which nobody may change",
    HostNetwork "host_network" "it uses the host's network",
    HostPid "host_pid" "it shares the host's processes",
    OperatingSystem "operating_system" "it is for another operating system",
    NoMatch "no_match" "it does not match",
    DocumentDisabled "document_disabled" "the document is disabled",
    OptOutIgnored "opt_out_ignored" "it asks to be left alone, but the document is for all pods",
    Always "always" "the document is for all pods that match",
    PodLabel "pod_label" "its label asks for it",
    PodAnnotation "pod_annotation" "its annotation asks for it",
    PodOptOut "pod_opt_out" "it asks to be left alone",
    LabelAnnotationDisagree "label_annotation_disagree" "its label and its annotation disagree; the label counts",
    InvalidChoice "invalid_choice" "the only values are \"true\" and \"false\"",
    NamespaceLabel "namespace_label" "its namespace's label asks for it",
    NamespaceOptOut "namespace_opt_out" "its namespace asks to be left alone",
    OptedOutByDefault "opted_out_by_default" "neither it nor its namespace asks for it",
    InByDefault "in_by_default" "neither it nor its namespace asks to be left alone",
    // Outcomes of a part.
    ContainerNameTaken "container_name_taken" "the pod has another container of this name",
    VolumeNameTaken "volume_name_taken" "the pod has another volume of this name",
    PortTaken "port_taken" "the port is in use",
    UidTaken "uid_taken" "a container runs as the user that is reserved for the sidecar",
    MountPathTaken "mount_path_taken" "something else is mounted there",
    EnvironmentTaken "environment_taken" "the variable is there already",
    EnvironmentFromElsewhere "environment_from_elsewhere" "the variable's value comes from elsewhere, so nothing can be appended to it",
    OrderConflict "order_conflict" "the order that is asked for cannot be had",
    OrderContested "order_contested" "another injector insists on the same place",
    NativeUnsupported "native_unsupported" "not every kubelet knows native sidecars",
    BlocksJob "blocks_job" "a plain sidecar would keep the pod from completing",
    NeedsRoot "needs_root" "the container needs root, which the pod forbids; have this set up outside of the pod instead, such as the network by a CNI plugin",
    InheritsRoot "inherits_root" "it would run as the pod's user 0, which its runAsNonRoot forbids, and never start",
    NamedPortMissing "named_port_missing" "no container port has the name that the probe uses",
    ProbeOfAnother "probe_of_another" "another injector has rewritten the probe and answers it, so it stays as it is",
    ProbeTooEarly "probe_too_early" "the container starts before the sidecar that would answer, and nothing goes on until this succeeds, so it stays as it is",
    UnknownRevision "unknown_revision" "the document has no revision of this name; another was chosen",
    UnknownOverride "unknown_override" "no override has this key",
    InvalidOverride "invalid_override" "the value is not one that the document allows",
    TakenBack "taken_back" "it was copied from a pod to which this was added, lacks part of that and asks to be left alone: the rest is taken back",
    DefaultTakenBack "default_taken_back" "what the document fills in is taken out; if its author had written it, only the document puts it back",
    ProbeLost "probe_lost" "what the probe was is not known any more, so it was removed",
    ValueReplaced "value_replaced" "the value that was there before is not known any more",
    StaleClaimIgnored "stale_claim_ignored" "an annotation claims something as ours that no document of ours adds",
    GracePeriodIsZero "grace_period_is_zero" "the pod asks to be ended at once, which leaves the sidecar no time",
    QosBestEffortToBurstable "qos_best_effort_to_burstable" "the pod was BestEffort and becomes Burstable",
    QosWouldChange "qos_would_change" "the pod's quality of service would change",
    IntegralCpu "integral_cpu" "a whole number of CPUs in a Guaranteed pod takes cores for itself under the static CPU manager",
    LimitRangeInfeasible "limit_range_infeasible" "no amount fits the namespace's LimitRange",
    LimitRangeClamped "limit_range_clamped" "the amount was brought within the namespace's LimitRange",
    PodLevelDoesNotFit "pod_level_does_not_fit" "it does not fit into the pod's own resources",
    RequestAboveDefaultLimit "request_above_default_limit" "the request is above the default limit",
    NoAmountKnown "no_amount_known" "no container that counts asks for the resource, so nothing says how much is in proportion",
    AmountTooLarge "amount_too_large" "an amount is larger than any resource can be",
    EffectiveRequests "effective_requests" "what the pod asks for as a whole grows",
    NotGuaranteed "not_guaranteed" "its containers cannot all have limits that are their requests, so it is not Guaranteed",
    RunsAsRoot "runs_as_root" "it names user 0, so it cannot be kept from running as root",
    ServiceAccountUnknown "service_account_unknown" "nothing is known of its service account",
    UserUnknown "user_unknown" "nothing says which user the image runs as; runAsNonRoot might keep it from starting",
    ImagePullSecretsInTemplate "image_pull_secrets_in_template" "pull secrets in a template would keep the service account's from being used",
    PriorityClassMissing "priority_class_missing" "there is no such priority class",
    RuntimeClassMissing "runtime_class_missing" "there is no such runtime class",
    RuntimeClassUnfit "runtime_class_unfit" "the runtime class is for other nodes than the pod",
    SelectorUnknown "selector_unknown" "nothing says which pods belong together",
    WouldViolatePodSecurity "would_violate_pod_security" "the result would violate what the namespace enforces",
    TooLarge "too_large" "the pod would be larger than what is stored for sure",
    SelfCheckFailed "self_check_failed" "the patch would have broken the pod; this is a fault of Portcullis, please report it",
    ItemMissing "item_missing" "what must be added to the pod is not there: another webhook has removed it, or ours was not asked",
    ImageElsewhere "image_elsewhere" "the image comes from a registry that the document's imageMirrors do not list",
    AnnotationsFull "annotations_full" "the pod's annotations leave no room",
}
