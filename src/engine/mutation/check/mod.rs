//! The self-check: whether a result is a pod that the API server takes and its namespace allows, as far as the original was.
//!
//! A patch that breaks the pod would be an error of the whole request, whatever the failure policy. What was wrong before is for the
//! API server to say. A result differs from its original in little, and a flaw that is new is in what differs, or because of it: so
//! only that is looked at, and the whole of both only if something is found there.

mod harmless;
mod judged;
mod structure;

use std::collections::BTreeSet;

use super::change::Change;
use super::plan::Reason;
use super::tree::Node;
use crate::engine::json;
use crate::engine::object::{Object, Pod};
use crate::engine::pod_security::{Level, LevelVersion, Site, registry};
pub(super) use harmless::{Harmless, is_harmless};
use judged::{Judged, judged};
use structure::structure;

/// What is wrong with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) about: String,
}

/// How much of a pod is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Changes,
    Whole,
}

/// What a namespace enforces, and which violations are nothing new.
#[derive(Debug)]
pub(super) struct Standard<'d> {
    enforced: LevelVersion,
    /// What need not be judged.
    harmless: &'d Harmless,
    /// Those of the original, if none were accepted since.
    accepted: Option<BTreeSet<String>>,
}

impl<'d> Standard<'d> {
    /// The violations that the original has are nothing new.
    pub(super) fn new(enforced: LevelVersion, harmless: &'d Harmless) -> Self {
        Self { enforced, harmless, accepted: None }
    }

    /// Those that this pod has are nothing new.
    #[must_use]
    pub(super) fn accepting(self, pod: &Node<'_>) -> Self {
        Self { accepted: violations(&pod.to_json(), self.enforced), ..self }
    }
}

/// What is wrong with the result, which was edited out of the original, that was not wrong with the original.
pub(super) fn fault<'a>(original: &impl Fn() -> Node<'a>, result: &Node<'_>, standard: &Standard<'_>) -> Option<Fault> {
    let fault = fault_in(Extent::Changes, original, result, standard);
    debug_assert_eq!(
        fault.is_some(),
        fault_in(Extent::Whole, original, result, standard).is_some(),
        "what is wrong is in what has changed: {fault:?}"
    );
    fault
}

fn fault_in<'a>(
    extent: Extent,
    original: &impl Fn() -> Node<'a>,
    result: &Node<'_>,
    standard: &Standard<'_>,
) -> Option<Fault> {
    let flaws = structure(result, extent, standard.harmless);
    if !flaws.is_empty() {
        let before = structure(&original(), Extent::Whole, standard.harmless);
        if let Some(flaw) = flaws.into_iter().find(|flaw| !before.contains(flaw)) {
            return Some(flaw);
        }
    }
    if extent == Extent::Changes && is_clean(result, standard) {
        return None;
    }
    let Some(after) = violations(&result.to_json(), standard.enforced) else {
        // If the original does not decode either, the API server will say so.
        let was_good = violations(&original().to_json(), standard.enforced).is_some();
        let about = "the result does not decode".to_owned();
        return was_good.then_some(Fault { reason: Reason::SelfCheckFailed, about });
    };
    if after.is_empty() {
        return None;
    }
    let before = standard.accepted.clone().or_else(|| violations(&original().to_json(), standard.enforced))?;
    let about = after.difference(&before).next()?.clone();
    Some(Fault { reason: Reason::WouldViolatePodSecurity, about })
}

/// Whether nothing that has changed violates the policy, and no change makes anything else do so.
fn is_clean(result: &Node<'_>, Standard { enforced, harmless, .. }: &Standard<'_>) -> bool {
    enforced.level == Level::Privileged
        || match judged(result, harmless) {
            Judged::Nothing => true,
            Judged::Part(pod) => violations(&pod, *enforced).is_some_and(|violations| violations.is_empty()),
            Judged::Whole => false,
        }
}

/// Every violation of the policy by its check and its place; none if the pod does not decode.
fn violations(pod: &str, enforced: LevelVersion) -> Option<BTreeSet<String>> {
    if enforced.level == Level::Privileged {
        return Some(BTreeSet::new());
    }
    let object: Object<'_> = json::from_slice(pod.as_bytes()).ok()?;
    let evaluation = registry().evaluate(enforced, &Pod::of(&object));
    let found = evaluation.findings.iter().flat_map(|finding| {
        finding.violations.iter().map(|violation| format!("{}, {}", place(&violation.site), finding.check.id))
    });
    Some(found.collect())
}

/// Where a violation is, in words. An addition moves what stands behind it, so the place in a list is none of them.
fn place(site: &Site) -> String {
    match site {
        Site::Pod => "pod".to_owned(),
        Site::Container { name, .. } => format!("container {name:?}"),
        Site::Volume { name } => format!("volume {name:?}"),
        Site::Annotation { key } => format!("annotation {key:?}"),
    }
}

#[cfg(test)]
mod tests {
    //! What was wrong before is not blamed on an addition, wherever it stands now.

    use super::*;
    use crate::engine::pod_security::Version;

    const OURS: &str = r#"{"name":"ours","image":"i"}"#;
    const THEIRS: &str = r#"{"name":"theirs","image":"i","securityContext":{"privileged":true}}"#;

    fn judged(before: &str, after: &str) -> Option<Fault> {
        let spec = |containers: &str| format!(r#"{{"containers":[{containers}]}}"#);
        let before = Node::new(format!(r#"{{"spec":{}}}"#, spec(before)));
        let mut result = before.clone();
        result.set("spec", spec(after));
        let enforced = LevelVersion { level: Level::Baseline, version: Version::Latest };
        fault(&|| before.clone(), &result, &Standard::new(enforced, &Harmless::default()).accepting(&before))
    }

    #[test]
    fn a_violation_that_an_addition_moves_stays_the_same() {
        assert_eq!(judged(THEIRS, &format!("{OURS},{THEIRS}")), None);
    }

    #[test]
    fn a_violation_that_is_added_is_told_in_words() {
        let fault = judged(OURS, &format!("{OURS},{THEIRS}")).expect("a fault");
        assert_eq!(fault.reason, Reason::WouldViolatePodSecurity);
        assert_eq!(fault.about, "container \"theirs\", privileged");
    }
}
