//! What a SidecarInjection does to one pod: containers, volumes, edits to the app's containers, probes, the pod itself.
//!
//! Whatever a document asks for is computed anew each time from the pod without our parts, and held against what is there: a pod
//! that has it all gets no edit. What an annotation claims is a hint for tidying up, never proof of anything.

mod claim;
mod compile;
mod containers;
mod derived;
mod digest;
mod environment;
mod image;
mod meaning;
mod order;
mod others;
mod overrides;
mod owner;
mod parts;
mod patches;
mod placement;
mod pod_parts;
mod ports;
mod present;
mod probes;
mod render;
mod revision;
mod rights;
mod stale;
mod uninject;
mod volumes;
mod work;

use serde_json::Value;

use super::document::{Conflicts, NameConflict, OverrideTarget};
use super::plan::{Conflict, Plan};
use super::tree::Node;
use claim::{Claims, Part};
use image::{Likeness, Mirrors};
use overrides::Overrides;
use parts::Item;
use revision::{Revision, Revisions};
use work::Work;

/// A compiled SidecarInjection.
#[derive(Debug)]
pub(super) struct Injection {
    name: String,
    /// Kind and name, as notes have it.
    title: String,
    conflicts: Conflicts,
    mirrors: Mirrors,
    overrides: Option<Overrides>,
    /// Never empty.
    revisions: Vec<Revision>,
    by: Revisions,
}

impl Injection {
    /// The names of all containers that any revision adds.
    pub(super) fn own_names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for item in self.revisions.iter().flat_map(|revision| &revision.parts.items) {
            if !names.contains(&item.name) {
                names.push(item.name.clone());
            }
        }
        names
    }

    /// Plans everything that the document adds to the pod.
    ///
    /// # Errors
    /// A conflict that the document wants the pod refused or left alone for; what was planned by then is to be taken back.
    pub(super) fn apply<'a>(&'a self, plan: &mut Plan<'a>) -> Result<(), Conflict> {
        let Some(mut work) = Work::begin(self, plan) else { return Ok(()) };
        work.add_labels();
        work.read_overrides()?;
        work.check_rights()?;
        work.choose_lists()?;
        work.choose_ports()?;
        work.clear_stale_containers();
        work.add_volumes()?;
        work.rewrite_probes();
        work.add_containers()?;
        work.patch_containers()?;
        work.clear_stale_edits();
        work.clear_stale_volumes();
        work.finish_pod();
        work.finish();
        Ok(())
    }

    /// What the document adds and a finished pod lacks, such as `container "mesh-proxy"`: any of its revisions will do. Empty if
    /// the pod has it all.
    pub(super) fn missing(&self, pod: &Node<'_>) -> Vec<String> {
        let by_revision = self.revisions.iter().map(|revision| {
            let missing = revision.parts.items.iter().filter(|item| !self.is_there(item, pod));
            missing.map(|item| format!("container {:?}", item.name)).collect::<Vec<_>>()
        });
        by_revision.min_by_key(Vec::len).unwrap_or_default()
    }

    fn is_there(&self, item: &Item, pod: &Node<'_>) -> bool {
        let Some(container) = present::find(pod, &item.name) else { return false };
        let is_completed =
            Claims::of(pod).claim(&self.name).is_some_and(|claim| claim.has(Part::Completed(&item.name)));
        let may_be_merged = self.conflicts.container_name == NameConflict::MergeAuto && is_completed;
        self.has_image(item, container)
            && present::keeps_running(item, container, pod)
            && (may_be_merged || present::is_told_the_same(item, container))
    }

    /// Whether the container runs our image, of whatever version, or one that an override allows.
    fn has_image(&self, item: &Item, container: &Node<'_>) -> bool {
        let found = container.string_at("image").unwrap_or_default();
        let wanted = item.value.get("image").and_then(Value::as_str).unwrap_or_default();
        let mut rules = self
            .overrides
            .iter()
            .flat_map(|overrides| &overrides.fields)
            .filter(|field| field.container == item.name && field.target == OverrideTarget::Image);
        self.mirrors.likeness(&found, wanted) != Likeness::Other
            || rules.any(|field| self.mirrors.is_allowed(&found, wanted, &field.rule))
    }
}

#[cfg(test)]
mod tests;
