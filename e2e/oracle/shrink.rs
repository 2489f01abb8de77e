//! Making a difference small: takes away and simplifies parts of a case as long as the difference remains.
//!
//! The result differs as the first case did, and nothing that is tried here can be taken away from it any more.

use serde_json::{Value, json};

/// The smallest case found for which `differs` holds, which it must for `case`. Asks at most `tries` times.
pub fn shrink(case: Value, tries: usize, mut differs: impl FnMut(&Value) -> bool) -> Value {
    let mut smallest = case;
    let mut left = tries;
    loop {
        let before = smallest.clone();
        for path in paths(&before) {
            shrink_at(&path, &mut smallest, &mut left, &mut differs);
        }
        if smallest == before || left == 0 {
            return smallest;
        }
    }
}

/// Shrinks what stands at one place: without it, with less in it, or plainer.
fn shrink_at(path: &str, case: &mut Value, left: &mut usize, differs: &mut impl FnMut(&Value) -> bool) {
    let mut attempt = |case: &mut Value, candidate: Value| {
        if *left == 0 || candidate == *case {
            return false;
        }
        *left -= 1;
        let smaller = differs(&candidate);
        if smaller {
            *case = candidate;
        }
        smaller
    };
    if removed(case, path).is_some_and(|candidate| attempt(case, candidate)) {
        return;
    }
    let Some(value) = case.pointer(path) else { return };
    match value.clone() {
        Value::Array(items) => {
            let mut items = items;
            let mut size = items.len() / 2;
            while size > 0 {
                let mut start = 0;
                while start < items.len() {
                    let fewer = [items.get(..start), items.get(start + size..)].into_iter().flatten().flatten();
                    let fewer: Vec<Value> = fewer.cloned().collect();
                    if replaced(case, path, json!(fewer)).is_some_and(|candidate| attempt(case, candidate)) {
                        items = fewer;
                    } else {
                        start += size;
                    }
                }
                size /= 2;
            }
        }
        value => {
            for plainer in plainer(&value) {
                if replaced(case, path, plainer).is_some_and(|candidate| attempt(case, candidate)) {
                    break;
                }
            }
        }
    }
}

/// Plainer values of the same kind.
fn plainer(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            let rest: String = text.chars().skip(1).collect();
            ["", "a", half.as_str(), rest.as_str()]
                .into_iter()
                .filter(|plainer| (plainer.len(), *plainer) < (text.len(), text.as_str()))
                .map(|plainer| json!(plainer))
                .collect()
        }
        Value::Object(fields) if !fields.is_empty() => vec![json!({})],
        Value::Number(number) if number.as_i64() != Some(0) => vec![json!(0)],
        _ => Vec::new(),
    }
}

/// The places of a value, as JSON pointers, the wide ones first, later elements of lists before earlier ones.
fn paths(value: &Value) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        match value.pointer(&path) {
            Some(Value::Object(fields)) => {
                found.extend(fields.keys().map(|key| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))));
            }
            Some(Value::Array(items)) => found.extend((0..items.len()).rev().map(|index| format!("{path}/{index}"))),
            _ => {}
        }
        next += 1;
    }
    found
}

/// The case without what stands at `path`; none if nothing does.
fn removed(case: &Value, path: &str) -> Option<Value> {
    let (parent, last) = path.rsplit_once('/')?;
    case.pointer(path)?;
    let mut candidate = case.clone();
    match candidate.pointer_mut(parent)? {
        Value::Object(fields) => {
            fields.remove(&last.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(last.parse().ok()?);
        }
        _ => return None,
    }
    Some(candidate)
}

fn replaced(case: &Value, path: &str, value: Value) -> Option<Value> {
    let mut candidate = case.clone();
    *candidate.pointer_mut(path)? = value;
    Some(candidate)
}

#[cfg(test)]
mod tests {
    use super::shrink;
    use serde_json::json;

    #[test]
    fn leaves_only_what_the_difference_needs() {
        let case = json!({
            "a": {"x/y": [1, 2, {"bad": "long text with !", "also": 7}, 4], "b": null},
            "c": [[], {}, "text"],
        });
        let differs = |case: &serde_json::Value| case.to_string().contains('!');
        assert_eq!(shrink(case, 10_000, differs), json!({"a": {"x/y": [{"bad": "!"}]}}));
    }

    #[test]
    fn takes_long_lists_apart_in_halves() {
        let case = json!((0..1000).collect::<Vec<_>>());
        let mut tries = 0;
        let smallest = shrink(case, 10_000, |case| {
            tries += 1;
            case.as_array().is_some_and(|items| items.contains(&json!(613)))
        });
        assert_eq!(smallest, json!([613]));
        assert!(tries < 1500, "{tries}");
    }
}
