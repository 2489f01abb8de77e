//! Events of Kubernetes, which `kubectl events` shows: what became of the registration, pods that slipped in, and what documents came
//! to for the pods of a controller.
//!
//! They are told to humans and nothing depends on them, so that one that cannot be written is only mentioned in the log.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::access::Access;
use super::clock;
use super::error::ClusterError;
use super::place::{Deed, Place};
use super::question::Question;
use super::release::Release;
use crate::telemetry::log::clipped;

/// The most bytes of a note; the API allows 1 KiB.
pub(super) const MOST_OF_A_NOTE: usize = 1000;

const MOST_OF_AN_ANSWER: usize = 64 << 10;

/// Something to be told, with a reason in one word as the API wants it.
#[derive(Debug, Clone)]
pub(super) struct Event<'e> {
    pub(super) reason: &'static str,
    /// What was done, in one word.
    pub(super) action: &'static str,
    pub(super) note: &'e str,
    pub(super) is_warning: bool,
}

/// Tells an event about the installation, in its namespace.
///
/// # Errors
/// What kept it from being written.
pub(super) async fn tell(
    access: &Access,
    release: &Release,
    event: &Event<'_>,
    now: SystemTime,
) -> Result<(), ClusterError> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "namespace": release.namespace(), "name": release.name(),
    });
    tell_about(access, release.name(), &service, event, now).await
}

/// Tells an event about an object, in the object's namespace.
///
/// # Errors
/// What kept it from being written.
pub(super) async fn tell_about(
    access: &Access,
    reporter: &str,
    regarding: &Value,
    event: &Event<'_>,
    now: SystemTime,
) -> Result<(), ClusterError> {
    write(access, reporter, json!({"generateName": format!("{reporter}-")}), regarding, event, now).await
}

/// Tells an event about an object unless there is one of this name already: for what several replicas may tell.
///
/// # Errors
/// What kept it from being written; a conflict if it is there.
pub(super) async fn tell_once(
    access: &Access,
    reporter: &str,
    name: &str,
    regarding: &Value,
    event: &Event<'_>,
    now: SystemTime,
) -> Result<(), ClusterError> {
    write(access, reporter, json!({"name": name}), regarding, event, now).await
}

async fn write(
    access: &Access,
    reporter: &str,
    mut metadata: Value,
    regarding: &Value,
    event: &Event<'_>,
    now: SystemTime,
) -> Result<(), ClusterError> {
    let namespace = regarding.get("namespace").and_then(Value::as_str).unwrap_or("default");
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
    let document = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": metadata,
        "eventTime": clock::text_with_micros(now),
        "reportingController": "portcullis.dev/portcullis",
        "reportingInstance": reporter,
        "reason": event.reason,
        "action": event.action,
        "regarding": regarding,
        "note": clipped(event.note, MOST_OF_A_NOTE),
        "type": if event.is_warning { "Warning" } else { "Normal" },
    });
    let place = Place::new(format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"), "");
    let body = document.to_string();
    access.ask(Question::Object(&place, Deed::Create(body.as_bytes())), MOST_OF_AN_ANSWER).await.map(|_| ())
}
