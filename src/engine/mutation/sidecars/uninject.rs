//! Takes back what a document added to a pod: every part, and every probe that was rewritten.
//!
//! The annotation says what was added; nothing goes that is not also what the document adds. What had been there before, where that
//! is not known any more, is reported.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::plan::Reason;
use super::super::selection::containers;
use super::super::tree::Node;
use super::super::written::quoted;
use super::Injection;
use super::claim::{Claims, KEY, Part};
use super::environment::place_of;
use super::former::{appended, before_appended};
use super::grown::shrink;
use super::pod_parts::SAFE_TO_EVICT;
use super::present::{Standing, standing};
use super::probes::{action, place, remove_handler, word};
use super::stale::is_used;
use super::work::List;

type Left = Vec<(Reason, String)>;

/// What may have come to be with what we put into it, the inner before the outer.
const MAY_BE_OURS: [&[&str]; 5] = [
    &["metadata", "labels"],
    &["metadata", "annotations"],
    &["spec", "volumes"],
    &["spec", "initContainers"],
    &["metadata"],
];

impl Injection {
    /// Whether the pod's annotation says that the document was carried out on it, or on the pod that it was copied from.
    pub(crate) fn is_claimed_by(&self, pod: &Node<'_>) -> bool {
        pod.at(&["metadata", "annotations", KEY]).is_some() && Claims::of(pod).claim(&self.name).is_some()
    }

    /// Takes the document's parts out of a pod, and gives what could not be restored: why, and what it is about. A pod without any
    /// of its parts stays as it is.
    pub(crate) fn uninject(&self, pod: &mut Node<'_>) -> Vec<(Reason, String)> {
        let claims = Claims::of(pod);
        let claim = claims.claim(&self.name);
        let is_claimed = claim.is_some();
        let mut parts = claim.as_ref().map(|claim| claim.parts.clone()).unwrap_or_default();
        if claim.is_some_and(|claim| claim.is_cut) {
            let unlisted = self.likely_parts(pod).into_iter().filter(|part| !parts.contains(part)).collect::<Vec<_>>();
            parts.extend(unlisted);
        }
        let mut left = Vec::new();
        let is_filled = |path: &&[&str]| pod.at(path).is_some_and(|node| !node.is_empty());
        let filled: Vec<&[&str]> = MAY_BE_OURS.into_iter().filter(is_filled).collect();
        self.restore_probes(pod, is_claimed, &mut left);
        self.take_containers(pod, &parts, &mut left);
        for part in &parts {
            self.take_part(pod, part, &mut left);
        }
        take_volumes(pod, &parts);
        if is_claimed && let Some(annotations) = pod.within(&["metadata", "annotations"]) {
            match claims.without(&self.name) {
                Some(text) => drop(annotations.set(KEY, quoted(&text))),
                None => drop(annotations.remove(KEY)),
            }
        }
        filled.into_iter().for_each(|path| remove_if_emptied(pod, path));
        left
    }

    /// What the document may have put into each container beyond what there was room to list: variables and mounts that are there
    /// and are as it renders them.
    fn likely_parts(&self, pod: &Node<'_>) -> Vec<String> {
        let patches = || self.revisions.iter().flat_map(|revision| &revision.parts.patches);
        let names: BTreeSet<&str> =
            patches().flat_map(|patch| &patch.env).map(|variable| variable.name.as_str()).collect();
        let paths: BTreeSet<&str> =
            patches().flat_map(|patch| &patch.mounts).map(|mount| mount.path.as_str()).collect();
        let mut parts = Vec::new();
        for container in containers(pod) {
            let container = container.string_at("name").unwrap_or_default();
            parts.extend(names.iter().map(|name| Part::Variable(&container, name).text()));
            parts.extend(paths.iter().map(|path| Part::Mount(&container, path).text()));
        }
        parts
    }

    fn restore_probes(&self, pod: &mut Node<'_>, is_claimed: bool, left: &mut Left) {
        for revision in &self.revisions {
            let Some(rule) = &revision.parts.probes else { continue };
            let originals = rule.originals(pod);
            for_each_container(pod, |container| {
                let name = container.string_at("name").unwrap_or_default().into_owned();
                for handler in &rule.handlers {
                    let path = rule.path_for(&name, *handler);
                    let original = originals.iter().find(|(known, _)| *known == path);
                    let is_copy = is_claimed || original.is_some();
                    let found = container.at(place(*handler)).and_then(action);
                    let is_ours = found.is_some_and(|found| rule.has_rewritten(&name, *handler, found, is_copy));
                    if !is_ours {
                        continue;
                    }
                    match original {
                        Some((_, original)) => restore(container, place(*handler), original),
                        None => {
                            remove_handler(container, place(*handler));
                            left.push((Reason::ProbeLost, format!("{} of container {name:?}", word(*handler))));
                        }
                    }
                }
            });
        }
    }

    fn take_containers(&self, pod: &mut Node<'_>, parts: &[String], left: &mut Left) {
        for name in self.own_names() {
            let is_completed = parts.contains(&Part::Completed(name).text());
            let is_claimed = parts.contains(&Part::Container(name).text());
            for list in List::BOTH {
                let Some(containers) = pod.within(&["spec", list.field()]) else { continue };
                let is_named = |container: &Node<'_>| container.string_at("name").is_some_and(|found| found == name);
                let Some((place, container)) = containers.items().enumerate().find(|(_, node)| is_named(node)) else {
                    continue;
                };
                if is_completed {
                    left.push((Reason::ValueReplaced, format!("container {name:?}")));
                } else if self.is_ours(name, container, is_claimed) {
                    containers.take_item(place);
                } else if is_claimed {
                    left.push((Reason::StaleClaimIgnored, format!("container {name:?}")));
                }
            }
        }
    }

    fn is_ours(&self, name: &str, container: &Node<'_>, is_claimed: bool) -> bool {
        let mut items = self.revisions.iter().filter_map(|revision| revision.parts.item(name));
        items.any(|item| {
            let desired = Node::new(item.json.as_str());
            standing(container, &desired, std::iter::empty(), is_claimed, &self.mirrors) != Standing::Foreign
        })
    }

    fn take_part(&self, pod: &mut Node<'_>, part: &str, left: &mut Left) {
        let Some((letter, rest)) = part.split_once('/') else { return };
        match (letter, rest.split_once('/')) {
            ("e", Some((container, name))) => self.take_element(pod, "env", container, name),
            ("t", Some((container, path))) => self.take_element(pod, "volumeMounts", container, path),
            ("r", Some((container, name))) => {
                left.push((Reason::ValueReplaced, format!("variable {name:?} of container {container:?}")));
            }
            ("p", Some((container, name))) => self.take_back_appended(pod, container, name, left),
            ("l", _) => self.take_text(pod, "labels", rest),
            ("a", _) => self.take_text(pod, "annotations", rest),
            ("s", _) => take_named(pod, &["spec", "imagePullSecrets"], rest),
            ("g", _) => self.restore_grace(pod, rest),
            ("q", _) => shrink(pod, rest),
            _ => {}
        }
    }

    fn take_element(&self, pod: &mut Node<'_>, list: &str, container: &str, name: &str) {
        let key = if list == "env" { "name" } else { "mountPath" };
        for_each_container(pod, |found| {
            if found.string_at("name").is_none_or(|found| found != container) {
                return;
            }
            let is_ours = |element: &Node<'_>| {
                element.string_at(key).is_some_and(|found| found == name)
                    && self.revisions.iter().any(|revision| revision.renders(list, name, element))
            };
            let Some(place) = found.list(list).position(is_ours) else { return };
            if let Some(elements) = found.member(list) {
                elements.take_item(place);
            }
            remove_if_emptied(found, &[list]);
        });
    }

    fn take_back_appended(&self, pod: &mut Node<'_>, container: &str, name: &str, left: &mut Left) {
        let ends: Vec<_> = self.revisions.iter().flat_map(|revision| appended(&revision.parts, name)).collect();
        let mut is_restored = false;
        for_each_container(pod, |found| {
            let is_named = found.string_at("name").is_some_and(|found| found == container);
            let Some(place) = place_of(found, name).filter(|_| is_named) else { return };
            let Some(variable) = found.member("env").and_then(|env| env.item(place)) else { return };
            let value = variable.string_at("value").unwrap_or_default().into_owned();
            is_restored |= match before_appended(&value, &ends) {
                // It had no value, or an empty one, which is the same.
                Some("") => variable.remove("value"),
                Some(before) => variable.set("value", quoted(before)),
                None => false,
            };
        });
        if !is_restored {
            left.push((Reason::ValueReplaced, format!("variable {name:?} of container {container:?}")));
        }
    }

    fn take_text(&self, pod: &mut Node<'_>, map: &str, key: &str) {
        let Some(found) = pod.at(&["metadata", map, key]).and_then(Node::string).map(|text| text.into_owned()) else {
            return;
        };
        let is_ours = self.revisions.iter().map(|revision| &revision.parts.pod).any(|pod| {
            let texts = if map == "labels" { &pod.labels } else { &pod.annotations };
            let is_default = key == super::pod_parts::DEFAULT_CONTAINER && pod.default_container;
            is_default || texts.get(key).is_some_and(|text| *text == found)
        });
        if is_ours && let Some(map) = pod.within(&["metadata", map]) {
            map.remove(key);
        }
    }

    fn restore_grace(&self, pod: &mut Node<'_>, before: &str) {
        const FIELD: &str = "terminationGracePeriodSeconds";
        let present = pod.at(&["spec", FIELD]).and_then(Node::integer);
        let ours = self.revisions.iter().filter_map(|revision| revision.parts.pod.termination_grace_period_at_least);
        let is_ours = ours.map(i64::from).any(|least| present == Some(least));
        let Some(spec) = pod.member("spec").filter(|_| is_ours) else { return };
        if before.is_empty() {
            spec.remove(FIELD);
        } else if before.parse::<u32>().is_ok() {
            spec.set(FIELD, before.to_owned());
        }
    }
}

fn for_each_container(pod: &mut Node<'_>, mut edit: impl FnMut(&mut Node<'_>)) {
    for list in List::BOTH {
        let count = pod.get("spec").map_or(0, |spec| spec.list(list.field()).count());
        for index in 0..count {
            if let Some(container) = pod.within(&["spec", list.field()]).and_then(|list| list.item(index)) {
                edit(container);
            }
        }
    }
}

fn restore(container: &mut Node<'_>, place: &[&str], original: &str) {
    let Ok(Value::Object(members)) = serde_json::from_str(original) else { return };
    let Some(handler) = container.within(place) else { return };
    for (kind, value) in members.into_iter().filter(|(key, _)| matches!(key.as_str(), "httpGet" | "tcpSocket" | "grpc"))
    {
        if kind != "httpGet" {
            handler.remove("httpGet");
        }
        handler.set(kind, value.to_string());
    }
}

fn take_named(pod: &mut Node<'_>, path: &[&str], name: &str) {
    let is_named = |object: &Node<'_>| object.string_at("name").is_some_and(|found| found == name);
    let Some(place) = pod.at(path).and_then(|list| list.items().position(is_named)) else { return };
    if let Some(list) = pod.within(path) {
        list.take_item(place);
    }
    remove_if_emptied(pod, path);
}

/// Takes listed volumes that nobody uses any more, and their names off the list of those that are safe to evict.
fn take_volumes(pod: &mut Node<'_>, parts: &[String]) {
    for name in parts.iter().filter_map(|part| part.strip_prefix("v/")) {
        if is_used(pod, name) {
            continue;
        }
        take_named(pod, &["spec", "volumes"], name);
        let list = pod.at(&["metadata", "annotations", SAFE_TO_EVICT]).and_then(Node::string);
        let Some(list) = list.map(|list| list.into_owned()) else { continue };
        let kept: Vec<&str> = list.split(',').filter(|listed| listed.trim() != name).collect();
        if let Some(annotations) = pod.within(&["metadata", "annotations"]) {
            if kept.is_empty() {
                annotations.remove(SAFE_TO_EVICT);
            } else if kept.join(",") != list {
                annotations.set(SAFE_TO_EVICT, quoted(&kept.join(",")));
            }
        }
    }
}

/// Removes what has nothing in it any more.
fn remove_if_emptied(object: &mut Node<'_>, path: &[&str]) {
    let is_empty = object.at(path).is_some_and(Node::is_empty);
    let Some((last, before)) = path.split_last().filter(|_| is_empty) else { return };
    if let Some(parent) = object.within(before) {
        parent.remove(last);
    }
}
