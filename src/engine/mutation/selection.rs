//! Whether a document is for a pod: the published table, from the top down; the first row that applies decides.
//!
//! | | row | outcome |
//! |---|---|---|
//! | 1 | the pod mirrors a static pod | no |
//! | 2 | host network, host processes: as the document's guards say | no |
//! | 3 | another operating system; a selector that does not match | no |
//! | 4 | mode `Disabled` | no |
//! | 5 | mode `Always` | yes; a pod that says no is told so |
//! | 6 | the pod's label says `"true"` or `"false"` | as it says; an annotation that disagrees is told of |
//! | 7 | the pod's annotation says so | as it says |
//! | 8 | either has another value | as `onInvalid` says |
//! | 9 | the namespace's label, in the same way | as it says |
//! | 10 | nobody says anything | mode `OptOut`: yes; `OptIn`: no |
//!
//! Where that is yes, and a selector asks about the labels of a service account of which nothing is known, it is no, with a warning.
//!
//! Only pods that are being created get here: what is running is never changed.

use std::borrow::Cow;

use super::document::{
    Enablement, Guard, Guards, LabelSelector, Match, Mode, Names, OnInvalid, OperatingSystem, Requirement,
    SelectorOperator,
};
use super::plan::{Reason, Weight, World};
use super::tree::Node;
use super::written::unquoted;
use crate::engine::json::{Cursor, member};

/// What makes a document be for a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub mode: Mode,
    pub enablement: Enablement,
    pub r#match: Match,
    pub guards: Guards,
}

/// Whether the document is for the pod, by which row; and what else is to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub outcome: Outcome,
    pub reason: Reason,
    /// What it is about, such as the key of a label.
    pub about: String,
    /// What the user is to be told beside.
    pub warning: Option<(Reason, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Applies,
    Passes,
    /// The pod is denied.
    Denies,
}

impl Decision {
    fn new(outcome: Outcome, reason: Reason, about: impl Into<String>) -> Self {
        Self { outcome, reason, about: about.into(), warning: None }
    }

    fn passes(reason: Reason) -> Self {
        Self::new(Outcome::Passes, reason, "pod")
    }
}

impl Selection {
    /// Goes through the table.
    pub fn decide(&self, pod: &Node<'_>, world: &World<'_>) -> Decision {
        if let Some(reason) = self.guarded(pod).or_else(|| self.other_system(pod)) {
            return Decision::passes(reason);
        }
        if let Some(field) = self.mismatch(pod, world) {
            return Decision::new(Outcome::Passes, Reason::NoMatch, field);
        }
        let decision = match self.mode {
            Mode::Disabled => Decision::passes(Reason::DocumentDisabled),
            Mode::Always => self.always(pod),
            Mode::OptOut | Mode::OptIn => self.chosen(pod, world),
        };
        if decision.outcome == Outcome::Passes || world.service_account_labels.is_some() || !self.asks_for_account() {
            return decision;
        }
        let warning = Some((Reason::ServiceAccountUnknown, "spec.serviceAccountName".to_owned()));
        Decision { warning, ..Decision::passes(Reason::NoMatch) }
    }

    /// Whether it depends on the labels of the pod's service account.
    fn asks_for_account(&self) -> bool {
        self.r#match.service_account_selector != LabelSelector::default()
    }

    /// Whether it is for every pod that the other one is for, but for those that decline.
    pub fn covers(&self, other: &Self) -> bool {
        let os = &other.r#match.os;
        let is_for_linux = os.is_empty() || os.contains(&OperatingSystem::Linux);
        let matches = self.r#match == other.r#match || (self.r#match == Match::default() && is_for_linux);
        let is_asked = match self.mode {
            Mode::Always | Mode::OptOut => true,
            Mode::OptIn => other.mode == Mode::OptIn && self.enablement == other.enablement,
            Mode::Disabled => false,
        };
        let is_ever_for_any = |selection: &Self| match selection.mode {
            Mode::Disabled => false,
            Mode::OptIn => !selection.enablement.names_nothing(),
            Mode::Always | Mode::OptOut => true,
        };
        matches && is_asked && self.guards == other.guards && is_ever_for_any(other)
    }

    fn guarded(&self, pod: &Node<'_>) -> Option<Reason> {
        let is_true = |field| pod.at(&["spec", field]).and_then(Node::boolean) == Some(true);
        if pod.at(&["metadata", "annotations", "kubernetes.io/config.mirror"]).is_some() {
            Some(Reason::MirrorPod)
        } else if self.guards.host_network == Guard::Skip && is_true("hostNetwork") {
            Some(Reason::HostNetwork)
        } else if self.guards.host_pid == Guard::Skip && is_true("hostPID") {
            Some(Reason::HostPid)
        } else {
            None
        }
    }

    fn other_system(&self, pod: &Node<'_>) -> Option<Reason> {
        let (wanted, os) = (&self.r#match.os, operating_system(pod));
        let is_wanted = if wanted.is_empty() { os == OperatingSystem::Linux } else { wanted.contains(&os) };
        (!is_wanted).then_some(Reason::OperatingSystem)
    }

    /// The field of the document by which it is not for the pod.
    fn mismatch(&self, pod: &Node<'_>, world: &World<'_>) -> Option<&'static str> {
        let wanted = &self.r#match;
        let labels = pod.at(&["metadata", "labels"]);
        let of_pod = |key: &str| labels.and_then(|labels| labels.string_at(key));
        let of_namespace = |key: &str| world.namespace_labels.get(key).map(Cow::Borrowed);
        let accounts = world.service_account_labels.as_ref();
        let is_of_account = accounts
            .is_none_or(|labels| wanted.service_account_selector.matches(|key| labels.get(key).map(Cow::Borrowed)));
        if !wanted.pod_selector.matches(of_pod) {
            Some("match.podSelector")
        } else if !wanted.namespace_selector.matches(of_namespace) {
            Some("match.namespaceSelector")
        } else if !is_of_account {
            Some("match.serviceAccountSelector")
        } else if !wanted.owner_kinds.is_empty() && !wanted.owner_kinds.has(&owner_kind(pod)) {
            Some("match.ownerKinds")
        } else if !wanted.containers.iter().all(|name| containers(pod).any(|container| is_named(container, name))) {
            Some("match.containers")
        } else if !wanted.volumes.iter().all(|name| spec_list(pod, "volumes").any(|volume| is_named(volume, name))) {
            Some("match.volumes")
        } else if !wanted.resources.iter().all(|name| containers(pod).any(|container| asks_for(container, name))) {
            Some("match.resources")
        } else {
            None
        }
    }

    fn always(&self, pod: &Node<'_>) -> Decision {
        let mut decision = Decision::new(Outcome::Applies, Reason::Always, "pod");
        if let Some((key, Choice::No)) = self.label_choice(pod).or_else(|| self.annotation_choice(pod)) {
            decision.warning = Some((Reason::OptOutIgnored, key.to_owned()));
        }
        decision
    }

    fn chosen(&self, pod: &Node<'_>, world: &World<'_>) -> Decision {
        let (label, annotation) = (self.label_choice(pod), self.annotation_choice(pod));
        let by_pod = match (label, annotation) {
            (Some(label), _) => Some((label, Reason::PodLabel)),
            (None, annotation) => annotation.map(|choice| (choice, Reason::PodAnnotation)),
        };
        let by_namespace = || self.namespace_choice(world).map(|choice| (choice, Reason::NamespaceLabel));
        let Some(((key, choice), row)) = by_pod.or_else(by_namespace) else {
            return match self.mode {
                Mode::OptOut => Decision::new(Outcome::Applies, Reason::InByDefault, "pod"),
                _ if self.enablement.names_nothing() => Decision::new(
                    Outcome::Passes,
                    Reason::OptedOutByDefault,
                    "pod, as enablement names no label to ask by",
                ),
                _ => Decision::passes(Reason::OptedOutByDefault),
            };
        };
        let mut decision = match choice {
            Choice::Yes => Decision::new(Outcome::Applies, row, key),
            Choice::No if row == Reason::NamespaceLabel => Decision::new(Outcome::Passes, Reason::NamespaceOptOut, key),
            Choice::No => Decision::new(Outcome::Passes, Reason::PodOptOut, key),
            Choice::Invalid => return self.invalid(key),
        };
        if let (Some((_, label)), Some((_, annotation))) = (label, annotation)
            && label != annotation
        {
            decision.warning = Some((Reason::LabelAnnotationDisagree, key.to_owned()));
        }
        decision
    }

    fn invalid(&self, key: &str) -> Decision {
        match self.enablement.on_invalid {
            OnInvalid::Deny => Decision::new(Outcome::Denies, Reason::InvalidChoice, key),
            OnInvalid::SkipWithWarning => Decision {
                warning: Some((Reason::InvalidChoice, key.to_owned())),
                ..Decision::new(Outcome::Passes, Reason::InvalidChoice, key)
            },
        }
    }

    fn label_choice(&self, pod: &Node<'_>) -> Option<(&str, Choice)> {
        choice(&self.enablement.pod_labels, |key| pod.at(&["metadata", "labels", key])?.string())
    }

    fn annotation_choice(&self, pod: &Node<'_>) -> Option<(&str, Choice)> {
        choice(&self.enablement.pod_annotations, |key| pod.at(&["metadata", "annotations", key])?.string())
    }

    fn namespace_choice(&self, world: &World<'_>) -> Option<(&str, Choice)> {
        choice(&self.enablement.namespace_labels, |key| world.namespace_labels.get(key).map(Cow::Borrowed))
    }

    /// What of this a namespace settles for all its pods; see [`Relevance`].
    pub fn relevance<'l>(&self, namespace_label: impl Fn(&str) -> Option<&'l str>) -> Relevance<'_> {
        let value = |key: &str| namespace_label(key).map(Cow::Borrowed);
        if self.mode == Mode::Disabled || !self.r#match.namespace_selector.matches(value) {
            return Relevance::Never;
        }
        if let Some((key, value)) = self.r#match.pod_selector.match_labels.iter().next() {
            return Relevance::WithLabel(key, value);
        }
        let choice = choice(&self.enablement.namespace_labels, value);
        match (self.mode, choice) {
            (Mode::OptIn, None | Some((_, Choice::No))) => Relevance::WithAnyKey(&self.enablement),
            _ => Relevance::Always,
        }
    }
}

/// Which pods of a namespace a document can possibly be for: everything else about it need not be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relevance<'s> {
    Never,
    /// Pods with this label.
    WithLabel(&'s str, &'s str),
    /// Pods with one of these label or annotation keys.
    WithAnyKey(&'s Enablement),
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Yes,
    No,
    Invalid,
}

/// The first key that has a value, and what that says. An empty value is one.
fn choice<'k, 'v>(keys: &'k [String], value: impl Fn(&str) -> Option<Cow<'v, str>>) -> Option<(&'k str, Choice)> {
    keys.iter().find_map(|key| {
        let choice = match &*value(key)? {
            "true" => Choice::Yes,
            "false" => Choice::No,
            _ => Choice::Invalid,
        };
        Some((key.as_str(), choice))
    })
}

impl LabelSelector {
    /// Whether it selects what has these labels.
    pub fn matches<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> bool {
        self.match_labels.iter().all(|(key, wanted)| value(key).is_some_and(|value| value == wanted.as_str()))
            && self.match_expressions.iter().all(|requirement| requirement.holds(value(&requirement.key).as_deref()))
    }
}

impl Requirement {
    /// As `metav1.LabelSelector` has it: what has no such label is in none of the values, and so `NotIn`.
    fn holds(&self, value: Option<&str>) -> bool {
        let is_listed = || value.is_some_and(|value| self.values.iter().any(|listed| listed == value));
        match self.operator {
            SelectorOperator::In => is_listed(),
            SelectorOperator::NotIn => !is_listed(),
            SelectorOperator::Exists => value.is_some(),
            SelectorOperator::DoesNotExist => value.is_none(),
        }
    }
}

impl Names {
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Whether this name is in.
    pub fn has(&self, name: &str) -> bool {
        let is_among = |patterns: &[String]| patterns.iter().any(|pattern| is_like(pattern, name));
        (self.include.is_empty() || is_among(&self.include)) && !is_among(&self.exclude)
    }
}

/// Whether a name is as the pattern says, in which `*` stands for any text.
pub fn is_like(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let after_pieces = pieces.try_fold(rest, |rest, piece| rest.split_once(piece).map(|(_, rest)| rest));
    after_pieces.is_some_and(|rest| rest.ends_with(last))
}

/// As the pod says, or as the label of the nodes that it selects says.
pub fn operating_system(pod: &Node<'_>) -> OperatingSystem {
    let by_field = pod.at(&["spec", "os", "name"]).and_then(Node::string);
    let by_selector = || pod.at(&["spec", "nodeSelector", "kubernetes.io/os"]).and_then(Node::string);
    match by_field.or_else(by_selector).as_deref() {
        Some("windows") => OperatingSystem::Windows,
        _ => OperatingSystem::Linux,
    }
}

/// The kind of the pod's controller; `Pod` if it has none.
pub fn owner_kind<'p>(pod: &'p Node<'_>) -> Cow<'p, str> {
    owner(pod).map_or(Cow::Borrowed("Pod"), Controller::kind)
}

/// The owner reference of a pod's controller: its JSON, of which little is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Controller<'p>(&'p str);

impl<'p> Controller<'p> {
    /// The one among these owner references, which are JSON; none if there is none.
    pub fn among(references: &'p str) -> Option<Self> {
        let mut found = None;
        let were_read = Cursor::new(references).elements(|cursor| {
            let reference = cursor.value()?;
            if found.is_none() && member(reference, "controller") == Some("true") {
                found = Some(Self(reference));
            }
            Ok(())
        });
        were_read.ok().and(found)
    }

    pub fn api_version(self) -> Cow<'p, str> {
        self.text("apiVersion")
    }

    pub fn kind(self) -> Cow<'p, str> {
        self.text("kind")
    }

    pub fn name(self) -> Cow<'p, str> {
        self.text("name")
    }

    pub fn uid(self) -> Cow<'p, str> {
        self.text("uid")
    }

    /// What is no text is empty: the API server lets none such in.
    fn text(self, field: &str) -> Cow<'p, str> {
        member(self.0, field).and_then(unquoted).unwrap_or_default()
    }
}

/// The owner reference of the pod's controller.
pub fn owner<'p>(pod: &'p Node<'_>) -> Option<Controller<'p>> {
    // Nobody edits them.
    Controller::among(pod.at(&["metadata", "ownerReferences"])?.came_as())
}

/// Init containers, then containers.
pub fn containers<'p, 'a>(pod: &'p Node<'a>) -> impl Iterator<Item = &'p Node<'a>> {
    spec_list(pod, "initContainers").chain(spec_list(pod, "containers"))
}

fn spec_list<'p, 'a>(pod: &'p Node<'a>, list: &'static str) -> impl Iterator<Item = &'p Node<'a>> {
    pod.get("spec").into_iter().flat_map(move |spec| spec.list(list))
}

/// Whether an object has this name.
pub fn is_named(object: &Node<'_>, name: &str) -> bool {
    object.string_at("name").is_some_and(|found| found == name)
}

fn asks_for(container: &Node<'_>, resource: &str) -> bool {
    ["requests", "limits"].iter().any(|side| container.at(&["resources", side, resource]).is_some())
}

impl Decision {
    /// How much the row itself matters to the user.
    pub fn weight(&self) -> Weight {
        match self.outcome {
            Outcome::Denies => Weight::Denied,
            Outcome::Applies | Outcome::Passes => Weight::Detail,
        }
    }
}
