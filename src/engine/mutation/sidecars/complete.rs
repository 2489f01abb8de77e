//! A container of the pod's that asks to be completed by ours: what it has, it keeps, field by field and amount by amount.

use serde_json::{Map, Value};

use super::super::tree::Node;
use super::super::written::quoted;
use crate::engine::object::Quantity;

/// Completes a container of the pod's by ours, field by field; what it has, it keeps.
pub(super) fn complete<'a>(container: &mut Node<'a>, ours: &Node<'a>) {
    if container.string_at("image").is_some_and(|image| image == "auto")
        && let Some(image) = ours.string_at("image")
    {
        container.set("image", quoted(&image));
    }
    for (list, key) in [("env", "name"), ("volumeMounts", "mountPath"), ("ports", "containerPort")] {
        for element in ours.list(list) {
            let wanted = element.get(key).map(|value| value.to_json().into_owned());
            let is_there =
                container.list(list).any(|found| found.get(key).map(|value| value.to_json().into_owned()) == wanted);
            if !is_there && let Some(elements) = container.member(list) {
                elements.push(element.to_json().into_owned());
            }
        }
    }
    for (key, value) in ours.members().filter(|(key, _)| !matches!(*key, "env" | "volumeMounts" | "ports")) {
        fill(container, key, value, 3);
    }
}

/// Gives a member where there is none; where both are objects, goes down so many levels.
fn fill<'a>(object: &mut Node<'a>, key: &str, value: &Node<'a>, levels: usize) {
    let Some(found) = object.get(key) else {
        object.set(key.to_owned(), value.to_json().into_owned());
        return;
    };
    let has_parts = matches!(key, "securityContext" | "resources" | "requests" | "limits");
    if has_parts
        && found.to_json().starts_with('{')
        && levels > 0
        && let Some(inner) = object.member(key)
    {
        for (key, value) in value.members() {
            fill(inner, key, value, levels - 1);
        }
    }
}

/// Gives a container the amounts that it does not have; a pair of which it has one half stays one that the API takes.
pub(super) fn complete_resources(container: &mut Node<'_>, ours: &str) {
    let Ok(Value::Object(ours)) = serde_json::from_str::<Value>(ours) else { return };
    let there = container.get("resources").and_then(|there| serde_json::from_str(&there.to_json()).ok());
    let there: Map<String, Value> = there.unwrap_or_default();
    let amount = |of: &Map<String, Value>, side: &str, resource: &str| of.get(side)?.get(resource).cloned();
    for (side, other) in [("requests", "limits"), ("limits", "requests")] {
        for (resource, wanted) in ours.get(side).and_then(Value::as_object).into_iter().flatten() {
            if amount(&there, side, resource).is_some() {
                continue;
            }
            let half = amount(&there, other, resource);
            let is_broken = half.as_ref().is_some_and(|half| {
                let (wanted, half) = (quantity(wanted), quantity(half));
                if side == "requests" { wanted > half } else { wanted < half }
            });
            let chosen = half.filter(|_| is_broken).unwrap_or_else(|| wanted.clone());
            if let Some(amounts) = container.within(&["resources", side]) {
                amounts.set(resource.clone(), chosen.to_string());
            }
        }
    }
    for (key, value) in ours.iter().filter(|(key, _)| !matches!(key.as_str(), "requests" | "limits")) {
        if !there.contains_key(key)
            && let Some(resources) = container.member("resources")
        {
            resources.set(key.clone(), value.to_string());
        }
    }
}

fn quantity(amount: &Value) -> Option<Quantity> {
    match amount {
        Value::String(text) => Quantity::parse(text).ok(),
        other => Quantity::parse(&other.to_string()).ok(),
    }
}
