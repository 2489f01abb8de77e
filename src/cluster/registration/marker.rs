//! The marker of an installation that is disabled: who did so, why and until when.
//!
//! Whoever writes it, with our command or with kubectl, it ends: a marker without an end lasts an hour, and none lasts for more
//! than a day.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::clock;
use super::super::error::ClusterError;
use super::super::release::Release;

/// The longest that an installation can be disabled at a time.
pub const LONGEST_DISABLED: Duration = Duration::from_secs(24 * 60 * 60);

/// For a marker that does not say.
const USUAL: Duration = Duration::from_secs(60 * 60);

/// Clocks of API servers may differ by so much.
const SKEW: Duration = Duration::from_secs(60);

/// That an installation is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    pub reason: String,
    pub user: String,
    pub since: SystemTime,
    pub until: SystemTime,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ConfigMap {
    metadata: Metadata,
    data: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    creation_timestamp: Option<String>,
    resource_version: String,
}

impl Marker {
    /// Reads the ConfigMap, and its resource version. `now` is the time by the API server's clock.
    ///
    /// # Errors
    /// It is no ConfigMap.
    pub(super) fn read(text: &[u8], now: SystemTime) -> Result<(Self, String), ClusterError> {
        let ConfigMap { metadata, data } = serde_json::from_slice(text)?;
        let mut data = data.unwrap_or_default();
        let time = |text: Option<&String>| text.and_then(|text| clock::parse(text.trim()));
        let created = time(metadata.creation_timestamp.as_ref()).unwrap_or(now);
        let since = time(data.get("since")).filter(|since| (created..=now + SKEW).contains(since)).unwrap_or(created);
        let until = time(data.get("until")).unwrap_or(since + USUAL).min(since + LONGEST_DISABLED);
        let mut word = |key: &str| data.remove(key).filter(|word| !word.trim().is_empty());
        let reason = word("reason").unwrap_or_else(|| "no reason is given".to_owned());
        let user = word("user").unwrap_or_else(|| "somebody".to_owned());
        Ok((Self { reason, user, since, until }, metadata.resource_version))
    }

    pub(super) fn document(&self, release: &Release) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": release.disabled().name(),
                "namespace": release.namespace(),
                "labels": {"app.kubernetes.io/name": "portcullis", "app.kubernetes.io/instance": release.name()},
            },
            "data": {
                "reason": self.reason, "user": self.user,
                "since": clock::text(self.since), "until": clock::text(self.until),
            },
        })
    }

    /// When it ends, as RFC 3339.
    pub fn until_text(&self) -> String {
        clock::text(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SystemTime {
        clock::parse(text).expect("a time")
    }

    fn until(data: &Value) -> String {
        let text =
            json!({"metadata": {"creationTimestamp": "2026-11-21T08:00:00Z", "resourceVersion": "7"}, "data": data});
        let (marker, version) =
            Marker::read(text.to_string().as_bytes(), at("2026-11-21T10:00:00Z")).expect("a marker");
        assert_eq!(version, "7");
        marker.until_text()
    }

    #[test]
    fn a_marker_is_read_as_it_is_written() {
        let release = Release::new("portcullis", "portcullis-system", 443).expect("names");
        let since = at("2026-11-21T08:00:00Z");
        let marker = Marker {
            reason: "a fire".to_owned(),
            user: "jo".to_owned(),
            since,
            until: since + Duration::from_secs(60),
        };
        let text = marker.document(&release).to_string();
        let (read, _) = Marker::read(text.as_bytes(), since).expect("a marker");
        assert_eq!(read, marker);
    }

    #[test]
    fn every_marker_ends() {
        assert_eq!(until(&json!({"until": "2026-11-21T12:00:00Z"})), "2026-11-21T12:00:00Z");
        assert_eq!(until(&json!({"until": "2126-11-21T12:00:00Z"})), "2026-11-22T08:00:00Z");
        for silent in [json!(null), json!({}), json!({"until": "tomorrow"})] {
            assert_eq!(until(&silent), "2026-11-21T09:00:00Z", "{silent}");
        }
    }

    #[test]
    fn a_marker_that_was_renewed_lasts_from_then() {
        let renewed = json!({"since": "2026-11-21T09:30:00Z", "until": "2026-12-24T00:00:00Z"});
        assert_eq!(until(&renewed), "2026-11-22T09:30:00Z");
        for since in ["2126-01-01T00:00:00Z", "2020-01-01T00:00:00Z"] {
            assert_eq!(until(&json!({"since": since, "until": "2127-01-01T00:00:00Z"})), "2026-11-22T08:00:00Z");
        }
    }
}
