//! Writing into JSON at a dotted path, as the tables name places.
//!
//! An edit never fails: what stands in its way (a null, a string where an object is due) is replaced.

use serde_json::{Map, Value};

/// Puts `value` at `path` below `root`, making the objects on the way; without a value, takes away what is there.
pub fn put(root: &mut Value, path: &str, value: Option<Value>) {
    let Some((first, rest)) = path.split_once('.') else {
        return put_field(root, path, value);
    };
    if value.is_none() && root.get(first).is_none() {
        return;
    }
    put(field(root, first), rest, value);
}

/// The field `key` of `root`, made if it is not there.
pub fn field<'a>(root: &'a mut Value, key: &str) -> &'a mut Value {
    object(root).entry(key).or_insert(Value::Null)
}

/// The list at `key` of `root`, made if it is not there.
pub fn list<'a>(root: &'a mut Value, key: &str) -> &'a mut Vec<Value> {
    let slot = field(root, key);
    if !slot.is_array() {
        *slot = Value::Array(Vec::new());
    }
    slot.as_array_mut().expect("the slot was made an array just above")
}

fn put_field(root: &mut Value, key: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            object(root).insert(key.to_owned(), value);
        }
        None => {
            object(root).remove(key);
        }
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the value was made an object just above")
}

#[cfg(test)]
mod tests {
    use super::put;
    use serde_json::json;

    #[test]
    fn makes_what_is_missing_on_the_way_and_takes_away_without_making() {
        let mut root = json!({"a": null, "keep": 1});
        put(&mut root, "a.b.c", Some(json!(true)));
        put(&mut root, "missing.d", None);
        assert_eq!(root, json!({"a": {"b": {"c": true}}, "keep": 1}));
        put(&mut root, "a.b", None);
        assert_eq!(root, json!({"a": {}, "keep": 1}));
    }
}
