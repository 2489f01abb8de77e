//! Keeps both configurations as they are to be: looks at everything anew, whatever has woken it, and does what is missing.
//!
//! Without its owner nothing is registered: we are being uninstalled. While the marker is in force nothing is registered, and
//! what is there is removed. Any number of replicas may do this at a time: each write has a precondition, so that one of them
//! has done it, and the others find it done.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::super::access::{Answer, within};
use super::super::clock;
use super::super::error::ClusterError;
use super::super::event::{self, Event};
use super::super::place::{Deed, Place};
use super::super::question::Question;
use super::super::single;
use super::super::state::{State, with_causes};
use super::configuration::{FORM, KEPT_SINCE, Owner, Registration, Which};
use super::deference::{Cause, Deference};
use super::difference::{differences, form, last_writer, lets_pods_by};
use super::field::{at, put};
use super::marker::Marker;
use super::slipped;
use crate::engine::mutation::Documents;

/// How often all is looked at without being woken.
const INTERVAL: Duration = Duration::from_secs(15);

/// For the API server to answer one question.
const PATIENCE: Duration = Duration::from_secs(10);

/// Between two turns: short at first, so that a repair takes no time; longer when there is something to do again and again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How soon another look is taken where something of ours is still missing.
const SOON: Duration = Duration::from_millis(500);

/// The most bytes of a configuration, of its owner or of the marker; etcd holds less.
const MOST: usize = 4 << 20;

/// A PEM bundle of authorities.
type Authorities = Option<Arc<str>>;

/// Keeps the configurations until the process ends. `trusted` are the authorities that sign for our Service, none while there
/// are none; `published` tells those that both configurations are known to carry, none while that is not known. `missing` are what
/// mutation rests on and has not been read yet, each empty once it has.
pub(in super::super) fn keep(
    state: Arc<State>,
    registration: Registration,
    trusted: watch::Receiver<Authorities>,
    published: watch::Sender<Authorities>,
    documents: watch::Receiver<Arc<Documents>>,
    missing: Vec<watch::Receiver<String>>,
) {
    let wake = Arc::new(Notify::new());
    let release = registration.release();
    let heeded = [release.owner(), release.disabled()];
    for place in heeded.into_iter().chain(Which::BOTH.map(|which| which.place(release))) {
        tokio::spawn(single::wake(state.access.clone(), place, wake.clone()));
    }
    let search = Arc::new(watch::Sender::new(None));
    tokio::spawn(slipped::search(state.clone(), registration.clone(), search.clone()));
    tokio::spawn(
        Keeper {
            state,
            registration,
            trusted,
            published,
            documents,
            missing,
            wake,
            search,
            good_as_of: None,
            was_disabled: false,
            deference: Deference::default(),
            said: String::new(),
        }
        .run(),
    );
}

struct Keeper {
    state: Arc<State>,
    registration: Registration,
    trusted: watch::Receiver<Authorities>,
    published: watch::Sender<Authorities>,
    /// The documents in force: while there are none, nothing is to be mutated.
    documents: watch::Receiver<Arc<Documents>>,
    /// What mutation rests on and has not been read yet, such as the documents; each empty once it has.
    missing: Vec<watch::Receiver<String>>,
    wake: Arc<Notify>,
    /// Since when pods are to be looked for.
    search: Arc<watch::Sender<Option<SystemTime>>>,
    /// When both configurations were last as they are to be, by the API server's clock.
    good_as_of: Option<SystemTime>,
    /// Whether the configurations are missing because they were to be.
    was_disabled: bool,
    /// Whether they are left to another replica.
    deference: Deference,
    /// What was last said of the situation, which is not said again.
    said: String,
}

/// How a turn ended.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    /// Nothing was to be done.
    Idle,
    /// Something was written.
    Busy,
    /// Something is missing, and we cannot say when it comes.
    Waiting,
    /// Nothing is to be registered until then.
    Until(Duration),
}

impl Keeper {
    async fn run(mut self) {
        let mut pause = SHORTEST_PAUSE;
        loop {
            let turn = self.turn().await;
            let next = match &turn {
                Ok(Turn::Idle) => INTERVAL,
                Ok(Turn::Until(left)) => INTERVAL.min(*left + SHORTEST_PAUSE),
                Ok(Turn::Busy | Turn::Waiting) => SOON,
                Err(_) => LONGEST_PAUSE,
            };
            // A conflict is no trouble: another replica was faster.
            if let Some(error) = turn.as_ref().err().filter(|error| !error.is_conflict()) {
                self.publish(None);
                self.state.metrics.cluster_errors.fetch_add(1, Ordering::Relaxed);
                self.say(format!("the registration cannot be kept: {}", with_causes(error)));
            }
            pause = if matches!(turn, Ok(Turn::Idle | Turn::Until(_))) {
                SHORTEST_PAUSE
            } else {
                (pause * 2).min(LONGEST_PAUSE)
            };
            sleep(pause).await;
            self.wait(next).await;
        }
    }

    async fn wait(&mut self, longest: Duration) {
        let woken = async {
            tokio::select! {
                () = self.wake.notified() => {}
                () = changed(&mut self.trusted) => {}
                () = changed(&mut self.documents) => {}
            }
        };
        let _ = timeout(longest, woken).await;
    }

    async fn turn(&mut self) -> Result<Turn, ClusterError> {
        let Some(owner) = self.owner().await? else {
            self.is_not_registered();
            let name = self.registration.release().name();
            self.say(format!("nothing is registered or repaired: the ClusterRole {name} is not there, or about to go"));
            return Ok(Turn::Waiting);
        };
        if let Some(left) = self.disabled().await? {
            self.is_not_registered();
            return Ok(Turn::Until(left));
        }
        let Some(authorities) = self.trusted.borrow_and_update().clone() else {
            self.say("nothing is registered yet: there are no certificates yet".to_owned());
            return Ok(Turn::Waiting);
        };
        let mut turn = Turn::Idle;
        let mut now = None;
        for which in Which::BOTH {
            let kept = self.keep_one(which, &owner, &authorities).await?;
            let Some(kept) = kept else { return Ok(Turn::Waiting) };
            // At once: whatever becomes of the other one, pods may have slipped in by this one.
            self.search_since(kept.weak_since);
            now = kept.now.or(now);
            if kept.is_written {
                turn = Turn::Busy;
            }
        }
        self.deference.ends();
        self.was_disabled = false;
        self.good_as_of = now.or(self.good_as_of);
        self.publish(Some(authorities));
        self.say(String::new());
        Ok(turn)
    }

    /// The owner, unless it is going or cannot be seen any more, as when the role that let us see it has gone.
    async fn owner(&mut self) -> Result<Option<Owner>, ClusterError> {
        let place = self.registration.release().owner();
        let answer = match self.ask(&place, Deed::Read).await {
            Err(ClusterError::Refused { code: 401 | 403 | 404, .. }) => return Ok(None),
            answer => answer?,
        };
        self.deference.is_started(answer.date);
        let Read { metadata } = serde_json::from_slice(&answer.text)?;
        let is_going = metadata.deletion_timestamp.is_some() || metadata.uid.is_empty();
        Ok((!is_going).then(|| Owner { name: place.name().to_owned(), uid: metadata.uid }))
    }

    /// How long the marker will be in force. One that has ended is removed; while it lasts, the configurations are.
    async fn disabled(&mut self) -> Result<Option<Duration>, ClusterError> {
        let place = self.registration.release().disabled();
        let answer = match self.ask(&place, Deed::Read).await {
            Err(error) if error.is_absent() => {
                self.state.metrics.disabled_until.store(0, Ordering::Relaxed);
                return Ok(None);
            }
            answer => answer?,
        };
        let now = answer.date.unwrap_or_else(SystemTime::now);
        let (marker, version) = Marker::read(&answer.text, now)?;
        self.good_as_of = self.good_as_of.or(Some(marker.since));
        self.was_disabled = true;
        let left = marker.until.duration_since(now).unwrap_or_default();
        if left.is_zero() {
            self.end(&place, &marker, &version, now).await?;
            return Ok(None);
        }
        let until = marker.until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        self.state.metrics.disabled_until.store(i64::try_from(until).unwrap_or(i64::MAX), Ordering::Relaxed);
        let Marker { reason, user, .. } = &marker;
        self.say(format!("disabled until {} by {user}: {reason}", marker.until_text()));
        for which in Which::BOTH {
            match self.ask(&which.place(self.registration.release()), Deed::Remove(b"{}")).await {
                Ok(_) => tracing::warn!(configuration = which.kind(), "removed, since Portcullis is disabled"),
                Err(error) if error.is_absent() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(left))
    }

    /// Removes a marker that has ended, unless it was renewed meanwhile; whoever removes it tells of it.
    async fn end(&self, place: &Place, marker: &Marker, version: &str, now: SystemTime) -> Result<(), ClusterError> {
        let options = json!({"preconditions": {"resourceVersion": version}}).to_string();
        match self.ask(place, Deed::Remove(options.as_bytes())).await {
            Ok(_) => {}
            Err(error) if error.is_absent() => return Ok(()),
            Err(error) => return Err(error),
        }
        self.state.metrics.disabled_until.store(0, Ordering::Relaxed);
        let note =
            format!("Enabled again: disabled by {} until {}: {}", marker.user, marker.until_text(), marker.reason);
        tracing::info!(until = marker.until_text(), user = marker.user, "enabled again: the time is over");
        self.tell(&Event { reason: "Enabled", action: "Enabling", note: &note, is_warning: false }, now).await;
        Ok(())
    }

    /// Sees to one configuration; none if it cannot be registered yet.
    async fn keep_one(&mut self, which: Which, owner: &Owner, authorities: &str) -> Result<Option<Kept>, ClusterError> {
        let unread = self.missing.iter().map(|missing| missing.borrow().clone()).find(|missing| !missing.is_empty());
        if let Some(unread) = unread.filter(|_| which == Which::Mutating) {
            self.say(format!("the {} is left as it is yet: {unread}", which.kind()));
            return Ok(None);
        }
        let place = which.place(self.registration.release());
        let documents = self.documents.borrow_and_update().clone();
        let mut desired = self.registration.document(which, owner, authorities, &documents);
        let wanted = form(&desired);
        let annotations = json!({KEPT_SINCE: self.deference.started().map(clock::text), FORM: wanted});
        put(&mut desired, &["metadata", "annotations"], annotations);
        let answer = match self.ask(&place, Deed::Read).await {
            Err(error) if error.is_absent() => {
                self.deference.wants(which, wanted);
                return self.create(which, &place, &desired).await;
            }
            answer => answer?,
        };
        let found: Value = serde_json::from_slice(&answer.text)?;
        let differences = differences(&desired, &found);
        self.registered(which, true);
        if differences.is_empty() {
            self.deference.wants(which, wanted);
            return Ok(Some(Kept { now: answer.date, is_written: false, weak_since: None }));
        }
        if at(&found, &["metadata", "deletionTimestamp"]).is_string() {
            self.say(format!("the {} is about to go, and is made anew then", which.kind()));
            return Ok(None);
        }
        let cause = self.deference.cause(&self.registration, which, &desired, &found);
        let now = Instant::now();
        let is_left = match cause {
            Cause::OurDocuments => false,
            // Who knows of documents is right: being asked for nothing harms nobody, and not being asked leaves pods incomplete.
            Cause::TheirDocuments => documents.is_empty() && self.deference.is_about_documents(now),
            Cause::Otherwise => lets_pods_by(&differences) && self.deference.is_to_a_later_replica(&found, now),
        };
        if is_left {
            self.say(format!("the {} is left to another replica, which keeps it in another form", which.kind()));
            return Ok(None);
        }
        let version = at(&found, &["metadata", "resourceVersion"]).clone();
        put(&mut desired, &["metadata", "resourceVersion"], version);
        let now = self.write(&place, &desired, &found).await?;
        self.deference.wants(which, wanted);
        if cause != Cause::Otherwise {
            tracing::info!(
                configuration = which.kind(),
                fields = differences.join(", "),
                "registered for other documents"
            );
            return Ok(Some(Kept { now, is_written: true, weak_since: None }));
        }
        let writer = last_writer(&found);
        let by = writer.as_ref().map(|writer| writer.name.as_str());
        let since = writer.as_ref().and_then(|writer| writer.time);
        self.repaired(which, &differences.join(", "), by, since).await;
        let weak_since = (lets_pods_by(&differences) && which.judges()).then_some(self.good_as_of.or(since)).flatten();
        Ok(Some(Kept { now, is_written: true, weak_since }))
    }

    /// Registers for the first time, or again after the configuration was deleted: only when reviews can be answered.
    async fn create(&mut self, which: Which, place: &Place, desired: &Value) -> Result<Option<Kept>, ClusterError> {
        self.registered(which, false);
        self.publish(None);
        if let Some(missing) = self.state.missing(Instant::now()).first() {
            self.say(format!("nothing is registered yet: {missing}"));
            return Ok(None);
        }
        let body = desired.to_string();
        let answer = self.ask(place, Deed::Apply(body.as_bytes())).await?;
        self.registered(which, true);
        let is_ours = answer.status == 201;
        match self.good_as_of {
            _ if !is_ours => {}
            Some(_) if !self.was_disabled => self.repaired(which, "all: it was deleted", None, None).await,
            _ => tracing::info!(configuration = which.kind(), "registered"),
        }
        let weak_since = self.good_as_of.filter(|_| is_ours && which.judges());
        Ok(Some(Kept { now: answer.date, is_written: true, weak_since }))
    }

    /// Makes a configuration what it is to be. Applying leaves what others have added to our lists; only replacing the whole
    /// removes that.
    async fn write(&self, place: &Place, desired: &Value, found: &Value) -> Result<Option<SystemTime>, ClusterError> {
        let body = desired.to_string();
        let mut whole = match self.ask(place, Deed::Apply(body.as_bytes())).await {
            Ok(answer) => {
                let applied: Value = serde_json::from_slice(&answer.text)?;
                if differences(desired, &applied).is_empty() {
                    return Ok(answer.date);
                }
                applied
            }
            // Ours and theirs together are invalid, such as a `service` beside a `url`.
            Err(error) if error.is_invalid() => found.clone(),
            Err(error) => return Err(error),
        };
        let annotation = |name| ["metadata", "annotations", name];
        let (kept_since, form) = (annotation(KEPT_SINCE), annotation(FORM));
        let ours: [&[&str]; 4] = [&["webhooks"], &["metadata", "ownerReferences"], &kept_since, &form];
        for path in ours {
            put(&mut whole, path, at(desired, path).clone());
        }
        let body = whole.to_string();
        Ok(self.ask(place, Deed::Replace(body.as_bytes())).await?.date)
    }

    async fn repaired(&self, which: Which, fields: &str, by: Option<&str>, since: Option<SystemTime>) {
        self.state.metrics.registration_repairs.fetch_add(1, Ordering::Relaxed);
        let since = since.map(clock::text);
        let configuration = which.kind();
        tracing::warn!(configuration, fields, by, since, "the registration was not as it should be, and was repaired");
        let by = by.map(|by| format!(" (last written by {by})")).unwrap_or_default();
        let note = format!("The {configuration} was not as it should be, and was repaired: {fields}{by}");
        let event = Event { reason: "RegistrationRepaired", action: "Repairing", note: &note, is_warning: true };
        self.tell(&event, SystemTime::now()).await;
    }

    async fn tell(&self, event: &Event<'_>, now: SystemTime) {
        let told = event::tell(&self.state.access, self.registration.release(), event, now);
        if let Err(error) = within(PATIENCE, told).await {
            tracing::warn!(error = error.to_string(), reason = event.reason, "an event cannot be written");
        }
    }

    async fn ask(&self, place: &Place, deed: Deed<'_>) -> Result<Answer, ClusterError> {
        within(PATIENCE, self.state.access.ask(Question::Object(place, deed), MOST)).await
    }

    fn registered(&self, which: Which, is_registered: bool) {
        let registered = &self.state.metrics.registered;
        let gauge = match which {
            Which::Mutating => &registered.mutating,
            Which::Validating => &registered.validating,
        };
        gauge.store(u64::from(is_registered), Ordering::Relaxed);
    }

    fn is_not_registered(&self) {
        Which::BOTH.into_iter().for_each(|which| self.registered(which, false));
        self.publish(None);
    }

    fn publish(&self, authorities: Authorities) {
        self.published.send_if_modified(|published| {
            let is_other = *published != authorities;
            *published = authorities;
            is_other
        });
    }

    /// Says what keeps us from registering, once.
    fn say(&mut self, situation: String) {
        if self.said != situation && !situation.is_empty() {
            tracing::warn!("{situation}");
        }
        self.said = situation;
    }

    fn search_since(&self, weak_since: Option<SystemTime>) {
        if let Some(since) = weak_since {
            self.search.send_modify(|search| *search = Some(search.map_or(since, |earlier| earlier.min(since))));
        }
    }
}

/// Ends once something else is told; never where nobody is left who could tell it.
async fn changed<T>(told: &mut watch::Receiver<T>) {
    if told.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What became of one configuration.
struct Kept {
    now: Option<SystemTime>,
    is_written: bool,
    /// Since when pods may have been let by, if they may.
    weak_since: Option<SystemTime>,
}

/// What we read of an owner.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Read {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    uid: String,
    deletion_timestamp: Option<String>,
}
