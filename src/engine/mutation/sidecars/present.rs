//! Containers of ours that are there already: knowing them again, and bringing them up to date with the fewest edits.
//!
//! A container is ours by its name and by what it does, not because an annotation says so. What the API server, the service account
//! plugin, LimitRanger, autoscalers and other injectors are known to change in it is left as they have it.

use serde_json::{Map, Value};

use super::super::tree::Node;
use super::claim::{Claim, Part};
use super::environment::merge_variables;
use super::image::{Likeness, Mirrors, last_segment};
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

/// `revisions` are what the document calls its container in each of its revisions; `is_claimed` says whether the pod's annotation
/// lists the container.
pub(super) fn standing<'i>(
    present: &Node<'_>,
    desired: &Node<'_>,
    mut revisions: impl Iterator<Item = &'i Item>,
    is_claimed: bool,
    mirrors: &Mirrors,
) -> Standing {
    let (Some(found), Some(wanted)) = (value(present), value(desired)) else { return Standing::Foreign };
    let is_former = |item: &Item| item.value.as_object().is_some_and(|former| is_like(&found, former, mirrors));
    // Others put registries of their own before every image, and a document may move to another registry: what was ours is made ours
    // again, whole. Whoever insists on his registry does so again when he is asked again.
    let had_our_image =
        || last_segment(image(&found)).is_some() && last_segment(image(&found)) == last_segment(image(&wanted));
    if is_like(&found, &wanted, mirrors) {
        Standing::Ours
    } else if (is_claimed && had_our_image()) || revisions.any(is_former) {
        Standing::Former
    } else {
        Standing::Foreign
    }
}

/// The container of this name, in either list.
pub(super) fn find<'n, 'a>(pod: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    let spec = pod.get("spec")?;
    let mut containers = List::BOTH.into_iter().flat_map(|list| spec.list(list.field()));
    containers.find(|container| container.string_at("name").is_some_and(|found| found == name))
}

/// Whether a sidecar is still one: an init container without `restartPolicy: Always`, which webhooks with an old decoder are known to
/// drop, has to end before the app starts.
pub(super) fn keeps_running(item: &Item, container: &Node<'_>, pod: &Node<'_>) -> bool {
    let is_named = |container: &Node<'_>| container.string_at("name").is_some_and(|name| name == item.name);
    let is_init = pod.get("spec").is_some_and(|spec| spec.list(List::Init.field()).any(is_named));
    item.kind == Kind::Init || !is_init || container.string_at("restartPolicy").is_some_and(|policy| policy == "Always")
}

/// Whether a container of a finished pod is still told to do what ours does. What is not looked at may rightly differ from pod to pod:
/// ports, probes, users, resources.
pub(super) fn is_told_the_same(item: &Item, container: &Node<'_>) -> bool {
    let (Some(found), Some(wanted)) = (value(container), item.value.as_object()) else { return false };
    let field = |container: &Map<String, Value>, key: &str| container.get(key).cloned().unwrap_or_default();
    ["args", "command"].iter().all(|key| is_same_at(key, &field(&found, key), &field(wanted, key)))
}

fn value(node: &Node<'_>) -> Option<Map<String, Value>> {
    serde_json::from_str(&node.to_json()).ok()
}

/// Whether a container does what ours does.
fn is_like(found: &Map<String, Value>, wanted: &Map<String, Value>, mirrors: &Mirrors) -> bool {
    let is_looked_at =
        |key: &str| key != "image" && !LEFT_TO_OTHERS.contains(&key) && !REWRITTEN_BY_OTHERS.contains(&key);
    let has_fields = wanted.iter().filter(|(key, _)| is_looked_at(key)).all(|(key, value)| match found.get(key) {
        Some(present) => is_same_at(key, value, present),
        None => is_default(key, value),
    });
    let has_more = TELLING
        .iter()
        .any(|key| !wanted.contains_key(*key) && found.get(*key).is_some_and(|value| !is_default(key, value)));
    mirrors.likeness(image(found), image(wanted)) == Likeness::Same
        && has_fields
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

fn image(container: &Map<String, Value>) -> &str {
    container.get("image").and_then(Value::as_str).unwrap_or_default()
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
    pub(super) mirrors: &'c Mirrors,
}

impl Update<'_> {
    pub(super) fn bring_up<'a>(&self, present: &mut Node<'a>, desired: &Node<'a>) {
        let (Some(found), Some(wanted)) = (value(present), value(desired)) else { return };
        for (key, value) in &wanted {
            let is_rewritten = REWRITTEN_BY_OTHERS.contains(&key.as_str()) && self.keeps_probes;
            let is_merged = matches!(key.as_str(), "env" | "volumeMounts" | "resources" | "imagePullPolicy");
            let is_there = match (key.as_str(), found.get(key)) {
                ("image", _) => self.mirrors.likeness(image(&found), image(&wanted)) == Likeness::Same,
                (_, Some(there)) => is_same_at(key, value, there),
                (_, None) => is_default(key, value),
            };
            if !is_there && !is_merged && (!is_rewritten || !found.contains_key(key)) {
                present.set(key.clone(), value.to_string());
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
            found.set(key.clone(), value.to_string());
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
                amounts.set(resource.clone(), amount.to_string());
            }
        }
    }
}
