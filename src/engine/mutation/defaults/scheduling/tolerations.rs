//! Tolerations that are appended, unless the pod tolerates the same already. The DefaultTolerationSeconds plugin has added two before us, so
//! that the list is never empty.

use serde_json::Value;

use super::text;
use crate::engine::mutation::Node;
use crate::engine::mutation::defaults::Part;

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
    pub(super) fn new(value: &Value) -> Self {
        let operator = Some(text(value, "operator")).filter(|operator| !operator.is_empty());
        let meaning = Meaning {
            key: text(value, "key"),
            operator: operator.unwrap_or_else(|| "Equal".to_owned()),
            value: text(value, "value"),
            effect: text(value, "effect"),
            seconds: value.get("tolerationSeconds").and_then(Value::as_i64),
        };
        Self { meaning, json: value.to_string() }
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
