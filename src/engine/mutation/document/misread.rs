//! What is wrong with a document that cannot be read, all of it, in the words of who wrote it.
//!
//! The types that read documents stop at the first thing that they cannot take, and say what they are. The schema that is made of them
//! knows every field: it is asked only then, and whatever it finds was refused anyway.

use serde_json::{Map, Value};

use super::Flaw;
use crate::engine::mutation::schema::{is_field_of, nearest};

/// What is said of expressions, by the names that they go by elsewhere.
const EXPRESSIONS: [&str; 4] = ["cel", "conditions", "unless", "when"];

/// Everything that the schema does not allow in the value; `path` is where that stands.
pub(super) fn flaws(value: &Value, schema: &Value, path: &str) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    inspect(value, schema, path, &mut flaws);
    flaws
}

fn inspect(value: &Value, schema: &Value, path: &str, flaws: &mut Vec<Flaw>) {
    let mut add = |problem: String| flaws.push(Flaw { path: path.to_owned(), problem });
    let wanted = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    match (wanted, value) {
        // Whether null is as good as nothing the types know better.
        (_, Value::Null) => {}
        ("object", Value::Object(members)) => fields(members, schema, path, flaws),
        ("array", Value::Array(elements)) => {
            let Some(schema) = schema.get("items") else { return };
            for (index, element) in elements.iter().enumerate() {
                inspect(element, schema, &format!("{path}[{index}]"), flaws);
            }
        }
        ("string", Value::String(word)) => {
            let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            let words: Vec<&str> = words.collect();
            if !words.is_empty() && !words.contains(&word.as_str()) {
                add(not_one_of(word, &words));
            }
        }
        ("string", other) => add(no_text(other, schema)),
        ("object", other) => add(no_map(other, schema)),
        ("array", Value::Object(_)) => add("must be a list, not a map: write each element behind a `-`".to_owned()),
        ("array", other) => add(format!("must be a list: write [{}]", bare(other))),
        ("integer", other) if !other.is_i64() && !other.is_u64() => add(no_number(other)),
        ("boolean", other) if !other.is_boolean() => add(format!("must be true or false, not {}", described(other))),
        _ => {}
    }
}

fn fields(members: &Map<String, Value>, schema: &Value, path: &str, flaws: &mut Vec<Flaw>) {
    let of_any_name = schema.get("additionalProperties");
    let Some(known) = schema.get("properties").and_then(Value::as_object) else {
        for (key, value) in members {
            of_any_name.iter().for_each(|schema| inspect(value, schema, &format!("{path}.{key}"), flaws));
        }
        return;
    };
    for (key, value) in members {
        match known.get(key) {
            Some(schema) => inspect(value, schema, &format!("{path}.{key}"), flaws),
            None => flaws.push(Flaw { path: format!("{path}.{key}"), problem: unknown(key, known) }),
        }
    }
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for key in required.filter(|key| members.get(*key).is_none_or(Value::is_null)) {
        flaws.push(Flaw { path: format!("{path}.{key}"), problem: "must be given".to_owned() });
    }
}

/// A field that is not there, with where it is, or what may have been meant.
fn unknown(key: &str, known: &Map<String, Value>) -> String {
    let problem = format!("unknown field `{key}`");
    if EXPRESSIONS.contains(&key) {
        return format!("{problem}: there are no expressions yet");
    }
    if known.contains_key("from") && ["value", "valueFrom"].contains(&key) {
        return format!("{problem}: a variable that has one stands in `env` of the `container` itself");
    }
    if let Some(home) = known.keys().find(|field| is_field_of(type_of(field), key)) {
        return format!("{problem}: it belongs into `{home}`");
    }
    let homes = known.iter().filter(|(_, schema)| has_field(schema, key)).map(|(field, _)| format!("`{field}`"));
    let homes: Vec<String> = homes.collect();
    if !homes.is_empty() {
        return format!("{problem}: it belongs into {}", homes.join(" or "));
    }
    match nearest(key, known.keys().map(String::as_str)) {
        Some(meant) => format!("{problem}; did you mean `{meant}`?"),
        None => format!("{problem}, expected one of {}", quoted(known.keys().map(String::as_str))),
    }
}

/// The type of Kubernetes that a field of ours holds to the letter; empty if none.
fn type_of(field: &str) -> &'static str {
    match field {
        "container" => "Container",
        "volume" => "Volume",
        "mount" => "VolumeMount",
        _ => "",
    }
}

/// Whether a field itself, or its elements, have a field of this name.
fn has_field(schema: &Value, key: &str) -> bool {
    let inner = schema.get("items").unwrap_or(schema).get("properties");
    inner.is_some_and(|inner| inner.get(key).is_some())
}

fn not_one_of(word: &str, words: &[&str]) -> String {
    match nearest(word, words.iter().copied()) {
        Some(meant) => format!("unknown variant `{word}`; did you mean `{meant}`?"),
        None => format!("unknown variant `{word}`, expected one of {}", quoted(words.iter().copied())),
    }
}

fn no_text(value: &Value, schema: &Value) -> String {
    let words = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = words.collect();
    if words.is_empty() {
        return match value {
            Value::Bool(is_true) => {
                let others = if *is_true { "y, yes and on" } else { "n, no and off" };
                format!("must be a text, not {is_true}: put it in quotes, as YAML reads {others} as {is_true}")
            }
            Value::Number(number) => format!("must be a text: write \"{number}\", in quotes"),
            other => format!("must be a text, not {}", described(other)),
        };
    }
    let is_no = |word: &&&str| ["n", "no", "off"].contains(&word.to_lowercase().as_str());
    let meant = words.iter().find(is_no).filter(|_| *value == Value::Bool(false));
    let in_quotes = meant.map(|word| format!(": write \"{word}\" in quotes, as YAML reads it as false"));
    format!(
        "must be one of {}, not {}{}",
        quoted(words.iter().copied()),
        described(value),
        in_quotes.unwrap_or_default()
    )
}

fn no_map(value: &Value, schema: &Value) -> String {
    let known = schema.get("properties").and_then(Value::as_object);
    let wanted = match known {
        Some(known) => format!("of {}", quoted(known.keys().map(String::as_str))),
        None => "such as `name: value`".to_owned(),
    };
    format!("must be a map {wanted}, not {}", described(value))
}

fn no_number(value: &Value) -> String {
    let number = value.as_str().filter(|text| text.parse::<i64>().is_ok());
    match number {
        Some(number) => format!("must be a whole number: write {number}, without quotes"),
        None => format!("must be a whole number, not {}", described(value)),
    }
}

fn described(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        other => other.to_string(),
    }
}

fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn quoted<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
