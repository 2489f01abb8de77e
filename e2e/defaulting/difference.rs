//! Where two objects differ, member by member.
//!
//! As the API reads it, a member that is null is absent.

use serde_json::Value;

/// The path of each difference and both sides of it.
pub fn differences(ours: &Value, theirs: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    compare("", ours, theirs, &mut found);
    found
}

fn compare(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<(String, String)>) {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            let mut keys: Vec<&String> = one.keys().chain(other.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                compare(&format!("{path}.{key}"), &ours[key], &theirs[key], found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (ours, theirs)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}[{index}]"), ours, theirs, found);
            }
        }
        _ if ours == theirs => {}
        _ => found.push((path.to_owned(), format!("{path}: ours {}, the API server's {}", shown(ours), shown(theirs)))),
    }
}

fn shown(value: &Value) -> String {
    if value.is_null() { "is absent".to_owned() } else { format!("is {value}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn every_difference_is_found_with_its_path_and_null_is_as_absent() {
        let ours = json!({"a": [{"b": 1, "n": null}], "c": {"d": "x"}, "e": [1]});
        let theirs = json!({"a": [{"b": 2}], "c": {"d": "x", "f": false}, "e": []});
        let paths: Vec<String> = differences(&ours, &theirs).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [".a[0].b", ".c.f", ".e"]);
        assert_eq!(differences(&ours, &ours), []);
    }
}
