//! Pods under policies: the verdict, upstream's `ForbiddenReason` and its `ForbiddenDetail`.

use super::{Difference, asks};
use portcullis::engine::{
    json,
    object::{Object, Pod},
    pod_security::{LevelVersion, Registry, registry},
};
use serde_json::{Value, json};

/// Compares one pod under each of its policies.
pub fn compare(question: &Value, upstream: &Value) -> Option<Difference> {
    if !asks(question, "pod") {
        return None;
    }
    let policies = policies(question)?;
    let text = text(question);
    let object = match json::from_slice::<Object<'_>>(text.as_bytes()) {
        Ok(object) => object,
        Err(_) if upstream.get("error").is_some() => return None,
        Err(error) => return Some(Difference::verdict("decoding", &"decodes", &error)),
    };
    if let Some(error) = upstream.get("error") {
        return Some(Difference::verdict("decoding", &error, &"decodes"));
    }
    let verdicts = upstream.get("verdicts")?.as_array()?;
    policies
        .into_iter()
        .zip(verdicts)
        .find_map(|(policy, verdict)| under(registry(), policy, &Pod::of(&object), verdict))
}

/// Compares one pod under one policy as `registry` has it.
pub fn under(registry: &Registry, policy: LevelVersion, pod: &Pod<'_>, upstream: &Value) -> Option<Difference> {
    let ours = registry.evaluate(policy, pod);
    let said = |key: &str| upstream.get(key).and_then(Value::as_str).unwrap_or_default();
    let place = policy.to_string();
    if upstream.get("allowed") != Some(&json!(ours.is_allowed())) {
        return Some(Difference::verdict(&place, &upstream, &ours.forbidden_detail()));
    }
    let (reason, detail) = (ours.forbidden_reason(), ours.forbidden_detail());
    if reason != said("reason") {
        return Some(Difference::text(&format!("{place}, reason"), &said("reason"), &reason));
    }
    (detail != said("detail")).then(|| Difference::text(&format!("{place}, detail"), &said("detail"), &detail))
}

/// The policies of a question; none if one of them is no policy, as in a case that is being shrunk.
pub fn policies(question: &Value) -> Option<Vec<LevelVersion>> {
    let policies = question.get("policies")?.as_array()?;
    policies.iter().map(|policy| parse(policy.as_str()?)).collect()
}

pub fn parse(policy: &str) -> Option<LevelVersion> {
    let (level, version) = policy.split_once(':')?;
    Some(LevelVersion { level: level.parse().ok()?, version: version.parse().ok()? })
}

/// The pod of a question as JSON.
pub fn text(question: &Value) -> String {
    let part = |key: &str| question.get(key).unwrap_or(&Value::Null);
    json!({"metadata": part("metadata"), "spec": part("spec")}).to_string()
}
