//! Proves on a finished pod that it has what a document adds.
//!
//! Asked is whether what was to be there does its work, not whether it is as we left it: others may rightly change resources, probes,
//! versions of images and values of variables. An edit of the pod's containers counts as missing where none of them has it; one that
//! came after us cannot have it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::document::{NameConflict, OverrideTarget};
use super::super::others::is_meant;
use super::super::plan::Reason;
use super::super::tree::Node;
use super::Injection;
use super::claim::{Claims, Part};
use super::image::{Likeness, undeclared_mirror};
use super::obstacle::obstacle;
use super::parts::{Item, Mount, Parts, Patch, VariableValue, normalised};
use super::present;
use super::work::List;

impl Injection {
    /// What the document adds and a finished pod lacks, such as `container "mesh-proxy"`: any of its revisions will do. Empty if
    /// the pod has it all. `own` are the names of the containers that documents add, others' too.
    pub(in crate::engine::mutation) fn missing(&self, pod: &Node<'_>, own: &[String]) -> Vec<String> {
        let own: Vec<String> = own.iter().cloned().chain(self.own_names().map(str::to_owned)).collect();
        let by_revision = self.revisions.iter().map(|revision| self.missing_of(&revision.parts, pod, &own));
        by_revision.min_by_key(Vec::len).unwrap_or_default()
    }

    /// The same as notes have it, by reason: what runs our image from a registry that the document does not declare is there, and the
    /// registry is told.
    pub(in crate::engine::mutation) fn lacking(&self, pod: &Node<'_>, own: &[String]) -> Vec<(Reason, String)> {
        let mut missing = self.missing(pod, own);
        let items = self.revisions.iter().flat_map(|revision| &revision.parts.items);
        let mut lacking = Vec::new();
        for item in items {
            let (name, registry) = (format!("container {:?}", item.name), undeclared_registry(item, pod));
            if let Some(registry) = registry.filter(|_| missing.contains(&name)) {
                missing.retain(|missing| *missing != name);
                lacking.push((Reason::ImageElsewhere, format!("{name}, registry {registry:?}")));
            }
        }
        if !missing.is_empty() {
            lacking.push((Reason::ItemMissing, missing.join(", ")));
        }
        lacking
    }

    fn missing_of(&self, parts: &Parts, pod: &Node<'_>, own: &[String]) -> Vec<String> {
        let items = parts.items.iter().filter(|item| !self.is_there(item, pod));
        let mut missing: Vec<String> = items.map(|item| format!("container {:?}", item.name)).collect();
        let may_be_renamed = self.conflicts.volume_name == NameConflict::Rename;
        let volumes: Vec<String> = pod
            .get("spec")
            .into_iter()
            .flat_map(|spec| spec.list("volumes"))
            .map(|volume| volume.string_at("name").unwrap_or_default().into_owned())
            .collect();
        for volume in &parts.volumes {
            let stem = format!("{}-", volume.name);
            let is_it = |name: &String| *name == volume.name || (may_be_renamed && name.starts_with(&stem));
            if !volumes.iter().any(is_it) {
                missing.push(format!("volume {:?}", volume.name));
            }
        }
        missing.extend(parts.patches.iter().flat_map(|patch| missing_edits(patch, pod, own)));
        missing
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
        let fields = self.overrides.iter().flat_map(|overrides| &overrides.fields);
        let mut rules = fields.filter(|field| field.container == item.name && field.target == OverrideTarget::Image);
        self.mirrors.likeness(&found, wanted) != Likeness::Other
            || rules.any(|field| self.mirrors.is_allowed(&found, wanted, &field.rule))
    }
}

/// Where the container of our name pulls our image from, if that is all that is not as it should be.
fn undeclared_registry(item: &Item, pod: &Node<'_>) -> Option<String> {
    let container = present::find(pod, &item.name)?;
    let image = container.string_at("image")?;
    let registry = undeclared_mirror(&image, item.value.get("image")?.as_str()?)?;
    let does_the_same = present::keeps_running(item, container, pod) && present::is_told_the_same(item, container);
    does_the_same.then(|| registry.to_owned())
}

/// The variables and mounts that none of the containers has that they are for.
fn missing_edits(patch: &Patch, pod: &Node<'_>, own: &[String]) -> Vec<String> {
    let Some(spec) = pod.get("spec") else { return Vec::new() };
    let select = &patch.select;
    let lists = List::BOTH.into_iter().filter(|list| *list == List::Plain || select.init_containers);
    let targets: Vec<&Node<'_>> = lists
        .flat_map(|list| spec.list(list.field()))
        .filter(|container| {
            let name = container.string_at("name").unwrap_or_default();
            if own.iter().any(|own| *own == *name) {
                select.injected && select.names.has(&name)
            } else {
                is_meant(&select.names, &name)
            }
        })
        .collect();
    if targets.is_empty() {
        return Vec::new();
    }
    let texts = |list: &'static str, key: &'static str| {
        let elements = targets.iter().flat_map(move |container| container.list(list));
        elements.filter_map(move |element| element.string_at(key).map(|text| text.into_owned()))
    };
    let there: BTreeSet<String> = texts("env", "name").collect();
    let mounted: BTreeSet<String> = texts("volumeMounts", "mountPath").map(|path| normalised(&path)).collect();
    let is_certain = |value: &VariableValue| match value {
        VariableValue::Derived(derived) => derived.default.is_some(),
        VariableValue::Literal(_) | VariableValue::Source(_) => true,
    };
    let variables = patch.env.iter().filter(|edit| is_certain(&edit.value) && !there.contains(&edit.name));
    let cannot = |mount: &Mount| targets.iter().any(|container| obstacle(pod, container, mount).is_some());
    let mounts = patch.mounts.iter().filter(|mount| !mounted.contains(&mount.path) && !cannot(mount));
    let variables = variables.map(|edit| format!("variable {:?}", edit.name));
    variables.chain(mounts.map(|mount| format!("mount {:?}", mount.path))).collect()
}
