//! Containers of ours that are there already: knowing them again, and bringing them up to date with the fewest edits.
//!
//! A container is ours by its name and by what it does, not because an annotation says so. What the API server, the service account
//! plugin, LimitRanger, autoscalers and other injectors are known to change in it is left as they have it.

use serde_json::{Map, Value};

use super::super::tree::Node;
use super::claim::{Claim, Part};
use super::environment::merge_variables;
use super::meaning::{is_default, is_same_amount, is_same_at};
use super::parts::{Item, Kind, Parts, normalised};
use super::work::List;

/// Fields that are not looked at to know a container again: others set them for good reasons, or they are merged.
const LEFT_TO_OTHERS: [&str; 8] = [
    "env",
    "imagePullPolicy",
    "name",
    "resources",
    "restartPolicy",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "volumeMounts",
];
/// Fields that other injectors rewrite in every container.
const REWRITTEN_BY_OTHERS: [&str; 4] = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"];
/// Fields that make of a container another one if they are there and ours has none.
const TELLING: [&str; 13] = [
    "args",
    "command",
    "envFrom",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "securityContext",
    "startupProbe",
    "stdin",
    "tty",
    "volumeDevices",
    "workingDir",
];

/// What a container of our name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Ours,
    /// Ours, as the document had it once.
    Former,
    /// The pod's own, to be completed by ours.
    Auto,
    Foreign,
}

pub(super) fn standing<'i>(
    present: &Node<'_>,
    desired: &Node<'_>,
    mut revisions: impl Iterator<Item = &'i Item>,
    is_claimed: bool,
) -> Standing {
    let (Some(found), Some(wanted)) = (value(present), value(desired)) else { return Standing::Foreign };
    // Others put their own registry before every image: what was ours is made ours again, and they do so again when they are asked again.
    let has_our_image = || last_segment(&found).is_some() && last_segment(&found) == last_segment(&wanted);
    if is_like(&found, &wanted) {
        Standing::Ours
    } else if (is_claimed && has_our_image()) || revisions.any(|item| is_former(&found, item)) {
        Standing::Former
    } else {
        Standing::Foreign
    }
}

fn is_former(found: &Map<String, Value>, item: &Item) -> bool {
    item.value.as_object().is_some_and(|wanted| is_like(found, wanted))
}

/// Whether a finished pod has a container of this name that still does what ours does. What is not looked at may rightly differ from
/// pod to pod: ports, probes, users, resources.
pub(super) fn is_there(item: &Item, pod: &Node<'_>, may_have_other_image: bool, may_be_merged: bool) -> bool {
    let Some(spec) = pod.get("spec") else { return false };
    let is_named = |container: &&Node<'_>| container.string_at("name").is_some_and(|name| name == item.name);
    let mut lists = List::BOTH.into_iter();
    let found = lists.find_map(|list| Some((list, spec.list(list.field()).find(is_named)?)));
    let Some((list, found)) = found else { return false };
    // Some webhooks drop fields that they do not know: what had to run beside the others then has to end before they start.
    let is_lasting = found.string_at("restartPolicy").is_some_and(|policy| policy == "Always");
    if list == List::Init && item.kind != Kind::Init && !is_lasting {
        return false;
    }
    let (Some(found), Some(wanted)) = (value(found), item.value.as_object()) else { return false };
    let is_same_field = |key: &&str| {
        let field = |container: &Map<String, Value>| container.get(*key).cloned().unwrap_or_default();
        is_same_at(key, &field(&found), &field(wanted))
    };
    let has_image = may_have_other_image || image(&found) == image(wanted);
    has_image && (may_be_merged || ["args", "command"].iter().all(is_same_field))
}

fn value(node: &Node<'_>) -> Option<Map<String, Value>> {
    serde_json::from_str(&node.to_json()).ok()
}

/// Whether a container does what ours does.
fn is_like(found: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    let is_looked_at = |key: &str| !LEFT_TO_OTHERS.contains(&key) && !REWRITTEN_BY_OTHERS.contains(&key);
    let has_fields = wanted.iter().filter(|(key, _)| is_looked_at(key)).all(|(key, value)| match found.get(key) {
        Some(present) => is_same_at(key, value, present),
        None => is_default(key, value),
    });
    let has_more = TELLING
        .iter()
        .any(|key| !wanted.contains_key(*key) && found.get(*key).is_some_and(|value| !is_default(key, value)));
    has_fields
        && !has_more
        && has_all(found, wanted, "env", "name")
        && has_all(found, wanted, "volumeMounts", "mountPath")
}

/// Whether every element of the list that is wanted is there, by its key.
fn has_all(found: &Map<String, Value>, wanted: &Map<String, Value>, list: &str, key: &str) -> bool {
    let keys = |container: &Map<String, Value>| {
        let elements = container.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        elements.iter().filter_map(|element| element.get(key)?.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let there = keys(found);
    keys(wanted).iter().all(|wanted| there.contains(wanted))
}

/// An image without its tag and digest.
fn image(container: &Map<String, Value>) -> Option<&str> {
    let image = container.get("image")?.as_str()?;
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Some(name),
        _ => Some(image),
    }
}

/// The last part of an image's name, which stays the same in every registry.
fn last_segment(container: &Map<String, Value>) -> Option<&str> {
    image(container)?.rsplit('/').next()
}

/// How a container of ours is brought up to date.
pub(super) struct Update<'c> {
    /// The resources that it is to have; as they are if there are none.
    pub(super) resources: Option<&'c str>,
    /// Whether probes stay as somebody else has rewritten them.
    pub(super) keeps_probes: bool,
    pub(super) claim: &'c Claim,
    /// What the revision adds: its edits to containers of ours stay in them.
    pub(super) parts: &'c Parts,
}

impl Update<'_> {
    pub(super) fn bring_up<'a>(&self, present: &mut Node<'a>, desired: &Node<'a>) {
        let (Some(found), Some(wanted)) = (value(present), value(desired)) else { return };
        for (key, value) in &wanted {
            let is_rewritten = REWRITTEN_BY_OTHERS.contains(&key.as_str()) && self.keeps_probes;
            let is_merged = matches!(key.as_str(), "env" | "volumeMounts" | "resources" | "imagePullPolicy");
            let is_there = found.get(key).map_or_else(|| is_default(key, value), |there| is_same_at(key, value, there));
            if !is_there && !is_merged && (!is_rewritten || !found.contains_key(key)) {
                present.set(key, value.to_string());
            }
        }
        let is_more = |key: &&&str| !wanted.contains_key(**key) && found.contains_key(**key);
        for key in TELLING.iter().filter(is_more).filter(|key| found.get(**key).is_some_and(|v| !is_default(key, v))) {
            present.remove(key);
        }
        self.remove_former(present, desired);
        merge_variables(present, desired);
        merge_mounts(present, desired);
        if let Some(Ok(Value::Object(wanted))) = self.resources.map(serde_json::from_str) {
            set_resources(present, &found, &wanted);
        }
    }

    /// Takes away what an earlier revision had and this one has not.
    fn remove_former(&self, present: &mut Node<'_>, desired: &Node<'_>) {
        let name = desired.string_at("name").unwrap_or_default().into_owned();
        for (list, key) in [("env", "name"), ("volumeMounts", "mountPath")] {
            let is_former = |element: &Node<'_>| {
                let Some(text) = element.string_at(key) else { return false };
                let part = if list == "env" { Part::Variable(&name, &text) } else { Part::Mount(&name, &text) };
                self.claim.has(part)
                    && !self.parts.edits_ours(list, &text)
                    && !desired.list(list).any(|wanted| wanted.string_at(key).is_some_and(|wanted| wanted == text))
            };
            let former: Vec<usize> =
                present.list(list).enumerate().filter(|(_, element)| is_former(element)).map(|(at, _)| at).collect();
            for place in former.into_iter().rev() {
                present.member(list).and_then(|elements| elements.take_item(place));
            }
        }
    }
}

/// Mounts what is not mounted yet; what else is mounted stays.
fn merge_mounts<'a>(present: &mut Node<'a>, desired: &Node<'a>) {
    let path = |mount: &Node<'_>| normalised(&mount.string_at("mountPath").unwrap_or_default());
    for mount in desired.list("volumeMounts") {
        let place = present.list("volumeMounts").position(|found| path(found) == path(mount));
        let Some(mounts) = present.member("volumeMounts") else { return };
        match place.and_then(|place| mounts.item(place)) {
            None => drop(mounts.push(mount.to_json().into_owned())),
            Some(found) => set_members(found, mount),
        }
    }
}

fn set_members(found: &mut Node<'_>, wanted: &Node<'_>) {
    let (Some(there), Some(values)) = (value(found), value(wanted)) else { return };
    for (key, value) in values.iter().filter(|(key, _)| *key != "mountPath") {
        if !there.get(key).map_or_else(|| is_default(key, value), |there| is_same_at(key, value, there)) {
            found.set(key, value.to_string());
        }
    }
}

/// Sets amounts that differ; those of other resources stay, such as LimitRanger's.
fn set_resources(present: &mut Node<'_>, found: &Map<String, Value>, wanted: &Map<String, Value>) {
    for side in ["requests", "limits"] {
        let amounts = wanted.get(side).and_then(Value::as_object);
        for (resource, amount) in amounts.into_iter().flatten() {
            let there = found.get("resources").and_then(|resources| resources.get(side)?.get(resource));
            if !there.is_some_and(|there| is_same_amount(there, amount))
                && let Some(amounts) = present.within(&["resources", side])
            {
                amounts.set(resource, amount.to_string());
            }
        }
    }
}
