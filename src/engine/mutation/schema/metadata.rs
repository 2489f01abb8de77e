//! Labels and annotations that documents set or look for, and what pods refer to by name.

use std::collections::BTreeMap;

use super::Inspection;
use super::grammar::Grammar;
use crate::engine::mutation::document::{Enablement, LabelSelector, Match, SelectorOperator};

/// The most bytes of all annotations of an object (`TotalAnnotationSizeLimitB`).
const MOST_ANNOTATIONS: usize = 256 << 10;

/// An annotation that makes a pod a mirror of one that a kubelet runs: the API server refuses it in pods without a node.
const MIRROR: &str = "kubernetes.io/config.mirror";

impl Inspection<'_> {
    /// What is set in the pod's metadata, and its pull secrets.
    pub(super) fn metadata(
        &mut self,
        (labels, annotations): (&BTreeMap<String, String>, &BTreeMap<String, String>),
        secrets: &[String],
        path: &str,
    ) {
        for (key, value) in labels {
            let at = format!("{path}.labels[{key}]");
            self.key(key, Grammar::QualifiedName.accepts(key), &at);
            if !Grammar::LabelValue.accepts(value) {
                let wanted = Grammar::LabelValue.wanted();
                self.add(at, format!("{value:?} is no value of a label: it must be {wanted}"));
            }
        }
        for key in annotations.keys() {
            let at = format!("{path}.annotations[{key}]");
            // The API server looks at the key in lower case.
            self.key(key, Grammar::QualifiedName.accepts(&key.to_ascii_lowercase()), &at);
            if key == MIRROR {
                self.add(at, "is refused in every pod that is not a kubelet's own; leave it out");
            }
        }
        let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > MOST_ANNOTATIONS {
            self.add(format!("{path}.annotations"), format!("have {size} bytes; a pod has at most {MOST_ANNOTATIONS}"));
        }
        for (index, name) in secrets.iter().enumerate().filter(|(_, name)| !Grammar::Subdomain.accepts(name)) {
            self.add(format!("{path}.imagePullSecrets[{index}]"), format!("{name:?} is no name of a Secret"));
        }
    }

    /// What is looked for in pods and namespaces: what can never be there is a mistake.
    pub(super) fn selection(&mut self, enablement: &Enablement, matches: &Match) {
        let labels = [("podLabels", &enablement.pod_labels), ("namespaceLabels", &enablement.namespace_labels)];
        for (field, keys) in labels {
            for (index, key) in keys.iter().enumerate() {
                self.key(key, Grammar::QualifiedName.accepts(key), &format!("spec.enablement.{field}[{index}]"));
            }
        }
        for (index, key) in enablement.pod_annotations.iter().enumerate() {
            let is_key = Grammar::QualifiedName.accepts(&key.to_ascii_lowercase());
            self.key(key, is_key, &format!("spec.enablement.podAnnotations[{index}]"));
        }
        self.selector(&matches.namespace_selector, "spec.match.namespaceSelector");
        self.selector(&matches.pod_selector, "spec.match.podSelector");
        self.selector(&matches.service_account_selector, "spec.match.serviceAccountSelector");
    }

    /// `ValidateLabelSelector`.
    pub(super) fn selector(&mut self, selector: &LabelSelector, path: &str) {
        for (key, value) in &selector.match_labels {
            let at = format!("{path}.matchLabels[{key}]");
            self.key(key, Grammar::QualifiedName.accepts(key), &at);
            if !Grammar::LabelValue.accepts(value) {
                self.add(at, format!("{value:?} is no value of a label: {}", Grammar::LabelValue.wanted()));
            }
        }
        for (index, requirement) in selector.match_expressions.iter().enumerate() {
            let at = format!("{path}.matchExpressions[{index}]");
            self.key(&requirement.key, Grammar::QualifiedName.accepts(&requirement.key), &format!("{at}.key"));
            let wants_values = matches!(requirement.operator, SelectorOperator::In | SelectorOperator::NotIn);
            if wants_values == requirement.values.is_empty() {
                let problem =
                    if wants_values { "must have at least one" } else { "must be left out under this operator" };
                self.add(format!("{at}.values"), problem);
            }
        }
    }

    fn key(&mut self, key: &str, is_key: bool, path: &str) {
        if !is_key {
            self.add(path, format!("{key:?} is no key: it must be {}", Grammar::QualifiedName.wanted()));
        }
    }
}
