//! Tolerations that are appended, unless the pod tolerates the same already. The DefaultTolerationSeconds plugin has added two before us, so
//! that the list is never empty.

use serde_json::Value;

use super::{is_one_of, text};
use crate::engine::mutation::Node;
use crate::engine::mutation::defaults::{Flaw, Part, flaw};

#[derive(Debug)]
pub(super) struct Toleration {
    meaning: Meaning,
    json: String,
}

/// What is tolerated: an empty key is any key, an empty effect any effect.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    key: String,
    operator: String,
    value: String,
    effect: String,
    seconds: Option<i64>,
}

impl Toleration {
    pub(super) fn compile(value: &Value, path: &str, flaws: &mut Vec<Flaw>) -> Option<Self> {
        let before = flaws.len();
        if !value.is_object() {
            flaws.push(flaw(path, "must be a toleration, as in a pod's spec.tolerations"));
            return None;
        }
        let mut member = |field| text(value, field, path, flaws).unwrap_or_default().to_owned();
        let (key, operator, matched, effect) = (member("key"), member("operator"), member("value"), member("effect"));
        let operator = if operator.is_empty() { "Equal".to_owned() } else { operator };
        is_one_of(&operator, &["Equal", "Exists", "Lt", "Gt"], format!("{path}.operator"), flaws);
        is_one_of(&effect, &["", "NoSchedule", "PreferNoSchedule", "NoExecute"], format!("{path}.effect"), flaws);
        if key.is_empty() && operator != "Exists" {
            flaws.push(flaw(
                format!("{path}.operator"),
                "must be Exists where there is no key, which tolerates everything",
            ));
        }
        if operator == "Exists" && !matched.is_empty() {
            flaws.push(flaw(format!("{path}.value"), "must be left out under the operator Exists"));
        }
        let seconds = value.get("tolerationSeconds").filter(|seconds| !seconds.is_null());
        if seconds.is_some_and(|seconds| !seconds.is_i64()) {
            flaws.push(flaw(format!("{path}.tolerationSeconds"), "must be a whole number of seconds"));
        }
        if seconds.is_some() && effect != "NoExecute" {
            flaws.push(flaw(format!("{path}.effect"), "must be NoExecute where tolerationSeconds is given"));
        }
        let meaning = Meaning { key, operator, value: matched, effect, seconds: seconds.and_then(Value::as_i64) };
        (flaws.len() == before).then(|| Self { meaning, json: value.to_string() })
    }
}

pub(super) fn append(part: &mut Part<'_, '_>, tolerations: &[Toleration]) {
    for toleration in tolerations {
        let is_there = part
            .spec()
            .is_some_and(|spec| spec.list("tolerations").any(|found| Meaning::of(found).covers(&toleration.meaning)));
        if !is_there && let Some(list) = part.within(&["spec", "tolerations"]) {
            list.push(toleration.json.clone());
        }
    }
}

impl Meaning {
    fn of(found: &Node<'_>) -> Self {
        let member = |field| found.string_at(field).unwrap_or_default().into_owned();
        let operator = Some(member("operator")).filter(|operator| !operator.is_empty());
        Self {
            key: member("key"),
            operator: operator.unwrap_or_else(|| "Equal".to_owned()),
            value: member("value"),
            effect: member("effect"),
            seconds: found.get("tolerationSeconds").and_then(Node::integer),
        }
    }

    /// Whether whoever has this tolerates the other as well. The same with another time to stay is the user's word for how long.
    fn covers(&self, other: &Self) -> bool {
        let is_same = (&self.key, &self.operator, &self.value, &self.effect)
            == (&other.key, &other.operator, &other.value, &other.effect);
        let has_key = self.key == other.key || (self.key.is_empty() && self.operator == "Exists");
        let has_value = self.operator == "Exists" || (self.operator == other.operator && self.value == other.value);
        let has_effect = self.effect.is_empty() || self.effect == other.effect;
        is_same || (has_key && has_value && has_effect && self.seconds.is_none())
    }
}
