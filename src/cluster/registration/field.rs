//! Fields of JSON by their path, where there is no type for the whole.

use serde_json::{Map, Value};

static ABSENT: Value = Value::Null;

/// The value at a path; null if there is none.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().try_fold(value, |value, field| value.get(field)).unwrap_or(&ABSENT)
}

/// Puts a value at a path, and makes the objects that lead there.
pub(super) fn put(value: &mut Value, path: &[&str], new: Value) {
    let Some((field, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    if let Some(fields) = value.as_object_mut() {
        put(fields.entry(*field).or_insert(Value::Null), rest, new);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_to_what_was_put_there() {
        let mut value = json!({"a": {"b": 1}});
        put(&mut value, &["a", "c", "d"], json!(2));
        assert_eq!(value, json!({"a": {"b": 1, "c": {"d": 2}}}));
        assert_eq!((at(&value, &["a", "c", "d"]), at(&value, &["a", "x", "y"])), (&json!(2), &Value::Null));
    }
}
