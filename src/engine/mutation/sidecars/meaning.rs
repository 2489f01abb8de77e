//! Whether two pieces of JSON mean the same to the API server, which fills in defaults and drops what says nothing.
//!
//! What comes back from the API server is told from what somebody changed by this alone, so a default that is missing here would
//! give a patch in every pass, and one too many would let a change through. Source: pkg/apis/core/v1/defaults.go of Kubernetes.

use serde_json::{Map, Value};

use crate::engine::object::Quantity;

/// Fields whose value is a quantity: the API server writes these in its own way.
const QUANTITIES: [&str; 2] = ["sizeLimit", "divisor"];

/// What fields have if they are not given.
const DEFAULTS: [(&str, &str); 13] = [
    ("apiVersion", "\"v1\""),
    ("defaultMode", "420"),
    ("divisor", "\"0\""),
    ("expirationSeconds", "3600"),
    ("failureThreshold", "3"),
    ("periodSeconds", "10"),
    ("procMount", "\"Default\""),
    ("protocol", "\"TCP\""),
    ("scheme", "\"HTTP\""),
    ("successThreshold", "1"),
    ("terminationMessagePath", "\"/dev/termination-log\""),
    ("terminationMessagePolicy", "\"File\""),
    ("timeoutSeconds", "1"),
];

/// Fields whose `false` or `0` says no more than their absence. In others it does: `allowPrivilegeEscalation: false`.
const EMPTY_IF_ZERO: [&str; 7] =
    ["hostPort", "initialDelaySeconds", "optional", "readOnly", "stdin", "stdinOnce", "tty"];

/// Whether both mean the same.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            holds_all(one, other) && other.iter().all(|(key, value)| one.contains_key(key) || is_default(key, value))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        _ => one == other,
    }
}

fn holds_all(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    one.iter().all(|(key, value)| match other.get(key) {
        Some(found) => is_same_at(key, value, found),
        None => is_default(key, value),
    })
}

/// The same for the values of a field of this name.
pub(super) fn is_same_at(key: &str, one: &Value, other: &Value) -> bool {
    if QUANTITIES.contains(&key)
        && let (Some(one), Some(other)) = (quantity(one), quantity(other))
    {
        return one == other;
    }
    is_same(one, other) || (is_default(key, one) && is_default(key, other))
}

/// Whether a field of this name may as well be absent as have this value.
pub(super) fn is_default(key: &str, value: &Value) -> bool {
    let is_empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.iter().all(|(key, value)| is_default(key, value)),
        Value::Bool(is_true) => !is_true && EMPTY_IF_ZERO.contains(&key),
        Value::Number(number) => number.as_i64() == Some(0) && EMPTY_IF_ZERO.contains(&key),
    };
    is_empty || DEFAULTS.iter().any(|(name, default)| *name == key && is_written(value, default))
}

/// Whether two amounts are equal, however they are written.
pub(super) fn is_same_amount(one: &Value, other: &Value) -> bool {
    matches!((quantity(one), quantity(other)), (Some(one), Some(other)) if one == other)
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// Whether a text or number is written so.
fn is_written(value: &Value, json: &str) -> bool {
    match value {
        Value::String(text) => json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) == Some(text),
        Value::Number(number) => number.as_i64().is_some_and(|number| json.parse() == Ok(number)),
        _ => false,
    }
}
