//! Labels, annotations and pull secrets where the pod has none of the name.

use std::collections::BTreeMap;

use super::{Part, Reason, Weight};
use crate::engine::mutation::{document, is_named, quoted};

#[derive(Debug)]
pub(super) struct FieldDefaults {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    image_pull_secrets: Vec<String>,
}

impl FieldDefaults {
    pub(super) fn compile(document: &document::PodFieldDefaults) -> Self {
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
                    found.set(key.clone(), quoted(value));
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
