//! `disable` and `enable`: taken by a human, with nothing of ours running.
//!
//! Disabling leaves the marker first and removes the configurations then, so that no replica brings back what is removed.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::super::access::{Access, Answer, within};
use super::super::error::ClusterError;
use super::super::event::{self, Event};
use super::super::place::{Deed, Place};
use super::super::question::Question;
use super::super::release::Release;
use super::configuration::Which;
use super::marker::{LONGEST_DISABLED, Marker};

/// For the API server to answer one question.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most bytes of an answer; etcd holds less.
const MOST: usize = 4 << 20;

/// What disabling did.
#[derive(Debug)]
pub struct Disabled {
    pub marker: Marker,
    /// Why no marker could be left: there is no namespace to put it into, so that there are no replicas either.
    pub unmarked: Option<ClusterError>,
    /// The kinds of the configurations that were there and are removed.
    pub removed: Vec<&'static str>,
    /// Why the event could not be written.
    pub untold: Option<ClusterError>,
}

/// What enabling did.
#[derive(Debug)]
pub struct Enabled {
    /// The marker that was removed; none if there was none.
    pub marker: Option<Marker>,
    pub untold: Option<ClusterError>,
}

/// Leaves the marker and removes the configurations.
///
/// # Errors
/// The first thing that is refused, with what it was.
pub async fn disable(
    access: &Access,
    release: &Release,
    reason: &str,
    length: Duration,
) -> Result<Disabled, ClusterError> {
    let (user, now) = caller(access).await?;
    let marker = Marker { reason: reason.to_owned(), user, since: now, until: now + length.min(LONGEST_DISABLED) };
    let body = marker.document(release).to_string();
    let unmarked = match ask(access, &release.disabled(), Deed::Apply(body.as_bytes())).await {
        Ok(_) => None,
        Err(error) if error.is_of_no_namespace() => Some(error),
        Err(error) => return Err(error.while_doing("the marker cannot be written")),
    };
    let mut removed = Vec::new();
    for which in Which::BOTH {
        match ask(access, &which.place(release), Deed::Remove(b"{}")).await {
            Ok(_) => removed.push(which.kind()),
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error.while_doing(&format!("the {} cannot be deleted", which.kind()))),
        }
    }
    let note = format!("Disabled until {} by {}: {reason}", marker.until_text(), marker.user);
    let event = Event { reason: "Disabled", action: "Disabling", note: &note, is_warning: true };
    let untold = tell(access, release, &event, now).await;
    Ok(Disabled { unmarked, removed, untold, marker })
}

/// Removes the marker; replicas that run register again.
///
/// # Errors
/// The first thing that is refused, with what it was.
pub async fn enable(access: &Access, release: &Release) -> Result<Enabled, ClusterError> {
    let (user, now) = caller(access).await?;
    let place = release.disabled();
    let marker = match ask(access, &place, Deed::Read).await {
        Ok(answer) => Marker::read(&answer.text, now)?.0,
        Err(error) if error.is_absent() => return Ok(Enabled { marker: None, untold: None }),
        Err(error) => return Err(error.while_doing("the marker cannot be read")),
    };
    match ask(access, &place, Deed::Remove(b"{}")).await {
        Ok(_) => {}
        Err(error) if error.is_absent() => {}
        Err(error) => return Err(error.while_doing("the marker cannot be deleted")),
    }
    let Marker { user: disabler, reason, .. } = &marker;
    let note = format!("Enabled again by {user}; disabled by {disabler} until {}: {reason}", marker.until_text());
    let event = Event { reason: "Enabled", action: "Enabling", note: &note, is_warning: false };
    Ok(Enabled { untold: tell(access, release, &event, now).await, marker: Some(marker) })
}

/// Who we are to the API server, and what time it is there.
async fn caller(access: &Access) -> Result<(String, SystemTime), ClusterError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Review {
        status: Status,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Status {
        user_info: User,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct User {
        username: String,
    }
    let place = Place::new("/apis/authentication.k8s.io/v1/selfsubjectreviews", "");
    let body = br#"{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}"#;
    let answer = ask(access, &place, Deed::Create(body)).await?;
    let review: Review = serde_json::from_slice(&answer.text)?;
    Ok((review.status.user_info.username, answer.date.unwrap_or_else(SystemTime::now)))
}

async fn tell(access: &Access, release: &Release, event: &Event<'_>, now: SystemTime) -> Option<ClusterError> {
    within(PATIENCE, event::tell(access, release, event, now)).await.err()
}

async fn ask(access: &Access, place: &Place, deed: Deed<'_>) -> Result<Answer, ClusterError> {
    within(PATIENCE, access.ask(Question::Object(place, deed), MOST)).await
}
