//! What an earlier revision did to the pod itself and to its containers, where this one does something else in the same place: labels,
//! annotations, pull secrets, the grace period, variables and mounts, and what it appended to variables.
//!
//! Kept true: a value is taken back only where the annotation lists it and it is what another revision of the document gives.

use super::super::tree::Node;
use super::super::written::quoted;
use super::environment::place_of;
use super::parts::{Parts, VariableValue};
use super::pod_parts::SAFE_TO_EVICT;
use super::revision::Revision;
use super::work::{List, Work};

impl<'a> Work<'a, '_> {
    /// Takes back what other revisions gave to the pod itself and this one does not.
    pub(super) fn clear_former_pod_parts(&mut self) {
        if self.injection.revisions.len() < 2 || self.claim.parts.is_empty() {
            return;
        }
        self.clear_former_texts("l/", "labels");
        self.clear_former_texts("a/", "annotations");
        self.clear_former_secrets();
        self.restore_former_grace();
    }

    fn others(&self) -> impl Iterator<Item = &'a Parts> {
        let parts = self.parts;
        let all = self.injection.revisions.iter().map(|revision| &revision.parts);
        all.filter(move |other| !std::ptr::eq(*other, parts))
    }

    fn clear_former_texts(&mut self, letter: &str, map: &str) {
        fn texts<'p>(parts: &'p Parts, map: &str) -> &'p std::collections::BTreeMap<String, String> {
            if map == "labels" { &parts.pod.labels } else { &parts.pod.annotations }
        }
        for key in self.claimed(letter) {
            let present = self.plan.pod.at(&["metadata", map, &key]).and_then(Node::string);
            let Some(present) = present.map(|text| text.into_owned()) else { continue };
            let gives = |parts: &Parts| texts(parts, map).get(&key) == Some(&present);
            if !gives(self.parts)
                && self.others().any(gives)
                && let Some(texts) = self.plan.pod.within(&["metadata", map])
            {
                texts.remove(&key);
            }
        }
    }

    fn clear_former_secrets(&mut self) {
        for name in self.claimed("s/") {
            let gives = |parts: &Parts| parts.pod.image_pull_secrets.contains(&name);
            if gives(self.parts) || !self.others().any(gives) {
                continue;
            }
            let is_named = |secret: &Node<'_>| secret.string_at("name").is_some_and(|found| found == name);
            let place = self.plan.pod.get("spec").and_then(|spec| spec.list("imagePullSecrets").position(is_named));
            if let (Some(place), Some(secrets)) = (place, self.plan.pod.within(&["spec", "imagePullSecrets"])) {
                secrets.take_item(place);
            }
        }
    }

    fn restore_former_grace(&mut self) {
        const FIELD: &str = "terminationGracePeriodSeconds";
        let Some(before) = self.claimed("g/").into_iter().next() else { return };
        let present = self.plan.pod.at(&["spec", FIELD]).and_then(Node::integer);
        let gives = |parts: &Parts| parts.pod.termination_grace_period_at_least.map(i64::from) == present;
        if present.is_none() || gives(self.parts) || !self.others().any(gives) {
            return;
        }
        let Some(spec) = self.spec() else { return };
        if before.is_empty() {
            spec.remove(FIELD);
        } else if before.parse::<u32>().is_ok() {
            spec.set(FIELD, before);
        }
    }

    /// Takes back what other revisions put into the pod's containers and this one does not, before this one's edits find their places
    /// taken.
    pub(super) fn clear_former_edits(&mut self) {
        if self.injection.revisions.len() < 2 {
            return;
        }
        for (letter, list) in [("e/", "env"), ("t/", "volumeMounts")] {
            for part in self.claimed(letter) {
                let Some((container, name)) = part.split_once('/') else { continue };
                if !self.plan.is_ours(container) {
                    self.clear_former_edit(list, container, name);
                }
            }
        }
        for part in self.claimed("p/") {
            if let Some((container, name)) = part.split_once('/') {
                self.take_back_end(container, name);
            }
        }
    }

    fn clear_former_edit(&mut self, list: &str, container: &str, name: &str) {
        let key = if list == "env" { "name" } else { "mountPath" };
        let Some((at, index)) = List::BOTH.into_iter().find_map(|at| Some((at, self.place_of(at, container)?))) else {
            return;
        };
        let (ours, revisions) = (self.parts, &self.injection.revisions);
        let (current, others): (Vec<&Revision>, Vec<&Revision>) =
            revisions.iter().partition(|revision| std::ptr::eq(&revision.parts, ours));
        let is_former = |element: &Node<'_>| {
            let renders = |revision: &&Revision| revision.renders(list, name, element);
            element.string_at(key).is_some_and(|found| found == name)
                && others.iter().any(renders)
                && !current.iter().any(renders)
        };
        let Some(container) = self.list(at).and_then(|containers| containers.item(index)) else { return };
        let Some(place) = container.list(list).position(is_former) else { return };
        if let Some(elements) = container.member(list) {
            elements.take_item(place);
        }
    }

    /// Takes what other revisions appended to a variable off its end.
    fn take_back_end(&mut self, container: &str, name: &str) {
        let ours: Vec<&str> = appended(self.parts, name).map(|(_, text)| text).collect();
        let former: Vec<(&str, &str)> =
            self.others().flat_map(|other| appended(other, name)).filter(|(_, text)| !ours.contains(text)).collect();
        let Some((list, index)) = List::BOTH.into_iter().find_map(|at| Some((at, self.place_of(at, container)?)))
        else {
            return;
        };
        let Some(container) = self.list(list).and_then(|list| list.item(index)) else { return };
        let Some(place) = place_of(container, name) else { return };
        let Some(variable) = container.member("env").and_then(|env| env.item(place)) else { return };
        let value = variable.string_at("value").unwrap_or_default().into_owned();
        if let Some(before) = before_appended(&value, &former) {
            variable.set("value", quoted(before));
        }
    }

    /// Takes a volume that has gone off the list of those that may go with their node.
    pub(super) fn unmark_safe_to_evict(&mut self, volume: &str) {
        let list = self.plan.pod.at(&["metadata", "annotations", SAFE_TO_EVICT]).and_then(Node::string);
        let Some(list) = list.map(|list| list.into_owned()) else { return };
        let kept: Vec<&str> = list.split(',').filter(|listed| listed.trim() != volume).collect();
        let Some(annotations) = self.plan.pod.within(&["metadata", "annotations"]) else { return };
        if kept.is_empty() {
            annotations.remove(SAFE_TO_EVICT);
        } else if kept.join(",") != list {
            annotations.set(SAFE_TO_EVICT, quoted(&kept.join(",")));
        }
    }

    /// The names of what the annotation lists under this letter.
    pub(super) fn claimed(&self, letter: &str) -> Vec<String> {
        self.claim.parts.iter().filter_map(|part| part.strip_prefix(letter)).map(str::to_owned).collect()
    }
}

/// What a value was before one of these texts was appended to it behind its separator; empty if it was empty.
pub(super) fn before_appended<'v>(value: &'v str, ends: &[(&str, &str)]) -> Option<&'v str> {
    ends.iter().find_map(|(separator, text)| {
        let rest = value.strip_suffix(text)?;
        if rest.is_empty() { Some("") } else { rest.strip_suffix(separator) }
    })
}

/// What a revision appends to a variable, each behind its separator.
pub(super) fn appended<'p>(parts: &'p Parts, name: &str) -> impl Iterator<Item = (&'p str, &'p str)> {
    let edits = parts.patches.iter().flat_map(|patch| &patch.env).filter(move |edit| edit.name == name);
    edits.filter_map(|edit| match &edit.value {
        VariableValue::Literal(text) => Some((edit.separator.as_str(), text.as_str())),
        VariableValue::Source(_) | VariableValue::Derived(_) => None,
    })
}
