//! Which pods a document is about, and how pods and namespaces say yes or no to it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which pods a document is about; all of these must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    /// The labels of the pod's namespace.
    pub namespace_selector: LabelSelector,
    /// The labels of the pod.
    pub pod_selector: LabelSelector,
    /// The labels of the pod's service account. An account of which nothing is known does not match.
    pub service_account_selector: LabelSelector,
    /// The kind of the pod's controller, such as `DaemonSet`, `Job` or `ReplicaSet`; `Pod` for one without.
    pub owner_kinds: Names,
    /// The names of the pod's containers, init containers included: each of these must be there.
    pub containers: Vec<String>,
    /// The names of the pod's volumes: each of these must be there.
    pub volumes: Vec<String>,
    /// Resources that some container asks for, such as `nvidia.com/gpu`: each of these must be asked for.
    pub resources: Vec<String>,
    /// The operating systems that pods may be for; `linux` alone if empty.
    pub os: Vec<OperatingSystem>,
}

/// `metav1.LabelSelector`: everything if empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabelSelector {
    pub match_labels: BTreeMap<String, String>,
    pub match_expressions: Vec<Requirement>,
}

impl LabelSelector {
    /// The keys of the labels on which it depends.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let of_expressions = self.match_expressions.iter().map(|requirement| requirement.key.as_str());
        self.match_labels.keys().map(String::as_str).chain(of_expressions)
    }
}

/// `metav1.LabelSelectorRequirement`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Requirement {
    pub key: String,
    pub operator: SelectorOperator,
    #[serde(default)]
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum SelectorOperator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

/// Names that are in and names that are out, each of which may hold `*` for any text; all are in if `include` is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Names {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OperatingSystem {
    Linux,
    Windows,
}

/// What happens where neither pod nor namespace says anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Mode {
    /// Every pod that matches, whatever it says.
    Always,
    /// Pods that do not say no.
    OptOut,
    /// Pods that say yes, or whose namespace does.
    #[default]
    OptIn,
    /// None.
    Disabled,
}

/// Where pods and namespaces say `"true"` or `"false"`. The pod's label comes first, then its annotation, then its namespace's label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Enablement {
    /// Keys of pod labels, the first of which that is there counts.
    pub pod_labels: Vec<String>,
    /// Keys of pod annotations, the first of which that is there counts.
    pub pod_annotations: Vec<String>,
    /// Keys of namespace labels, the first of which that is there counts.
    pub namespace_labels: Vec<String>,
    /// What becomes of a pod whose value is neither `"true"` nor `"false"`.
    pub on_invalid: OnInvalid,
}

impl Enablement {
    /// Whether there is no key by which anybody could ask.
    pub fn names_nothing(&self) -> bool {
        self.pod_labels.is_empty() && self.pod_annotations.is_empty() && self.namespace_labels.is_empty()
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum OnInvalid {
    #[default]
    Deny,
    SkipWithWarning,
}

/// Pods that a document passes over, unless it says `Allow`. Mirror pods are always passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Guards {
    pub host_network: Guard,
    #[serde(rename = "hostPID")]
    pub host_pid: Guard,
}

impl Default for Guards {
    fn default() -> Self {
        Self { host_network: Guard::Skip, host_pid: Guard::Allow }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Guard {
    Skip,
    Allow,
}
