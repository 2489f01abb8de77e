//! The CustomResourceDefinitions of our documents, made from the types that read them.
//!
//! A structural schema says less than our own reading, which stays strict: it is what `kubectl explain` shows.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::{GROUP, PodDefaults, RESOURCES, SidecarInjection};

/// The definitions, in the order of [`RESOURCES`].
pub fn definitions() -> [Value; 2] {
    let [defaults, injections] = RESOURCES;
    [
        definition(defaults, "PodDefaults", "poddefaults", &schema::<PodDefaults>()),
        definition(injections, "SidecarInjection", "sidecarinjection", &schema::<SidecarInjection>()),
    ]
}

fn definition(plural: &str, kind: &str, singular: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}"), "labels": {"app.kubernetes.io/name": "portcullis"}},
        "spec": {
            "group": GROUP,
            "scope": "Cluster",
            "names": {
                "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular,
                "categories": ["portcullis"],
            },
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "additionalPrinterColumns": [
                    {"name": "Mode", "type": "string", "jsonPath": ".spec.mode"},
                    {"name": "Precedence", "type": "integer", "jsonPath": ".spec.precedence"},
                    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
                ],
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "required": ["spec"],
                    "properties": {
                        "apiVersion": {"type": "string"},
                        "kind": {"type": "string"},
                        "metadata": {"type": "object"},
                        "spec": spec,
                    },
                }},
            }],
        },
    })
}

/// The structural schema of a type.
pub(super) fn schema<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::openapi3();
    settings.inline_subschemas = true;
    let schema: Schema = settings.into_generator().into_root_schema_for::<T>();
    structural(schema.to_value())
}

/// What a structural schema may say of the same: no alternatives, no defaults, nothing but types.
fn structural(schema: Value) -> Value {
    let Value::Object(mut fields) = schema else { return open(None) };
    let description = fields.remove("description");
    if let Some(Value::Array(alternatives)) = fields.remove("oneOf").or_else(|| fields.remove("anyOf")) {
        return with_description(either(&alternatives), description);
    }
    if let Some(Value::Array(all)) = fields.remove("allOf")
        && let [one] = all.as_slice()
    {
        return with_description(structural(one.clone()), description);
    }
    if !fields.contains_key("type") && !fields.contains_key("enum") {
        return with_description(open(None), description);
    }
    let mut kept = Map::new();
    for (key, value) in fields {
        let value = match (key.as_str(), value) {
            ("type" | "enum" | "required" | "nullable" | "minimum", value) => value,
            ("properties", Value::Object(properties)) => {
                Value::Object(properties.into_iter().map(|(name, schema)| (name, structural(schema))).collect())
            }
            ("items", value) => structural(value),
            ("additionalProperties", value @ Value::Object(_)) => structural(value),
            _ => continue,
        };
        kept.insert(key, value);
    }
    with_description(Value::Object(kept), description)
}

/// One of several words, or else whatever our own reading takes.
fn either(alternatives: &[Value]) -> Value {
    let all: Option<Vec<Vec<Value>>> = alternatives.iter().map(words).collect();
    match all.map(|words| words.concat()) {
        Some(words) if words.contains(&Value::Null) => json!({"type": "string", "enum": words, "nullable": true}),
        Some(words) => json!({"type": "string", "enum": words}),
        None => open(None),
    }
}

/// The words that a schema allows, if it allows nothing else; null is that of a field that may be left out.
fn words(schema: &Value) -> Option<Vec<Value>> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    match (schema.get("const"), list("enum"), list("oneOf")) {
        (Some(word), _, _) => Some(vec![word.clone()]),
        (_, Some(words), _) => Some(words.clone()),
        (_, _, Some(alternatives)) => {
            alternatives.iter().map(words).collect::<Option<Vec<_>>>().map(|all| all.concat())
        }
        _ => None,
    }
}

/// Anything.
fn open(description: Option<Value>) -> Value {
    with_description(json!({"x-kubernetes-preserve-unknown-fields": true}), description)
}

fn with_description(mut schema: Value, description: Option<Value>) -> Value {
    if let (Some(fields), Some(Value::String(text))) = (schema.as_object_mut(), description) {
        fields.insert("description".to_owned(), text.split_whitespace().collect::<Vec<_>>().join(" ").into());
    }
    schema
}
