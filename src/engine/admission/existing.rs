//! The dry run of a stricter policy over the pods that exist in a namespace (upstream's `EvaluatePodsInNamespace`).
//!
//! One pod is decoded at a time: thousands of them, decoded all at once, would take five times the memory of their texts.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;

use crate::engine::facts::ExistingPods;
use crate::engine::json::{self, DecodeError};
use crate::engine::object::{Metadata, Object, Pod, Text, or_default};
use crate::engine::pod_security::{Exemptions, LevelVersion, quote, registry};

/// The most pods that the dry run looks at.
const MOST_PODS: usize = 3000;

/// The warnings of a dry run of `policy` over the pods that exist.
pub(super) fn try_on_pods(
    name: &str,
    policy: LevelVersion,
    existing: &ExistingPods,
    exemptions: &Exemptions,
) -> Vec<String> {
    let unlistable = || vec!["failed to list pods while checking new PodSecurity enforce level".to_owned()];
    let ExistingPods::Listed { pods, unlisted, time } = existing else { return unlistable() };
    let Ok(ordered) = prioritised(pods, exemptions) else { return unlistable() };
    let mut time = time.borrow_mut();
    let mut checked = 0;
    let mut by_reason: BTreeMap<String, Violating> = BTreeMap::new();
    for pod in ordered.iter().take(MOST_PODS) {
        if checked > 0 && time.next().is_none() {
            break;
        }
        checked += 1;
        let Ok(pod) = json::from_slice::<Object<'_>>(pod) else { return unlistable() };
        let evaluation = registry().evaluate(policy, &Pod::of(&pod));
        if !evaluation.is_allowed() {
            by_reason.entry(evaluation.forbidden_reason()).or_default().add(&pod.metadata.name);
        }
    }
    let mut warnings = Vec::new();
    let total = ordered.len() + unlisted;
    if checked < total {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {checked} of {total} existing pods"
        ));
    }
    if !by_reason.is_empty() {
        let (name, policy) = (quote(name), quote(&policy.to_string()));
        warnings.push(format!("existing pods in namespace {name} violate the new PodSecurity enforce level {policy}"));
    }
    let mut lines: Vec<String> = by_reason.iter().map(|(reason, violating)| violating.line(reason)).collect();
    lines.sort_unstable();
    warnings.extend(lines);
    warnings
}

/// The pods that violate a policy for the same reasons.
#[derive(Default)]
struct Violating {
    /// The lexically first name.
    first: String,
    count: usize,
}

impl Violating {
    fn add(&mut self, name: &str) {
        if self.count == 0 || name < self.first.as_str() {
            name.clone_into(&mut self.first);
        }
        self.count += 1;
    }

    fn line(&self, reason: &str) -> String {
        let first = &self.first;
        match self.count {
            1 => format!("{first}: {reason}"),
            2 => format!("{first} (and 1 other pod): {reason}"),
            count => format!("{first} (and {} other pods): {reason}", count - 1),
        }
    }
}

/// What the order of the pods depends on.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Outline<'a> {
    #[serde(borrow, deserialize_with = "or_default")]
    metadata: Metadata<'a>,
    #[serde(borrow, deserialize_with = "or_default")]
    spec: Runtime<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Runtime<'a> {
    #[serde(borrow)]
    runtime_class_name: Option<Text<'a>>,
}

/// Without those of exempt runtime classes: uncontrolled pods and the first of each controller, then further replicas.
fn prioritised<'p>(pods: &'p [Box<[u8]>], exemptions: &Exemptions) -> Result<Vec<&'p [u8]>, DecodeError> {
    let mut seen = HashSet::new();
    let (mut first, mut replicas) = (Vec::new(), Vec::new());
    for pod in pods {
        let outline: Outline<'_> = json::from_slice(pod)?;
        if exemptions.has_runtime_class(outline.spec.runtime_class_name.as_deref()) {
            continue;
        }
        let is_first = outline.metadata.controller_uid().is_none_or(|uid| seen.insert(uid.to_owned()));
        if is_first { &mut first } else { &mut replicas }.push(&**pod);
    }
    first.append(&mut replicas);
    Ok(first)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::engine::pod_security::Configuration;

    fn warnings(pods: &[&str], unlisted: usize) -> Vec<String> {
        let existing = ExistingPods::Listed {
            pods: pods.iter().map(|pod| pod.as_bytes().into()).collect(),
            unlisted,
            time: RefCell::new(Box::new(std::iter::repeat(()))),
        };
        let exemptions = Configuration::default().exemptions;
        try_on_pods("shop", LevelVersion::RESTRICTED, &existing, &exemptions)
    }

    #[test]
    fn pods_that_could_not_be_had_are_counted_among_those_that_exist() {
        let warnings = warnings(&[r#"{"metadata":{"name":"a"},"spec":{"hostNetwork":true}}"#], 41);
        let expected = "new PodSecurity enforce level only checked against the first 1 of 42 existing pods";
        assert_eq!(warnings.first().map(String::as_str), Some(expected), "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.starts_with("a: ")), "{warnings:?}");
    }

    #[test]
    fn pods_are_unlistable_if_one_cannot_be_decoded_wherever_it_is_wrong() {
        let good = r#"{"metadata":{"name":"a"},"spec":{"hostNetwork":true}}"#;
        for bad in ["{", r#"{"metadata":{"ownerReferences":7}}"#, r#"{"spec":{"hostNetwork":"yes"}}"#] {
            let warnings = warnings(&[good, bad], 0);
            assert_eq!(warnings, ["failed to list pods while checking new PodSecurity enforce level"], "{bad}");
        }
    }

    #[test]
    fn the_first_name_stands_for_all_that_violate_alike() {
        let pod = |name| format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{"hostNetwork":true}}}}"#);
        let pods = ["b", "a", "c"].map(pod);
        let warnings = warnings(&pods.each_ref().map(String::as_str), 0);
        assert!(warnings.iter().any(|warning| warning.starts_with("a (and 2 other pods): ")), "{warnings:?}");
    }
}
