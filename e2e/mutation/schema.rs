//! What we know of Kubernetes' types is what a real API server publishes, and what we take for a good document is good for it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::stage::with_stage;

/// The types that documents hold parts of.
const ROOTS: [&str; 7] = [
    "Container",
    "EnvVarSource",
    "NodeSelectorRequirement",
    "Toleration",
    "TopologySpreadConstraint",
    "Volume",
    "VolumeMount",
];

#[test]
fn the_table_of_types_is_what_the_api_server_publishes() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let version = api.get("/version")?.done()?;
        let published = api.get("/openapi/v3/api/v1")?.done()?;
        let table = table(&version, &published["components"]["schemas"])?;
        if env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(path(), &table)?;
        }
        let kept = fs::read_to_string(path())?;
        assert_eq!(kept, table, "UPDATE_SCHEMA=1 cargo test --test cluster_mutation the_table_of_types writes it anew");
        Ok(())
    })
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/mutation/schema/kubernetes.txt")
}

/// A line a type and a line a field: `name type` or `name! type` if it is required, then the only values that it may have.
fn table(version: &Value, schemas: &Value) -> Result<String> {
    let mut open: BTreeSet<String> = ROOTS.iter().map(|name| format!("io.k8s.api.core.v1.{name}")).collect();
    let mut types: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop_first() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let schema = &schemas[name.as_str()];
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut text = format!("{}\n", last(&name));
        for (field, schema) in schema["properties"].as_object().with_context(|| format!("{name} has no fields"))? {
            let must = if required.contains(&field.as_str()) { "!" } else { "" };
            text.push_str(&format!("  {field}{must} {}{}\n", kind(schema, schemas, &mut open), words(schema)));
        }
        types.push((last(&name).to_owned(), text));
    }
    types.sort();
    let text: String = types.into_iter().map(|(_, text)| text).collect();
    let of = |field: &str| version[field].as_str().unwrap_or_default().to_owned();
    Ok(format!("Kubernetes {}.{}\n{text}", of("major"), of("minor")))
}

/// What a field holds; types that are met on the way are added to `open`.
fn kind(schema: &Value, schemas: &Value, open: &mut BTreeSet<String>) -> String {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(name) = reference.and_then(|path| path.rsplit('/').next()) {
        return match (last(name), &schemas[name]) {
            ("Quantity", _) => "quantity".to_owned(),
            ("IntOrString", _) => "int-or-text".to_owned(),
            (_, of) if of["properties"].is_object() => {
                open.insert(name.to_owned());
                last(name).to_owned()
            }
            (_, of) if of["type"] == "string" => "text".to_owned(),
            _ => "anything".to_owned(),
        };
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}]", kind(&schema["items"], schemas, open)),
        (Some("object"), _) if schema["additionalProperties"].is_object() => {
            format!("{{{}}}", kind(&schema["additionalProperties"], schemas, open))
        }
        (Some("string"), _) => "text".to_owned(),
        (Some("integer"), Some("int32")) => "int32".to_owned(),
        (Some("integer"), _) => "int64".to_owned(),
        (Some("boolean"), _) => "boolean".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn words(schema: &Value) -> String {
    let words = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { String::new() } else { format!(" {}", words.join("|")) }
}

fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
