//! Labels, annotations and pull secrets where the pod has none of the name.

use std::collections::BTreeMap;

use super::{Flaw, Part, Reason, Weight, flaw};
use crate::engine::mutation::{document, is_named, quoted};

#[derive(Debug)]
pub(super) struct FieldDefaults {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    image_pull_secrets: Vec<String>,
}

impl FieldDefaults {
    pub(super) fn compile(document: &document::PodFieldDefaults, flaws: &mut Vec<Flaw>) -> Self {
        for (field, map) in [("labels", &document.labels), ("annotations", &document.annotations)] {
            for (key, value) in map {
                let path = format!("spec.pod.{field}.{key}");
                if !is_qualified(key) {
                    flaws.push(flaw(
                        &*path,
                        "is no key: write a name of letters, digits, - _ and . with an optional domain/ before it",
                    ));
                }
                if field == "labels" && !is_label_value(value) {
                    flaws.push(flaw(
                        &*path,
                        format!("{value:?} is no value of a label: at most 63 letters, digits, - _ and ."),
                    ));
                }
            }
        }
        for (index, name) in document.image_pull_secrets.iter().enumerate() {
            if name.is_empty() {
                flaws.push(flaw(format!("spec.pod.imagePullSecrets[{index}]"), "must be the name of a Secret"));
            }
        }
        Self {
            labels: document.labels.clone(),
            annotations: document.annotations.clone(),
            image_pull_secrets: document.image_pull_secrets.clone(),
        }
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) {
        for (field, map) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            for (key, value) in map {
                if part.pod().at(&["metadata", field, key]).is_none()
                    && let Some(found) = part.within(&["metadata", field])
                {
                    found.set(key, quoted(value));
                }
            }
        }
        self.add_pull_secrets(part);
    }

    /// Appends pull secrets. A template that has none gets none: pods of it would no longer have those of their service account.
    fn add_pull_secrets(&self, part: &mut Part<'_, '_>) {
        let found = |part: &Part<'_, '_>, name: &str| {
            part.spec().is_some_and(|spec| spec.list("imagePullSecrets").any(|secret| is_named(secret, name)))
        };
        let has_none = part.spec().is_none_or(|spec| spec.list("imagePullSecrets").next().is_none());
        if part.plan.world.is_template && has_none {
            if !self.image_pull_secrets.is_empty() {
                part.note(Reason::ImagePullSecretsInTemplate, Weight::Warning, "spec.imagePullSecrets");
            }
            return;
        }
        for name in &self.image_pull_secrets {
            if !found(part, name)
                && let Some(secrets) = part.within(&["spec", "imagePullSecrets"])
            {
                secrets.push(format!(r#"{{"name":{}}}"#, quoted(name)));
            }
        }
    }
}

/// `validation.IsQualifiedName`.
pub(super) fn is_qualified(key: &str) -> bool {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !name.is_empty()
        && is_label_value(name)
        && domain.is_none_or(|domain| domain.len() <= 253 && domain.split('.').all(is_label))
}

/// `validation.IsValidLabelValue`.
pub(super) fn is_label_value(value: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_outer = |byte: Option<u8>| byte.is_none_or(|byte| byte.is_ascii_alphanumeric());
    value.len() <= 63 && value.bytes().all(is_inner) && is_outer(value.bytes().next()) && is_outer(value.bytes().last())
}
