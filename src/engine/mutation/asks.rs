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
            asks.service_account_labels.extend(document.service_account_labels());
            if let Part::Injection(injection) = &document.part {
                asks.namespace_annotations.extend(injection.namespace_annotations());
            }
        }
        asks
    }
}

impl Active {
    /// Whether it depends on the labels of the pod's service account: whether it is for the pod, or what it does to it.
    pub(super) fn asks_for_service_account(&self) -> bool {
        self.service_account_labels().next().is_some()
    }

    fn service_account_labels(&self) -> impl Iterator<Item = Box<str>> {
        let by_selection = self.selection.r#match.service_account_selector.keys().map(Into::into);
        let by_part = match &self.part {
            Part::Defaults(defaults) => Some(defaults.service_account_labels()),
            Part::Injection(_) => None,
        };
        by_selection.chain(by_part.into_iter().flatten())
    }
}
