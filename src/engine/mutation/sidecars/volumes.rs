//! Volumes: one that is there and means the same is used, another one of the name is a conflict.

use serde_json::Value;

use super::super::document::{NameConflict, OnConflict};
use super::super::plan::{Conflict, Reason};
use super::super::tree::Node;
use super::super::written::quoted;
use super::claim::Part;
use super::digest::digest;
use super::meaning::is_same;
use super::parts::Volume;
use super::work::Work;

/// How many other names are tried; more than a few take somebody who means it.
const MOST_NAMES: u64 = 8;

impl<'a> Work<'a, '_> {
    pub(super) fn add_volumes(&mut self) -> Result<(), Conflict> {
        let parts = self.parts;
        for volume in &parts.volumes {
            let Some((_, present)) = self.volume(&volume.name) else {
                self.push_volume(volume, &volume.name);
                continue;
            };
            if is_same(&present, &volume.value) {
                self.keep_part(Part::Volume(&volume.name));
                self.reserved.volumes.push(volume.name.clone());
            } else if self.is_former(volume, &present) {
                self.replace_volume(volume, &present);
            } else {
                self.settle_taken_name(volume)?;
            }
        }
        Ok(())
    }

    /// The volume of this name, and its place.
    pub(super) fn volume(&self, name: &str) -> Option<(usize, Value)> {
        let mut volumes = self.plan.pod.get("spec")?.list("volumes").enumerate();
        let (index, volume) =
            volumes.find(|(_, volume)| volume.string_at("name").is_some_and(|found| found == name))?;
        Some((index, serde_json::from_str(&volume.to_json()).ok()?))
    }

    fn push_volume(&mut self, volume: &'a Volume, name: &str) {
        let mut node = Node::new(volume.json.as_str());
        if name != volume.name {
            node.set("name", quoted(name));
        }
        if let Some(volumes) = self.spec().and_then(|spec| spec.member("volumes")) {
            let end = volumes.items().count();
            volumes.insert_node(end, node);
        }
        self.record_part(Part::Volume(name));
        self.reserved.volumes.push(name.to_owned());
    }

    /// Whether a volume of our name is one that the document used to add, and not one that another document needs.
    fn is_former(&self, volume: &Volume, present: &Value) -> bool {
        if self.reserved.volumes.contains(&volume.name) {
            return false;
        }
        let is_claimed = self.claim.has(Part::Volume(&volume.name)) && sources(present).eq(sources(&volume.value));
        let mut others = self.injection.revisions.iter().filter_map(|revision| revision.parts.volume(&volume.name));
        is_claimed || others.any(|other| is_same(&other.value, present))
    }

    fn replace_volume(&mut self, volume: &Volume, present: &Value) {
        let Some((index, _)) = self.volume(&volume.name) else { return };
        let node = self.spec().and_then(|spec| spec.member("volumes")?.item(index));
        if let Some(node) = node {
            for source in sources(present).filter(|source| volume.value.get(source).is_none()) {
                node.remove(source);
            }
            for source in sources(&volume.value) {
                let value = volume.value.get(source).map(Value::to_string).unwrap_or_default();
                node.set(source.to_owned(), value);
            }
        }
        self.record_part(Part::Volume(&volume.name));
        self.reserved.volumes.push(volume.name.clone());
    }

    fn settle_taken_name(&mut self, volume: &'a Volume) -> Result<(), Conflict> {
        let about = format!("volume {:?}", volume.name);
        let how = match self.injection.conflicts.volume_name {
            NameConflict::Rename => return self.rename_volume(volume, about),
            NameConflict::Skip => OnConflict::Skip,
            NameConflict::Deny | NameConflict::MergeAuto => OnConflict::Deny,
        };
        self.conflict(how, Reason::VolumeNameTaken, about)
    }

    fn rename_volume(&mut self, volume: &'a Volume, about: String) -> Result<(), Conflict> {
        for attempt in 0..MOST_NAMES {
            let name = other_name(&self.injection.name, &volume.name, attempt);
            match self.volume(&name) {
                None => self.push_volume(volume, &name),
                Some((_, mut present)) => {
                    if let Some(found) = present.get_mut("name") {
                        *found = Value::String(volume.name.clone());
                    }
                    if !is_same(&present, &volume.value) {
                        continue;
                    }
                    self.keep_part(Part::Volume(&name));
                    self.reserved.volumes.push(name.clone());
                }
            }
            self.volumes.insert(&volume.name, name);
            return Ok(());
        }
        self.conflict(OnConflict::Deny, Reason::VolumeNameTaken, about)
    }

    /// The name that a volume of the document's has in this pod.
    pub(super) fn volume_name<'n>(&'n self, name: &'n str) -> &'n str {
        self.volumes.get(name).map_or(name, String::as_str)
    }
}

/// Everything of a volume but its name, by key.
fn sources(volume: &Value) -> impl Iterator<Item = &String> {
    let members = volume.as_object().into_iter().flatten();
    members.map(|(key, _)| key).filter(|key| *key != "name")
}

/// Follows from the document's name and the volume's; at most 63 characters.
fn other_name(document: &str, volume: &str, attempt: u64) -> String {
    let end = format!("{:08x}", digest([document, volume, &attempt.to_string()]) & 0xffff_ffff);
    let stem: String = volume.chars().take(63 - 1 - end.len()).collect();
    format!("{}-{end}", stem.trim_end_matches('-'))
}
