//! Finds the pods that slipped in while a configuration was gone or weaker than it should be.
//!
//! All pods of the cluster are paged through once, and those that were made or changed since the configuration was last known
//! to be good are judged as if they were created now. Nothing is done to them: they are reported.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::access::within;
use super::super::clock;
use super::super::error::ClusterError;
use super::super::event::{self, Event};
use super::super::objects::Unread;
use super::super::pages::Pages;
use super::super::question::Listing;
use super::super::state::State;
use super::configuration::Registration;
use crate::engine::{
    Carried, Facts, ObjectKind, Operation, Phase, Request, Resource, Snapshot, decide, json as decoder, object::Object,
};

/// For a page to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of a page.
const MOST_OF_A_PAGE: usize = 8 << 20;

/// The most pages: half a million pods and more.
const MOST_PAGES: usize = 2_000;

/// How many pods are named in the log and in events; the others are counted.
const MOST_NAMED: usize = 100;

/// Times are told to the second, by API servers whose clocks may differ.
const SLACK: Duration = Duration::from_secs(2);

/// How long API servers may take to heed a configuration.
const UNHEEDED: Duration = Duration::from_secs(3);

/// How often a search is tried.
const TRIES: u32 = 5;

/// Looks for pods that slipped in whenever it is asked to, once API servers must have heeded the repair.
pub(super) async fn search(
    state: Arc<State>,
    registration: Registration,
    search: Arc<watch::Sender<Option<SystemTime>>>,
) {
    let mut asked = search.subscribe();
    while asked.wait_for(Option::is_some).await.is_ok() {
        sleep(UNHEEDED).await;
        let Some(since) = search.send_replace(None) else { continue };
        for attempt in 1..=TRIES {
            match look(&state, &registration, since).await {
                Ok(()) => break,
                Err(error) => {
                    let error = error.to_string();
                    tracing::warn!(error, attempt, "pods that may have slipped in cannot be listed");
                    sleep(UNHEEDED).await;
                }
            }
        }
    }
}

/// What was found.
#[derive(Default)]
struct Slipped {
    /// How many pods were judged.
    judged: usize,
    /// How many of them would have been refused.
    refused: usize,
}

/// Looks at all pods, and reports those that were made or changed after `since` and would be refused.
///
/// # Errors
/// The list broke off; what had been found by then has been reported.
async fn look(state: &State, registration: &Registration, since: SystemTime) -> Result<(), ClusterError> {
    let mut found = Slipped::default();
    let mut pages = Pages::new(&state.access, Listing::AllPods);
    for _ in 0..MOST_PAGES {
        let text = within(PATIENCE, pages.read(MOST_OF_A_PAGE)).await?;
        let page: Unread<'_> = serde_json::from_slice(&text)?;
        for pod in page.items.as_deref().unwrap_or_default() {
            if let Some(refused) = judge(&state.snapshot.load_full(), registration, since - SLACK, pod, &mut found) {
                report(state, registration, &refused, &mut found).await;
            }
        }
        if !pages.turn(&page.metadata.r#continue) {
            break;
        }
        tokio::task::yield_now().await;
    }
    tell(&found, since);
    Ok(())
}

fn tell(found: &Slipped, since: SystemTime) {
    let (since, judged, refused) = (clock::text(since), found.judged, found.refused);
    if refused == 0 {
        tracing::info!(since, judged, refused, "no pod has slipped in while the registration was not as it should be");
    } else {
        tracing::warn!(since, judged, refused, "pods have slipped in while the registration was not as it should be");
    }
}

/// A pod that would be refused.
struct Refused {
    namespace: String,
    name: String,
    uid: String,
    denial: String,
}

/// Judges a pod if it is new enough; gives it back if it would be refused.
fn judge(
    snapshot: &Arc<Snapshot>,
    registration: &Registration,
    since: SystemTime,
    pod: &RawValue,
    found: &mut Slipped,
) -> Option<Refused> {
    let Head { metadata } = serde_json::from_str(pod.get()).ok()?;
    let is_known = snapshot.namespace(&metadata.namespace).is_some();
    if metadata.last_change() < Some(since) || registration.excludes(&metadata.namespace) || !is_known {
        return None;
    }
    found.judged += 1;
    let mut object: Object<'_> = decoder::from_slice(pod.get().as_bytes()).ok()?;
    // The items of a list leave out what they are.
    (object.api_version, object.kind) = ("v1".into(), "Pod".into());
    let verdict = decide(&creation(&metadata, object), snapshot, &Facts::default());
    let denial = verdict.denial()?.message.clone();
    Some(Refused { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid, denial })
}

/// The request that would have created it; nobody knows any more who made it. Without a review, what documents demand is not asked of
/// it: it may be older than they are.
fn creation<'p>(metadata: &'p Metadata, object: Object<'p>) -> Request<'p> {
    Request {
        phase: Phase::Validate,
        uid: "".into(),
        operation: Operation::Create,
        kind: ObjectKind { group: "".into(), kind: "Pod".into() },
        resource: Resource { group: "".into(), resource: "pods".into() },
        subresource: "".into(),
        name: metadata.name.as_str().into(),
        namespace: metadata.namespace.as_str().into(),
        username: "".into(),
        dry_run: true,
        object: Carried::Object(Box::new(object)),
        old_object: Carried::Absent,
        review: &[],
    }
}

async fn report(state: &State, registration: &Registration, pod: &Refused, found: &mut Slipped) {
    found.refused += 1;
    state.metrics.slipped_pods.fetch_add(1, Ordering::Relaxed);
    if found.refused > MOST_NAMED {
        return;
    }
    let Refused { namespace, name, uid, denial } = pod;
    tracing::warn!(namespace, name, denial, "a pod slipped in while the registration was not as it should be");
    let regarding = json!({"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name, "uid": uid});
    let note = format!("It was admitted while Portcullis was not asked, and would be refused: {denial}");
    let event = Event { reason: "SlippedIn", action: "Reviewing", note: &note, is_warning: true };
    let told = event::tell_about(&state.access, registration.release().name(), &regarding, &event, SystemTime::now());
    if let Err(error) = within(PATIENCE, told).await {
        tracing::warn!(namespace, name, error = error.to_string(), "an event about a pod cannot be written");
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: String,
    namespace: String,
    uid: String,
    creation_timestamp: String,
    managed_fields: Vec<Written>,
}

/// When a manager of fields last wrote, and what it owns.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Written {
    time: String,
    subresource: String,
    fields_v1: Fields,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    #[serde(rename = "f:spec")]
    spec: Option<serde::de::IgnoredAny>,
}

impl Metadata {
    /// When it was made, or its spec was last written.
    fn last_change(&self) -> Option<SystemTime> {
        let is_of_spec = |written: &&Written| written.subresource != "status" && written.fields_v1.spec.is_some();
        let written = self.managed_fields.iter().filter(is_of_spec).filter_map(|written| clock::parse(&written.time));
        written.chain(clock::parse(&self.creation_timestamp)).max()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::super::release::Release;
    use super::*;
    use crate::engine::object::StringMap;
    use crate::engine::pod_security::{Configuration, LevelVersion};
    use crate::engine::{Mode, Unlisted};

    const BEFORE: &str = "2026-11-21T08:00:00Z";
    const AFTER: &str = "2026-11-21T09:00:00Z";

    fn pod(namespace: &str, created: &str, managed: &Value) -> Value {
        json!({
            "metadata": {"name": "a", "namespace": namespace, "creationTimestamp": created, "managedFields": managed},
            "spec": {"containers": [{"name": "a", "securityContext": {"privileged": true}}]},
        })
    }

    /// Whether it is reported; the namespaces `shop` and `kube-system` ask for baseline.
    fn is_reported(mode: Mode, pod: &Value) -> bool {
        let mut snapshot = Snapshot::new(Configuration::uniform(LevelVersion::RESTRICTED), Unlisted::Unknown);
        snapshot.mode = mode;
        snapshot.insert_namespace("shop", &StringMap::default());
        snapshot.insert_namespace("kube-system", &StringMap::default());
        let release = Release::new("portcullis", "portcullis-system", 443).expect("names");
        let registration = Registration::new(release, &[], &snapshot);
        let pod = RawValue::from_string(pod.to_string()).expect("JSON");
        let since = clock::parse("2026-11-21T08:30:00Z").expect("a time");
        judge(&Arc::new(snapshot), &registration, since, &pod, &mut Slipped::default()).is_some()
    }

    #[test]
    fn a_pod_that_was_made_meanwhile_is_reported() {
        assert!(is_reported(Mode::Enforce, &pod("shop", AFTER, &json!([]))));
        assert!(!is_reported(Mode::Enforce, &pod("shop", BEFORE, &json!([]))));
    }

    #[test]
    fn a_pod_whose_spec_was_changed_meanwhile_is_reported() {
        let written = |subresource: &str, fields: &str| {
            pod("shop", BEFORE, &json!([{"time": AFTER, "subresource": subresource, "fieldsV1": {fields: {}}}]))
        };
        assert!(is_reported(Mode::Enforce, &written("ephemeralcontainers", "f:spec")));
        assert!(is_reported(Mode::Enforce, &written("", "f:spec")));
        assert!(!is_reported(Mode::Enforce, &written("", "f:metadata")));
        assert!(!is_reported(Mode::Enforce, &written("status", "f:spec")));
    }

    #[test]
    fn pods_about_which_we_would_not_have_been_asked_or_would_have_allowed_are_not_reported() {
        assert!(!is_reported(Mode::Enforce, &pod("kube-system", AFTER, &json!([]))));
        assert!(!is_reported(Mode::Enforce, &pod("gone", AFTER, &json!([]))));
        assert!(!is_reported(Mode::Audit, &pod("shop", AFTER, &json!([]))));
    }
}
