//! The labels of service accounts, followed while a document in force asks for them, and only those that are asked for.
//!
//! Until all have been listed, and once nothing has been heard of them for too long, they are unknown: a review that needs one reads it
//! live. So they never make a replica unready.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Deserialize;
use tokio::sync::watch;

use super::access::Access;
use super::collection::{self, Keeper};
use super::error::ClusterError;
use super::question::Question;
use super::state::State;
use super::surroundings::Known;
use crate::engine::mutation::{Documents, Interned, Labels, ServiceAccounts, kept_of};
use crate::engine::object::{StringMap, Text};

const PATH: &str = "/api/v1/serviceaccounts";

/// The most that are held, each in about 100 bytes. Those beyond are read live.
const MOST: usize = 200_000;

/// The largest that is read live, in bytes; etcd holds less.
const MOST_OF_ONE: usize = 4 << 20;

/// Follows them for ever, whenever the documents ask for any of their labels.
pub(super) async fn follow(state: Arc<State>, known: Arc<Known>, mut documents: watch::Receiver<Arc<Documents>>) {
    loop {
        let asked = documents.borrow_and_update().asks().service_account_labels.clone();
        let accounts = Followed {
            state: state.clone(),
            known: known.clone(),
            held: ServiceAccounts::keeping(asked.clone()),
            interned: Interned::default(),
            has_changed: true,
            most: MOST,
        };
        accounts.forget();
        if asked.is_empty() {
            if documents.changed().await.is_err() {
                return;
            }
            continue;
        }
        let (condition, _) = watch::channel(String::new());
        tokio::select! {
            () = collection::keep(state.access.clone(), PATH, accounts, condition) => {}
            ended = until_others_are_asked_for(&asked, &mut documents) => if ended.is_err() {
                return;
            },
        }
    }
}

/// Waits for documents that ask for other labels than these.
async fn until_others_are_asked_for(
    asked: &BTreeSet<Box<str>>,
    documents: &mut watch::Receiver<Arc<Documents>>,
) -> Result<(), watch::error::RecvError> {
    documents.wait_for(|documents| documents.asks().service_account_labels != *asked).await.map(drop)
}

/// What the watch has told.
struct Followed {
    state: Arc<State>,
    known: Arc<Known>,
    held: ServiceAccounts,
    interned: Interned<Labels>,
    has_changed: bool,
    most: usize,
}

impl Followed {
    /// Has everybody read live.
    fn forget(&self) {
        self.show(ServiceAccounts::default());
    }

    fn show(&self, accounts: ServiceAccounts) {
        let count = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
        self.state.metrics.service_accounts.store(count, Ordering::Relaxed);
        self.known.change(|known| known.service_accounts = accounts);
        self.known.publish(&self.state);
    }
}

impl Keeper for Followed {
    fn clear(&mut self) {
        self.held = self.held.emptied();
        self.has_changed = true;
    }

    fn put(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let Account { metadata } = serde_json::from_str(object)?;
        if self.held.has(&metadata.namespace, &metadata.name) || self.held.len() < self.most {
            let labels = self.interned.keep(self.held.kept_of(&metadata.labels));
            self.has_changed |= self.held.put(&metadata.namespace, &metadata.name, labels);
        }
        Ok(())
    }

    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error> {
        let Account { metadata } = serde_json::from_str(object)?;
        self.has_changed |= self.held.remove(&metadata.namespace, &metadata.name);
        Ok(())
    }

    fn publish(&mut self) {
        if std::mem::take(&mut self.has_changed) {
            self.show(self.held.clone());
        }
    }

    fn is_too_old(&mut self) {
        self.has_changed = true;
        self.forget();
    }
}

/// Reads the labels of one service account, those that are asked for; the names must be such, see `question`.
pub(super) async fn read(
    access: &Access,
    asked: &BTreeSet<Box<str>>,
    namespace: &str,
    name: &str,
) -> Result<Labels, ClusterError> {
    let text = access.read(Question::ServiceAccount { namespace, name }, MOST_OF_ONE).await?;
    let Account { metadata } = serde_json::from_slice(&text)?;
    Ok(kept_of(asked, &metadata.labels))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    #[serde(borrow)]
    namespace: Text<'a>,
    #[serde(borrow)]
    labels: StringMap<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{Snapshot, Unlisted};
    use std::time::{Duration, Instant};

    fn asked() -> BTreeSet<Box<str>> {
        ["needs-api".into()].into()
    }

    fn followed(most: usize) -> Followed {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let access = runtime.block_on(async { Access::to_nowhere() });
        let rules = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
        let state = State::new(access, rules, Duration::from_secs(60), Arc::default());
        Followed {
            state: Arc::new(state),
            known: Arc::default(),
            held: ServiceAccounts::keeping(asked()),
            interned: Interned::default(),
            has_changed: true,
            most,
        }
    }

    fn account(name: &str, label: &str) -> String {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","labels":{{"needs-api":"{label}","team":"{name}"}}}}}}"#
        )
    }

    /// What is published of the label.
    fn label(followed: &Followed, name: &str) -> Option<String> {
        let snapshot = followed.state.to_judge_by(Instant::now());
        let labels = snapshot.surroundings.service_accounts.find(&asked(), "shop", name)?;
        Some(labels.get("needs-api").map(ToString::to_string).unwrap_or_default())
    }

    #[test]
    fn what_the_watch_tells_is_published_and_counted() {
        let mut followed = followed(10);
        for (name, value) in [("a", "true"), ("b", "true"), ("c", "false")] {
            followed.put(&account(name, value)).expect("an account");
        }
        assert_eq!(label(&followed, "a"), None, "not before everything that came at once");
        followed.publish();
        assert_eq!(label(&followed, "a").as_deref(), Some("true"));
        followed.put(&account("a", "false")).expect("an account");
        followed.remove(&account("b", "true")).expect("an account");
        followed.publish();
        assert_eq!((label(&followed, "a").as_deref(), label(&followed, "b")), (Some("false"), None));
        assert_eq!(followed.state.metrics.service_accounts.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn what_nobody_asks_for_changes_nothing_and_equal_labels_are_kept_once() {
        let mut followed = followed(10);
        followed.put(&account("a", "true")).expect("an account");
        followed.put(&account("b", "true")).expect("an account");
        followed.publish();
        let kept = |name| std::ptr::from_ref(followed.held.find(&asked(), "shop", name).expect("an account"));
        assert_eq!(kept("a"), kept("b"));
        followed.put(&account("a", "true").replace("\"team\":\"a\"", "\"team\":\"z\"")).expect("an account");
        assert!(!followed.has_changed);
    }

    #[test]
    fn accounts_beyond_the_bound_are_unknown_and_known_ones_stay_current() {
        let mut followed = followed(1);
        followed.put(&account("a", "true")).expect("an account");
        followed.put(&account("b", "true")).expect("an account");
        followed.put(&account("a", "false")).expect("an account");
        followed.publish();
        assert_eq!((label(&followed, "a").as_deref(), label(&followed, "b")), (Some("false"), None));
    }

    #[test]
    fn what_is_too_old_is_unknown_until_something_is_heard() {
        let mut followed = followed(10);
        followed.put(&account("a", "true")).expect("an account");
        followed.publish();
        followed.is_too_old();
        assert_eq!(label(&followed, "a"), None);
        followed.publish();
        assert_eq!(label(&followed, "a").as_deref(), Some("true"));
    }

    #[test]
    fn a_full_list_forgets_what_it_does_not_tell_of() {
        let mut followed = followed(10);
        followed.put(&account("a", "true")).expect("an account");
        followed.publish();
        followed.clear();
        assert_eq!(
            label(&followed, "a").as_deref(),
            Some("true"),
            "what is published stays until the list is complete"
        );
        followed.put(&account("b", "true")).expect("an account");
        followed.publish();
        assert_eq!((label(&followed, "a"), label(&followed, "b").as_deref()), (None, Some("true")));
    }
}
