//! Keeps one kind of object current: lists it all once, then follows what happens to it, for whoever holds it in compact form.
//!
//! A watch goes on from the version that the last one reached; where that cannot be, everything is listed anew while what was known
//! stays in use. A kind that the cluster does not have is one without objects, and is asked for again.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::sleep;

use super::access::{self, Access};
use super::error::ClusterError;
use super::lines::Lines;
use super::objects::{Named, Told, Unread};
use super::pages::Pages;
use super::question::{Listing, Question, WATCH_SECONDS};
use super::watch::within;

/// For a page of a list, and for a watch to begin.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most bytes of a page.
const MOST_OF_A_PAGE: usize = 16 << 20;

/// How much longer than agreed a watch may last before it counts as hanging.
const SLACK: Duration = Duration::from_secs(3);

/// After so long without a watch or a list that went well, what is held counts as too old: a watch that goes well lasts ten seconds.
const TOO_OLD: Duration = Duration::from_secs(60);

const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

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
pub(super) async fn keep(
    access: Access,
    path: &'static str,
    mut keeper: impl Keeper,
    condition: watch::Sender<String>,
) {
    let mut since = String::new();
    let mut pause = SHORTEST_PAUSE;
    let mut well = Instant::now();
    let mut complaint = String::new();
    loop {
        let turn = if since.is_empty() {
            list(&access, path, &mut keeper).await.map(|version| since = version)
        } else {
            follow(&access, path, &mut keeper, &mut since).await
        };
        match turn {
            Ok(()) => {
                condition.send_replace(String::new());
                pause = SHORTEST_PAUSE;
                well = Instant::now();
                complaint.clear();
            }
            Err(error) => {
                let is_first = since.is_empty() && !condition.borrow().is_empty();
                if since.is_empty() && error.is_absent() {
                    keeper.clear();
                    keeper.publish();
                    condition.send_replace(String::new());
                } else if is_first {
                    condition.send_replace(format!("{path} has not been listed yet ({error})"));
                }
                if error.is_from_nowhere() || error.is_absent() {
                    since.clear();
                }
                if well.elapsed() > TOO_OLD {
                    keeper.is_too_old();
                }
                complain(path, &error, &mut complaint);
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
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

/// Lists everything; gives the list's version.
async fn list(access: &Access, path: &str, keeper: &mut impl Keeper) -> Result<String, ClusterError> {
    let mut pages = Pages::new(access, Listing::Collection(path));
    let mut is_first = true;
    loop {
        let text = within(PATIENCE, pages.read(MOST_OF_A_PAGE)).await?;
        let page: Unread<'_> = serde_json::from_slice(&text)?;
        if std::mem::take(&mut is_first) {
            keeper.clear();
        }
        for object in page.items.as_deref().unwrap_or_default() {
            keeper.put(object.get())?;
        }
        if !pages.turn(&page.metadata.r#continue) {
            keeper.publish();
            return Ok(page.metadata.resource_version.to_string());
        }
    }
}

async fn follow(access: &Access, path: &str, keeper: &mut impl Keeper, since: &mut String) -> Result<(), ClusterError> {
    let mut body = within(PATIENCE, access.open(Question::ChangesOf { path, since })).await?;
    let length = Duration::from_secs(WATCH_SECONDS.into()) + SLACK;
    within(length, async {
        let mut lines = Lines::default();
        while let Some(bytes) = access::next(&mut body).await? {
            lines.push(&bytes);
            while let Some(line) = lines.next()? {
                *since = tell(keeper, &line)?;
            }
            keeper.publish();
        }
        Ok(())
    })
    .await
}

/// Tells the keeper of an event; gives the version that it reaches.
fn tell(keeper: &mut impl Keeper, line: &[u8]) -> Result<String, ClusterError> {
    let told = Told::read(line)?;
    match told {
        Told::Put(object) => keeper.put(object)?,
        Told::Gone(object) => keeper.remove(object)?,
        Told::Reached(_) => {}
    }
    let (Told::Put(object) | Told::Gone(object) | Told::Reached(object)) = told;
    let Named { metadata } = serde_json::from_str(object)?;
    Ok(metadata.resource_version.to_string())
}
