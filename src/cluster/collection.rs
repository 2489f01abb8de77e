//! Keeps one kind of object current, for whoever holds it in compact form.
//!
//! What was known stays in use while everything is listed anew. A kind that the cluster does not have is one without objects, and is
//! asked for again.

use std::time::Duration;

use tokio::sync::watch;

use super::access::{Access, within};
use super::error::ClusterError;
use super::follow::{Doing, Failure, Followed, MOST_OF_A_PAGE, PATIENCE, follow};
use super::objects::{Told, Unread};
use super::pages::Pages;
use super::question::{LONGEST_WATCH, Listing, Question};

/// After so long without a watch or a list that went well, what is held counts as too old: a watch that goes well lasts ten seconds.
const TOO_OLD: Duration = Duration::from_secs(60);

/// Whoever holds the objects of a kind.
pub(super) trait Keeper: Send + 'static {
    /// Forgets everything: a full list follows. What is published stays until then.
    fn clear(&mut self);
    /// An object is there, or is another than before; its JSON.
    ///
    /// # Errors
    /// It is not what it should be.
    fn put(&mut self, object: &str) -> Result<(), serde_json::Error>;
    /// An object is gone; its JSON.
    ///
    /// # Errors
    /// It is not what it should be.
    fn remove(&mut self, object: &str) -> Result<(), serde_json::Error>;
    /// Everything that came at once has been told.
    fn publish(&mut self);
    /// Nothing has been heard for so long that what is published may be wrong. It is published anew once something is heard.
    fn is_too_old(&mut self) {}
}

/// Keeps the collection at `path` for ever. `condition` says what is missing before it is known; empty once it is.
pub(super) async fn keep(access: Access, path: &'static str, keeper: impl Keeper, condition: watch::Sender<String>) {
    follow(access.clone(), Collection::new(access, path, keeper, condition)).await;
}

pub(super) struct Collection<K> {
    access: Access,
    path: &'static str,
    pub(super) keeper: K,
    condition: watch::Sender<String>,
    /// What was last said of a refusal, which is not said again.
    complaint: String,
}

impl<K: Keeper> Collection<K> {
    pub(super) fn new(access: Access, path: &'static str, keeper: K, condition: watch::Sender<String>) -> Self {
        Self { access, path, keeper, condition, complaint: String::new() }
    }
}

impl<K: Keeper> Followed for Collection<K> {
    const LONGEST_PAUSE: Duration = Duration::from_secs(5);
    const LONGEST_WATCH: Duration = LONGEST_WATCH;

    fn name(&self) -> &str {
        self.path
    }

    async fn list(&mut self) -> Result<String, ClusterError> {
        let mut pages = Pages::new(&self.access, Listing::Collection(self.path));
        let mut is_first = true;
        loop {
            let text = within(PATIENCE, pages.read(MOST_OF_A_PAGE)).await?;
            let page: Unread<'_> = serde_json::from_slice(&text)?;
            if std::mem::take(&mut is_first) {
                self.keeper.clear();
            }
            for object in page.items.as_deref().unwrap_or_default() {
                self.keeper.put(object.get())?;
            }
            if !pages.turn(&page.metadata.r#continue) {
                self.keeper.publish();
                return Ok(page.metadata.resource_version.to_string());
            }
        }
    }

    fn changes<'q>(&'q self, since: &'q str) -> Question<'q> {
        Question::ChangesOf { path: self.path, since }
    }

    fn tell(&mut self, line: &[u8]) -> Result<String, ClusterError> {
        let told = Told::read(line)?;
        match told {
            Told::Put(object) => self.keeper.put(object)?,
            Told::Gone(object) => self.keeper.remove(object)?,
            Told::Reached(_) => {}
        }
        told.version()
    }

    fn has_told(&mut self, _since: &str) {
        self.keeper.publish();
    }

    fn went_well(&mut self) {
        self.condition.send_replace(String::new());
        self.complaint.clear();
    }

    fn failed(&mut self, failure: &Failure<'_>) {
        let Failure { doing, error, unheard_for } = failure;
        let is_missing = !self.condition.borrow().is_empty();
        if *doing == Doing::Listing && error.is_absent() {
            self.keeper.clear();
            self.keeper.publish();
            self.condition.send_replace(String::new());
        } else if *doing == Doing::Listing && is_missing {
            self.condition.send_replace(format!("{} has not been listed yet ({error})", self.path));
        }
        if *unheard_for > TOO_OLD {
            self.keeper.is_too_old();
        }
        complain(self.path, error, &mut self.complaint);
    }
}

/// Says what went wrong: a refusal once, for it stays until somebody changes our rights, and the rest for those who look closely.
fn complain(path: &str, error: &ClusterError, last: &mut String) {
    let text = error.to_string();
    let is_refusal = error.is_final() && !error.is_absent() && !error.is_from_nowhere();
    if is_refusal && *last != text {
        tracing::warn!(path, error = text, "a collection may not be followed");
        *last = text;
    } else {
        tracing::debug!(path, error = text, "a collection cannot be followed");
    }
}
