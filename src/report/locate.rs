//! Finds the places of what a verdict says of an object.
//!
//! Kept true: every violation has a place: that of its field, or for a missing field of the longest part of its path that
//! is there.

use super::{Located, Place, Severity};
use crate::engine::{Judgement, PolicyMode, Verdict};
use crate::manifest::{Lines, Node};

/// What the verdict finds in the object, each violation with its place: first what denies it, then what it is warned of.
///
/// `object` is what was judged, in the document of `lines`.
pub fn findings(verdict: &Verdict, object: &Node, lines: &Lines<'_>) -> Vec<Located> {
    let mut located = Vec::new();
    for judgement in verdict.judgements() {
        if let Some(severity) = severity_of(judgement.mode, verdict) {
            locate(judgement, severity, object, lines, &mut located);
        }
    }
    located
}

/// The verdict's warnings, as the API server would pass them on.
pub fn warnings(verdict: &Verdict) -> Vec<String> {
    verdict.warnings().to_vec()
}

/// Audit annotations are for the cluster's log. An object that is denied is not warned besides.
fn severity_of(mode: PolicyMode, verdict: &Verdict) -> Option<Severity> {
    match mode {
        PolicyMode::Enforce => Some(Severity::Error),
        PolicyMode::Warn if verdict.is_allowed() => Some(Severity::Warning),
        PolicyMode::Warn | PolicyMode::Audit => None,
    }
}

fn locate(judgement: &Judgement, severity: Severity, object: &Node, lines: &Lines<'_>, located: &mut Vec<Located>) {
    for finding in &judgement.evaluation.findings {
        let place = |path: &str| {
            let found = object.find(path);
            (Place::of(lines, found.span), found.exact)
        };
        let places = finding.violations.iter().map(|violation| place(&violation.path)).collect();
        located.push(Located { severity, policy: judgement.policy, finding: finding.clone(), places });
    }
}
