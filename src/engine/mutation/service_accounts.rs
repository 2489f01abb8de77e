//! The labels of service accounts, as far as documents ask for them.
//!
//! Kept true: an account that nobody has told of is unknown, which is not the same as one without labels; and so is every account where
//! a document asks for a label that was not kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::surroundings::Labels;
use super::tree::Node;
use crate::engine::object::StringMap;
use crate::engine::request::Unread;
use crate::engine::shards::Shards;

/// Service accounts by namespace and name. A clone shares what does not change.
#[derive(Debug, Clone, Default)]
pub struct ServiceAccounts {
    /// The keys of the labels that are kept of each.
    kept: Arc<BTreeSet<Box<str>>>,
    held: Shards<Arc<Labels>>,
}

impl ServiceAccounts {
    /// None yet, of which the labels of these keys will be kept.
    pub fn keeping(keys: BTreeSet<Box<str>>) -> Self {
        Self { kept: Arc::new(keys), held: Shards::default() }
    }

    /// None, of which the same would be kept.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { kept: self.kept.clone(), held: Shards::default() }
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Of an account's labels those that are kept.
    pub fn kept_of(&self, labels: &StringMap<'_>) -> Labels {
        kept_of(&self.kept, labels)
    }

    /// Adds an account, or replaces it; false if it was there, the same. `labels` are those that are kept of it.
    pub fn put(&mut self, namespace: &str, name: &str, labels: Arc<Labels>) -> bool {
        self.held.put(&key(namespace, name), labels)
    }

    /// Forgets an account; false if it was not known.
    pub fn remove(&mut self, namespace: &str, name: &str) -> bool {
        self.held.take(&key(namespace, name))
    }

    /// Whether an account is known.
    pub fn has(&self, namespace: &str, name: &str) -> bool {
        self.held.find(&key(namespace, name)).is_some()
    }

    /// What an account says of these keys, or more; none if it is not known.
    pub fn find(&self, asked: &BTreeSet<Box<str>>, namespace: &str, name: &str) -> Option<&Labels> {
        if !asked.is_subset(&self.kept) {
            return None;
        }
        self.held.find(&key(namespace, name)).map(AsRef::as_ref)
    }
}

/// Of some labels or annotations those with one of these keys.
pub fn kept_of(keys: &BTreeSet<Box<str>>, labels: &StringMap<'_>) -> Labels {
    let values = keys.iter().filter_map(|key| Some((key.clone(), labels.get(key)?.into())));
    values.collect()
}

/// The name of a pod's service account.
pub(in crate::engine) fn service_account_of(pod: Unread<'_>) -> String {
    let spec = Node::new(pod.spec);
    // The second is the older name of the first, which the API server keeps equal.
    let said = ["serviceAccountName", "serviceAccount"].into_iter().filter_map(|field| spec.string_at(field));
    said.map(|name| name.into_owned()).find(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned())
}

/// Neither has a slash.
fn key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[&str]) -> BTreeSet<Box<str>> {
        keys.iter().map(|key| (*key).into()).collect()
    }

    fn accounts() -> ServiceAccounts {
        let mut accounts = ServiceAccounts::keeping(keys(&["needs-api"]));
        let labels = [("needs-api".into(), "true".into()), ("team".into(), "a".into())].into_iter().collect();
        let kept = accounts.kept_of(&labels);
        assert!(accounts.put("shop", "web", Arc::new(kept)));
        accounts
    }

    #[test]
    fn keeps_what_is_asked_for_and_nothing_else() {
        let expected: Labels = [("needs-api".into(), "true".into())].into();
        assert_eq!(accounts().find(&keys(&["needs-api"]), "shop", "web"), Some(&expected));
    }

    #[test]
    fn what_nobody_told_of_is_unknown() {
        let mut accounts = accounts();
        let asked = keys(&["needs-api"]);
        assert_eq!(accounts.find(&asked, "shop", "cart"), None);
        assert_eq!(accounts.find(&asked, "shop2", "web"), None);
        assert!(accounts.remove("shop", "web"));
        assert_eq!(accounts.find(&asked, "shop", "web"), None);
    }

    #[test]
    fn nobody_is_known_to_whom_a_label_matters_that_was_not_kept() {
        assert_eq!(accounts().find(&keys(&["needs-api", "team"]), "shop", "web"), None);
    }

    #[test]
    fn a_pod_has_the_account_that_it_names_or_the_default_one() {
        let account = |pod| service_account_of(Unread::of(pod));
        assert_eq!(account(r#"{"spec":{"serviceAccountName":"web","serviceAccount":"old"}}"#), "web");
        assert_eq!(account(r#"{"spec":{"serviceAccountName":"","serviceAccount":"old"}}"#), "old");
        assert_eq!(account(r#"{"spec":{"serviceAccountName":null}}"#), "default");
        assert_eq!(account(r#"{"serviceAccountName":"none"}"#), "default");
    }
}
