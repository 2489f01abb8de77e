//! Tidies up after an earlier revision: a pod that is made from a copy of an injected one comes with its parts.
//!
//! A part goes only if the annotation lists it and it is what a revision of the document renders (a container), or if nothing uses
//! it any more (a volume). An annotation that lists anything else is a claim that nobody follows.

use super::super::plan::{Reason, Weight};
use super::super::tree::Node;
use super::meaning::is_same;
use super::present::{Standing, standing};
use super::work::{List, Work};

impl Work<'_, '_> {
    pub(super) fn clear_stale_containers(&mut self) {
        let parts = self.parts;
        for name in self.claimed("c/") {
            if parts.item(&name).is_some() {
                continue;
            }
            let Some((list, place)) = List::BOTH.into_iter().find_map(|list| Some((list, self.place_of(list, &name)?)))
            else {
                continue;
            };
            if self.is_former_container(list, place, &name) {
                if let Some(containers) = self.list(list) {
                    containers.take_item(place);
                }
            } else {
                self.note(Reason::StaleClaimIgnored, Weight::Warning, format!("container {name:?}"));
            }
        }
    }

    fn is_former_container(&self, list: List, place: usize, name: &str) -> bool {
        let Some(container) = self.plan.pod.get("spec").and_then(|spec| spec.list(list.field()).nth(place)) else {
            return false;
        };
        let items = self.injection.revisions.iter().filter_map(|revision| revision.parts.item(name));
        items.into_iter().any(|item| {
            let former = Node::new(item.json.as_str());
            standing(container, &former, std::iter::empty(), true, &self.injection.mirrors) != Standing::Foreign
        })
    }

    pub(super) fn clear_stale_volumes(&mut self) {
        let parts = self.parts;
        for name in self.claimed("v/") {
            let is_wanted = parts.volumes.iter().any(|volume| self.volume_name(&volume.name) == name);
            let Some((place, present)) = self.volume(&name).filter(|_| !is_wanted) else { continue };
            let mut others = self.injection.revisions.iter().filter_map(|revision| revision.parts.volume(&name));
            let is_former = others.any(|other| is_same(&other.value, &present));
            if is_used(&self.plan.pod, &name) {
                if !is_former {
                    self.note(Reason::StaleClaimIgnored, Weight::Warning, format!("volume {name:?}"));
                }
            } else if let Some(volumes) = self.spec().and_then(|spec| spec.member("volumes")) {
                volumes.take_item(place);
                self.unmark_safe_to_evict(&name);
            }
        }
    }

    /// Mounts and variables that an earlier revision put into the pod's containers go if they are what that revision renders.
    pub(super) fn clear_stale_edits(&mut self) {
        let stale: Vec<String> =
            self.claim.parts.iter().filter(|part| !self.record.parts.contains(part)).cloned().collect();
        for part in stale {
            let mut words = part.splitn(3, '/');
            let (Some(letter), Some(container), Some(name)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let list = match letter {
                "e" => "env",
                "t" => "volumeMounts",
                _ => continue,
            };
            self.clear_stale_edit(list, container, name);
        }
    }

    fn clear_stale_edit(&mut self, list: &str, container: &str, name: &str) {
        let key = if list == "env" { "name" } else { "mountPath" };
        let Some((at, place)) = List::BOTH.into_iter().find_map(|at| Some((at, self.place_of(at, container)?))) else {
            return;
        };
        let revisions = &self.injection.revisions;
        let found = self.plan.pod.get("spec").and_then(|spec| {
            let mut elements = spec.list(at.field()).nth(place)?.list(list).enumerate();
            let (index, element) = elements.find(|(_, element)| is_text(element, key, name))?;
            Some((index, revisions.iter().any(|revision| revision.renders(list, name, element))))
        });
        let Some((index, is_former)) = found else { return };
        if !is_former {
            self.note(Reason::StaleClaimIgnored, Weight::Warning, format!("{name} of container {container:?}"));
        } else if let Some(elements) = self.list(at).and_then(|containers| containers.item(place)?.member(list)) {
            elements.take_item(index);
        }
    }
}

/// Whether any container has this volume.
pub(super) fn is_used(pod: &Node<'_>, volume: &str) -> bool {
    let Some(spec) = pod.get("spec") else { return false };
    let lists = ["initContainers", "containers", "ephemeralContainers"].into_iter();
    let containers = lists.flat_map(|list| spec.list(list));
    let mut uses =
        containers.flat_map(|container| container.list("volumeMounts").chain(container.list("volumeDevices")));
    uses.any(|used| is_text(used, "name", volume))
}

fn is_text(object: &Node<'_>, key: &str, text: &str) -> bool {
    object.string_at(key).is_some_and(|found| found == text)
}
