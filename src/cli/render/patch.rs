//! JSON Patch (RFC 6902), the three operations of it that our components use: add, replace, remove.
//!
//! Kept true: a path that leads nowhere is an error.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// One change.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Operation {
    /// Sets a key, or puts an item before the one at this index, or (`-`) behind the last.
    Add { path: String, value: Value },
    /// Sets what is there already.
    Replace { path: String, value: Value },
    /// Takes away what is there.
    Remove { path: String },
}

/// Applies a change.
pub(super) fn apply(object: &mut Value, operation: &Operation) -> Result<()> {
    let (Operation::Add { path, .. } | Operation::Replace { path, .. } | Operation::Remove { path }) = operation;
    let changed = match operation {
        Operation::Add { value, .. } => add(object, path, value.clone()),
        Operation::Replace { value, .. } => object.pointer_mut(path).map(|place| *place = value.clone()),
        Operation::Remove { .. } => remove(object, path),
    };
    changed.with_context(|| format!("{path} leads nowhere"))
}

fn add(object: &mut Value, path: &str, value: Value) -> Option<()> {
    let (parent, last) = split(path)?;
    match object.pointer_mut(parent)? {
        Value::Object(map) => {
            map.insert(last, value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let index = last.parse().ok().filter(|index| *index <= items.len())?;
            items.insert(index, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(object: &mut Value, path: &str) -> Option<()> {
    let (parent, last) = split(path)?;
    match object.pointer_mut(parent)? {
        Value::Object(map) => map.remove(&last).map(drop),
        Value::Array(items) => {
            let index = last.parse().ok().filter(|index| *index < items.len())?;
            items.remove(index);
            Some(())
        }
        _ => None,
    }
}

/// The path of what holds the place, and the place's own name.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_what_the_path_names() {
        let patch = json!([
            {"op": "add", "path": "/list/-", "value": 3},
            {"op": "add", "path": "/list/0", "value": 0},
            {"op": "replace", "path": "/map/a", "value": "b"},
            {"op": "add", "path": "/map/x~1y", "value": true},
            {"op": "remove", "path": "/list/1"},
            {"op": "remove", "path": "/gone"},
        ]);
        let mut object = json!({"list": [1, 2], "map": {"a": 1}, "gone": null});
        for operation in serde_json::from_value::<Vec<Operation>>(patch).expect("a patch") {
            apply(&mut object, &operation).expect("it applies");
        }
        assert_eq!(object, json!({"list": [0, 2, 3], "map": {"a": "b", "x/y": true}}));
    }

    #[test]
    fn refuses_a_path_that_leads_nowhere() {
        let cases = [
            json!({"op": "replace", "path": "/b", "value": 1}),
            json!({"op": "remove", "path": "/b"}),
            json!({"op": "remove", "path": "/list/1"}),
            json!({"op": "add", "path": "/list/2", "value": 1}),
            json!({"op": "add", "path": "/b/c", "value": 1}),
        ];
        for case in cases {
            let operation = serde_json::from_value(case.clone()).expect("an operation");
            let mut object = json!({"list": [1]});
            assert!(apply(&mut object, &operation).is_err(), "{case}");
            assert_eq!(object, json!({"list": [1]}));
        }
    }
}
