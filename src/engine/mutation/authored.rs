//! What the author of a stored pod wrote himself, as far as its managed fields tell: the API server notes whose fields are whose before it
//! asks the webhooks, so what they fill in while a pod is created is nobody's.
//!
//! Source: `createHandler` of `k8s.io/apiserver/pkg/endpoints/handlers/create.go`; the format is that of
//! `sigs.k8s.io/structured-merge-diff/fieldpath`. An atomic list is one field: whose its elements are is not known.

use serde_json::{Map, Value};

use super::unfilling::Step;

/// Whether somebody is noted as the author of a place of the pod. False where nothing is known, as in most manifests: kubectl shows
/// managed fields if it is asked to.
pub(super) fn is_authored(pod: &Value, path: &[Step]) -> bool {
    let entries = pod.pointer("/metadata/managedFields").and_then(Value::as_array).into_iter().flatten();
    // Who writes a subresource writes what the pod came to, such as its status and its node.
    let of_the_pod = entries.filter(|entry| entry.get("subresource").and_then(Value::as_str).is_none_or(str::is_empty));
    let mut fields = of_the_pod.filter_map(|entry| entry.get("fieldsV1")?.as_object());
    fields.any(|fields| has(fields, pod, path))
}

fn has(fields: &Map<String, Value>, value: &Value, path: &[Step]) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    let below = match step {
        Step::Key(key) => fields.get(&format!("f:{key}")).zip(value.get(key)),
        Step::Index(index) => value.get(index).and_then(|element| Some((of_element(fields, element)?, element))),
    };
    below.is_some_and(|(fields, value)| fields.as_object().is_some_and(|fields| has(fields, value, rest)))
}

/// What is noted of an element of a list: by its keys (`k:{"name":"app"}`) or, where it is a text or a number, by itself (`v:"ALL"`).
fn of_element<'f>(fields: &'f Map<String, Value>, element: &Value) -> Option<&'f Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let is_it = |name: &str| match name.split_once(':') {
        Some(("k", keys)) => read(keys).is_some_and(|keys| has_keys(element, &keys)),
        Some(("v", text)) => read(text).is_some_and(|found| found == *element),
        _ => false,
    };
    fields.iter().find(|(name, _)| is_it(name)).map(|(_, fields)| fields)
}

fn has_keys(element: &Value, keys: &Value) -> bool {
    keys.as_object().is_some_and(|keys| keys.iter().all(|(key, value)| element.get(key) == Some(value)))
}
