//! What is added to the pod itself: labels, annotations, the grace period, pull secrets.

use super::super::plan::{Reason, Weight};
use super::super::tree::Node;
use super::super::written::quoted;
use super::claim::Part;
use super::work::{Work, set_text};

pub(super) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// Volumes that do not keep the cluster autoscaler from removing a node; names with commas between them.
pub(super) const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
/// What the API server sets where a pod says nothing, in seconds.
const USUAL_GRACE: i64 = 30;

impl<'a> Work<'a, '_> {
    /// Labels and annotations come before containers: values may be taken from them.
    pub(super) fn add_labels(&mut self) {
        let parts = self.parts;
        parts.pod.labels.iter().for_each(|(key, value)| self.add_text(Part::Label(key), key, value));
        parts.pod.annotations.iter().for_each(|(key, value)| self.add_text(Part::Annotation(key), key, value));
    }

    fn add_text(&mut self, part: Part<'a>, key: &'a str, value: &str) {
        let map = if matches!(part, Part::Label(_)) { "labels" } else { "annotations" };
        self.keep_part(part);
        let present = self.plan.pod.at(&["metadata", map, key]);
        if (present.is_none() || self.is_outdated(part))
            && let Some(map) = self.plan.pod.within(&["metadata", map])
        {
            set_text(map, key, value);
            self.record_part(part);
        }
    }

    pub(super) fn finish_pod(&mut self) {
        let parts = self.parts;
        if parts.pod.default_container
            && let Some(first) = self.first_container()
        {
            self.add_text(Part::Annotation(DEFAULT_CONTAINER), DEFAULT_CONTAINER, &first);
        }
        if let Some(least) = parts.pod.termination_grace_period_at_least {
            self.raise_grace_period(i64::from(least));
        }
        self.add_pull_secrets();
        self.mark_safe_to_evict();
        self.list_growth();
    }

    fn raise_grace_period(&mut self, least: i64) {
        const FIELD: &str = "terminationGracePeriodSeconds";
        let present = self.plan.pod.at(&["spec", FIELD]).and_then(Node::integer);
        let before: Vec<String> = self.claim.parts.iter().filter(|part| part.starts_with("g/")).cloned().collect();
        self.record.parts.extend(before);
        match present.unwrap_or(USUAL_GRACE) {
            0 => self.note(Reason::GracePeriodIsZero, Weight::Warning, format!("spec.{FIELD}")),
            seconds if seconds < least => {
                if let Some(spec) = self.spec() {
                    spec.set(FIELD, least.to_string());
                }
                self.record_part(Part::Grace(present));
            }
            _ => {}
        }
    }

    fn add_pull_secrets(&mut self) {
        let parts = self.parts;
        for name in &parts.pod.image_pull_secrets {
            self.keep_part(Part::PullSecret(name));
            let is_named = |secret: &Node<'_>| secret.string_at("name").is_some_and(|found| found == *name);
            if self.plan.pod.get("spec").is_some_and(|spec| spec.list("imagePullSecrets").any(is_named)) {
                continue;
            }
            if self.plan.world.is_template {
                self.note(Reason::ImagePullSecretsInTemplate, Weight::Warning, format!("Secret {name:?}"));
                continue;
            }
            if let Some(secrets) = self.spec().and_then(|spec| spec.member("imagePullSecrets")) {
                secrets.push(format!(r#"{{"name":{}}}"#, quoted(name)));
            }
            self.record_part(Part::PullSecret(name));
        }
    }

    /// Appends to what the user lists.
    fn mark_safe_to_evict(&mut self) {
        let parts = self.parts;
        let volumes = parts.volumes.iter().filter(|volume| volume.is_safe_to_evict);
        let mut names: Vec<String> = volumes.map(|volume| self.volume_name(&volume.name).to_owned()).collect();
        // What the user puts into a volume of his own is not ours to give up.
        names.retain(|name| self.record.parts.contains(&Part::Volume(name).text()));
        if names.is_empty() {
            return;
        }
        let present = self.plan.pod.at(&["metadata", "annotations", SAFE_TO_EVICT]).and_then(Node::string);
        let mut list = present.unwrap_or_default().into_owned();
        for name in names {
            if !list.split(',').any(|listed| listed.trim() == name) {
                let comma = if list.trim().is_empty() { "" } else { "," };
                list = format!("{list}{comma}{name}");
            }
        }
        if let Some(annotations) = self.plan.pod.within(&["metadata", "annotations"]) {
            set_text(annotations, SAFE_TO_EVICT, &list);
        }
    }
}
