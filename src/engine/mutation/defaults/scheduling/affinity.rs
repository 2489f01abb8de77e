//! Requirements of nodes that are added to every term of the required node affinity.
//!
//! Terms are alternatives: one more would widen the choice, and would take the pods of a DaemonSet off their nodes. So each requirement goes
//! into every term that is there, and a term is made only where there is none. A term without any requirement matches no node and stays.

use serde_json::Value;

use super::text;
use crate::engine::mutation::Node;
use crate::engine::mutation::defaults::Part;

const TERMS: [&str; 5] =
    ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];

#[derive(Debug)]
pub(super) struct Requirement {
    key: String,
    json: String,
}

impl Requirement {
    pub(super) fn new(value: &Value) -> Self {
        Self { key: text(value, "key"), json: value.to_string() }
    }
}

pub(super) fn require(part: &mut Part<'_, '_>, requirements: &[Requirement]) {
    for requirement in requirements {
        // Whoever selects nodes by this label has chosen.
        if part.pod().at(&["spec", "nodeSelector", &requirement.key]).is_none() {
            add_to_every_term(part, requirement);
        }
    }
}

fn add_to_every_term(part: &mut Part<'_, '_>, requirement: &Requirement) {
    let count = part.pod().at(&TERMS).map_or(0, |terms| terms.items().count());
    if count == 0 {
        if let Some(terms) = part.within(&TERMS) {
            terms.push(format!(r#"{{"matchExpressions":[{}]}}"#, requirement.json));
        }
        return;
    }
    for index in 0..count {
        let term = part.pod().at(&TERMS).and_then(|terms| terms.items().nth(index));
        if !term.is_some_and(|term| is_open(term, &requirement.key)) {
            continue;
        }
        let expressions = part.within(&TERMS).and_then(|terms| terms.item(index)?.member("matchExpressions"));
        if let Some(expressions) = expressions {
            expressions.push(requirement.json.clone());
        }
    }
}

/// Whether a term matches some node and says nothing of this label.
fn is_open(term: &Node<'_>, key: &str) -> bool {
    let is_nobody = term.list("matchExpressions").next().is_none() && term.list("matchFields").next().is_none();
    !is_nobody && !term.list("matchExpressions").any(|found| found.string_at("key").is_some_and(|found| found == key))
}
