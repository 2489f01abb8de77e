//! Which revision a pod has: the one that it or its namespace names, else the one that it was given earlier in the same admission,
//! else one by weight, the same for all pods of a workload.

use super::super::document::StickyBy;
use super::super::plan::{Plan, Reason, Weight};
use super::super::tree::Node;
use super::claim::Claim;
use super::digest::digest;
use super::parts::{Parts, normalised};
use super::{Injection, owner};

/// A version of a document's parts.
#[derive(Debug)]
pub(super) struct Revision {
    /// Empty for a document without revisions.
    pub(super) name: String,
    /// In percent of workloads.
    pub(super) weight: u8,
    pub(super) parts: Parts,
    /// Of what it renders.
    pub(super) digest: String,
}

impl Revision {
    /// Whether an element of a container's `env` or `volumeMounts` is one that this revision puts into the pod's containers.
    pub(super) fn renders(&self, list: &str, name: &str, element: &Node<'_>) -> bool {
        if list == "env" {
            let mut variables = self.parts.patches.iter().flat_map(|patch| &patch.env);
            return variables.any(|variable| variable.name == name && variable.value.may_be(element));
        }
        let mut mounts = self.parts.patches.iter().flat_map(|patch| &patch.mounts);
        mounts.any(|mount| {
            let volume = element.string_at("name").unwrap_or_default();
            let is_renamed = || volume.starts_with(mount.volume.as_str());
            mount.path == normalised(name) && (volume == mount.volume || is_renamed())
        })
    }
}

/// How one of them is chosen.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// The place of the default among the revisions.
    pub(super) default: usize,
    pub(super) label: Option<String>,
    pub(super) sticky_by: StickyBy,
}

impl Injection {
    /// The revision for this pod; `claim` is what the pod's annotation says. One that is asked for and not there is warned of.
    pub(super) fn revision<'a>(&'a self, plan: &mut Plan<'a>, claim: &Claim) -> Option<&'a Revision> {
        if let Some(label) = &self.by.label
            && let Some(name) = named(label, plan)
            && self.find(&name).is_none()
        {
            plan.note(&self.title, Reason::UnknownRevision, Weight::Warning, format!("label {label:?}"));
        }
        self.chosen(plan, claim)
    }

    /// The same without a word.
    pub(super) fn chosen(&self, plan: &Plan<'_>, claim: &Claim) -> Option<&Revision> {
        if let [only] = self.revisions.as_slice() {
            return Some(only);
        }
        let by_label = self.by.label.as_ref().and_then(|label| self.find(&named(label, plan)?));
        let pinned = claim.is_of_this_admission.then_some(&claim.revision);
        // One that nobody is given any more is what a copy had, not what this admission chose.
        let pinned = by_label.or_else(|| self.find(pinned?).filter(|revision| self.is_given(revision)));
        pinned.or_else(|| self.by_weight(plan)).or_else(|| self.revisions.get(self.by.default))
    }

    fn find(&self, name: &str) -> Option<&Revision> {
        self.revisions.iter().find(|revision| revision.name == name)
    }

    /// Whether pods get it that do not name it.
    fn is_given(&self, revision: &Revision) -> bool {
        let default = self.revisions.get(self.by.default).map(|default| default.name.as_str());
        revision.weight > 0 || default == Some(revision.name.as_str())
    }

    fn by_weight(&self, plan: &Plan<'_>) -> Option<&Revision> {
        let [namespace, kind, name] = owner::workload(&plan.pod, plan.world);
        let texts = match self.by.sticky_by {
            StickyBy::Owner => vec![self.name.as_str(), &namespace, &kind, &name],
            StickyBy::Namespace => vec![self.name.as_str(), &namespace],
        };
        let mut place = digest(texts) % 100;
        self.revisions.iter().find(|revision| {
            let weight = u64::from(revision.weight);
            let is_here = place < weight;
            place = place.saturating_sub(weight);
            is_here
        })
    }
}

/// What the pod's label says, or else its namespace's.
fn named(label: &str, plan: &Plan<'_>) -> Option<String> {
    let by_pod = plan.pod.at(&["metadata", "labels", label]).and_then(Node::string).map(|name| name.into_owned());
    by_pod.or_else(|| plan.world.namespace_labels.get(label).map(str::to_owned))
}
