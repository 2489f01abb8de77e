//! What a SidecarInjection does to one pod: containers, volumes, edits to the app's containers, probes, the pod itself.
//!
//! Whatever a document asks for is computed anew each time from the pod without our parts, and held against what is there: a pod
//! that has it all gets no edit. What an annotation claims is a hint for tidying up, never proof of anything.

mod claim;
mod clash;
mod compile;
mod complete;
mod containers;
mod demands;
mod derived;
mod digest;
mod environment;
mod former;
mod grown;
mod image;
mod meaning;
mod obstacle;
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
mod proof;
mod render;
mod revision;
mod rights;
mod stale;
mod uninject;
mod volumes;
mod work;

use super::document::Conflicts;
use super::plan::{Conflict, Demands, Plan};
use image::Mirrors;
use overrides::Overrides;
use revision::{Revision, Revisions};
use work::Work;

/// What the containers of several documents demand of each other's places in a pod.
pub(super) fn demands<'i>(injections: impl Iterator<Item = &'i Injection>, plan: &Plan<'_>) -> Vec<Demands> {
    demands::demands(injections, plan)
}

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
    pub(super) fn own_names(&self) -> impl Iterator<Item = &str> {
        let names = || self.revisions.iter().flat_map(|revision| &revision.parts.items).map(|item| item.name.as_str());
        names()
            .enumerate()
            .filter(move |(place, name)| !names().take(*place).any(|earlier| earlier == *name))
            .map(|(_, name)| name)
    }

    /// The names of all volumes that any revision adds.
    pub(super) fn own_volumes(&self) -> impl Iterator<Item = &str> {
        let volumes = self.revisions.iter().flat_map(|revision| &revision.parts.volumes);
        volumes.map(|volume| volume.name.as_str())
    }

    /// The containers that it adds as they are and that violate no standard in any pod, as JSON.
    pub(super) fn harmless(&self) -> impl Iterator<Item = &str> {
        let items = self.revisions.iter().flat_map(|revision| &revision.parts.items).filter(|item| item.is_harmless);
        items.map(|item| item.json.as_str())
    }

    /// The keys of the annotations of namespaces that it reads.
    pub(super) fn namespace_annotations(&self) -> impl Iterator<Item = Box<str>> {
        let mut items = self.revisions.iter().flat_map(|revision| &revision.parts.items);
        items.any(|item| item.takes_user_of_namespace).then(|| render::UID_RANGE.into()).into_iter()
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
        work.read_overrides()?;
        work.clear_former_pod_parts();
        work.add_labels();
        work.check_rights()?;
        work.choose_lists()?;
        work.choose_ports()?;
        work.clear_stale_containers();
        work.add_volumes()?;
        work.rewrite_probes();
        work.add_containers()?;
        work.clear_former_edits();
        work.patch_containers()?;
        work.clear_stale_edits();
        work.clear_stale_volumes();
        work.finish_pod();
        work.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
