//! A Secret as it is read and written back: what is not ours stays as it is.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Map, Value, json};

use crate::cluster::error::ClusterError;
use crate::cluster::release::Release;

/// The largest Secret, in bytes; the API server takes less.
pub(super) const MOST_OF_A_SECRET: usize = 4 << 20;

/// On the Secret of the kept certificates: authorities made before this time, in seconds since 1970, are to be replaced.
pub(super) const DISTRUST_BEFORE: &str = "portcullis.dev/distrust-before";

pub(super) struct Secret(Map<String, Value>);

impl Secret {
    pub(super) fn read(text: &[u8]) -> Result<Self, ClusterError> {
        Ok(Self(serde_json::from_slice(text)?))
    }

    /// One that is not there yet. It goes with `owner`, if there is one.
    pub(super) fn new(release: &Release, name: &str, owner: Option<Value>) -> Self {
        let labels = json!({
            "app.kubernetes.io/name": "portcullis",
            "app.kubernetes.io/instance": release.name(),
            "app.kubernetes.io/managed-by": "portcullis",
        });
        let owners: Vec<Value> = owner.into_iter().collect();
        let metadata = json!({"name": name, "labels": labels, "ownerReferences": owners});
        let fields = [
            ("apiVersion", json!("v1")),
            ("kind", json!("Secret")),
            ("metadata", metadata),
            ("type", json!("kubernetes.io/tls")),
        ];
        Self(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// What it holds; what is no base64 counts as empty.
    pub(super) fn data(&self) -> BTreeMap<String, Vec<u8>> {
        let data = self.0.get("data").and_then(Value::as_object).into_iter().flatten();
        let decoded = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        data.map(|(key, value)| (key.clone(), decoded(value))).collect()
    }

    /// With these data in place of what was under their keys; everything else stays.
    pub(super) fn with(mut self, data: &BTreeMap<&'static str, Vec<u8>>) -> Self {
        let held = self.0.entry("data").or_insert_with(|| json!({}));
        if !held.is_object() {
            *held = json!({});
        }
        for (key, value) in data {
            if let Some(held) = held.as_object_mut() {
                held.insert((*key).to_owned(), BASE64_STANDARD.encode(value).into());
            }
        }
        self
    }

    pub(super) fn annotate(mut self, key: &str, value: &str) -> Self {
        if let Some(metadata) = self.0.get_mut("metadata").and_then(Value::as_object_mut) {
            let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(key.to_owned(), value.into());
            }
        }
        self
    }

    pub(super) fn annotation(&self, key: &str) -> Option<&str> {
        self.0.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    pub(super) fn is_immutable(&self) -> bool {
        self.0.get("immutable").and_then(Value::as_bool).unwrap_or_default()
    }

    /// When somebody last changed it, by the API server's clock.
    pub(super) fn changed(&self) -> Option<SystemTime> {
        let metadata = self.0.get("metadata")?;
        let managed = metadata.get("managedFields").and_then(Value::as_array).into_iter().flatten();
        let changes = managed.filter_map(|entry| entry.get("time")).chain(metadata.get("creationTimestamp"));
        changes.filter_map(time).max()
    }

    pub(super) fn text(&self) -> Result<Vec<u8>, ClusterError> {
        Ok(serde_json::to_vec(&self.0)?)
    }
}

fn time(value: &Value) -> Option<SystemTime> {
    let time: Time = serde_json::from_value(value.clone()).ok()?;
    let seconds = u64::try_from(time.0.as_second()).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = br#"{"kind":"Secret","metadata":{"name":"s","labels":{"a":"b"},"resourceVersion":"7",
        "creationTimestamp":"2026-01-01T00:00:00Z",
        "managedFields":[{"manager":"x","time":"2026-01-01T00:01:00Z"},{"manager":"y","time":"2026-01-01T00:00:30Z"}]},
        "type":"Opaque","data":{"tls.crt":"b2xk","other":"a2VwdA==","odd":"?"}}"#;

    #[test]
    fn what_is_not_ours_is_written_back_as_it_was() {
        let secret = Secret::read(SECRET).expect("a Secret");
        let written = secret.with(&BTreeMap::from([("tls.crt", b"new".to_vec())])).annotate("k", "v");
        let written: Value = serde_json::from_slice(&written.text().expect("JSON")).expect("JSON");
        let mut expected: Value = serde_json::from_slice(SECRET).expect("JSON");
        expected["data"]["tls.crt"] = "bmV3".into();
        expected["metadata"]["annotations"] = json!({"k": "v"});
        assert_eq!(written, expected);
    }

    #[test]
    fn it_was_changed_when_the_last_of_its_fields_was() {
        let changed = Secret::read(SECRET).expect("a Secret").changed().expect("a time");
        assert_eq!(httpdate::fmt_http_date(changed), "Thu, 01 Jan 2026 00:01:00 GMT");
    }

    #[test]
    fn data_that_are_no_base64_count_as_empty() {
        let data = Secret::read(SECRET).expect("a Secret").data();
        assert_eq!((data["other"].as_slice(), data["odd"].as_slice()), (&b"kept"[..], &b""[..]));
    }
}
