//! Requirements of nodes that are added to every term of the required node affinity.
//!
//! Terms are alternatives: one more would widen the choice, and would take the pods of a DaemonSet off their nodes. So each requirement goes
//! into every term that is there, and a term is made only where there is none. A term without any requirement matches no node and stays.

use serde_json::Value;

use super::{is_one_of, text};
use crate::engine::mutation::Node;
use crate::engine::mutation::defaults::{Flaw, Part, flaw};

const TERMS: [&str; 5] =
    ["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];

#[derive(Debug)]
pub(super) struct Requirement {
    key: String,
    json: String,
}

impl Requirement {
    pub(super) fn compile(value: &Value, path: &str, flaws: &mut Vec<Flaw>) -> Option<Self> {
        let before = flaws.len();
        let key = text(value, "key", path, flaws).unwrap_or_default();
        if key.is_empty() {
            flaws.push(flaw(format!("{path}.key"), "must be the key of a node label"));
        }
        let operator = text(value, "operator", path, flaws).unwrap_or_default();
        let values = value.get("values").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if values.iter().any(|value| !value.is_string()) {
            flaws.push(flaw(format!("{path}.values"), "must be strings; put numbers into quotes"));
        }
        let known = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
        if is_one_of(operator, &known, format!("{path}.operator"), flaws) {
            let problem = match (operator, values.len()) {
                ("In" | "NotIn", 0) => "must have at least one value",
                ("Exists" | "DoesNotExist", 1..) => "must be left out under this operator",
                ("Gt" | "Lt", 0 | 2..) => "must be one number",
                _ => "",
            };
            if !problem.is_empty() {
                flaws.push(flaw(format!("{path}.values"), problem));
            }
        }
        (flaws.len() == before).then(|| Self { key: key.to_owned(), json: value.to_string() })
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
