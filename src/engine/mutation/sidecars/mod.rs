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
mod meaning;
mod order;
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

use super::document::{Conflicts, NameConflict, OverrideTarget};
use super::plan::{Conflict, Plan};
use super::tree::Node;
use claim::{Claims, Part};
use overrides::{Field, Overrides};
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

    /// Whether it edits containers that other documents add.
    pub(super) fn edits_injected(&self) -> bool {
        let mut patches = self.revisions.iter().flat_map(|revision| &revision.parts.patches);
        patches.any(|patch| patch.select.injected)
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
        let names_item = |field: &Field| field.container == item.name && field.target == OverrideTarget::Image;
        let has_image_override = self.overrides.iter().any(|overrides| overrides.fields.iter().any(names_item));
        let is_completed =
            Claims::of(pod).claim(&self.name).is_some_and(|claim| claim.has(Part::Completed(&item.name)));
        let may_be_merged = self.conflicts.container_name == NameConflict::MergeAuto && is_completed;
        present::is_there(item, pod, has_image_override, may_be_merged)
    }
}

#[cfg(test)]
mod tests;
