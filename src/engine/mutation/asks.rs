//! What documents ask of a cluster by key: of all annotations of namespaces and labels of service accounts, these alone are kept.

use std::collections::BTreeSet;

use super::documents::{Active, Part};

/// The keys that some document in force asks about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// Of annotations of the pod's namespace.
    pub namespace_annotations: BTreeSet<Box<str>>,
    /// Of labels of the pod's service account.
    pub service_account_labels: BTreeSet<Box<str>>,
}

impl Asks {
    pub(super) fn of<'a>(documents: impl IntoIterator<Item = &'a Active>) -> Self {
        let mut asks = Self::default();
        for document in documents {
            match &document.part {
                Part::Defaults(defaults) => asks.service_account_labels.extend(defaults.service_account_labels()),
                Part::Injection(injection) => asks.namespace_annotations.extend(injection.namespace_annotations()),
            }
        }
        asks
    }
}

impl Active {
    /// Whether what it does to a pod depends on the labels of the pod's service account.
    pub(super) fn asks_for_service_account(&self) -> bool {
        match &self.part {
            Part::Defaults(defaults) => defaults.service_account_labels().next().is_some(),
            Part::Injection(_) => false,
        }
    }
}
