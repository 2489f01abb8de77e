//! What an administrator may do to what we keep: the registration, and what slips in until it is repaired; the certificates.

use super::{
    harness::{Api, until},
    request::{STRICT, bad_pod},
    stage::{NAMESPACE, RELEASE, SOON},
};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// For how long after the repair the API server may still go by what it knew before.
const HEEDED: Duration = Duration::from_secs(1);

/// What is done to the validating configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    Deleted,
    /// It names no object any more.
    Weakened,
}

/// What came of it.
pub struct Slipped {
    /// When the configuration was as before.
    pub repaired: Instant,
    /// The names of pods that were created meanwhile, and should not have been.
    names: Vec<String>,
}

impl Harm {
    pub fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Weakened => "weakened",
        }
    }

    /// Does it, and creates privileged pods where none may be until the API server refuses them again.
    pub fn act(self, api: &mut Api) -> Result<Slipped> {
        let path = format!("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{RELEASE}");
        let mut good = api.get(&path)?.done()?;
        let webhooks = good["webhooks"].clone();
        if self == Self::Deleted {
            api.delete(&path)?.done()?;
        } else {
            for webhook in good["webhooks"].as_array_mut().context("it has no webhooks")? {
                webhook["objectSelector"] = json!({"matchLabels": {"never": "there"}});
            }
            api.put(&path, &good)?.done()?;
        }
        let mut names = Vec::new();
        let repaired = until(SOON, || {
            names.extend(try_to_slip_in(api)?);
            Ok((api.get(&path)?.body["webhooks"] == webhooks).then(Instant::now))
        });
        let repaired = repaired.with_context(|| format!("a registration that was {} is not back", self.name()))?;
        while repaired.elapsed() < HEEDED {
            names.extend(try_to_slip_in(api)?);
        }
        Ok(Slipped { repaired, names })
    }
}

/// Deletes the Secret of the certificates; when it was there again, with the same authorities.
pub fn delete_certificates(api: &mut Api) -> Result<Instant> {
    let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/{RELEASE}-certificates");
    let authorities = api.get(&path)?.done()?["data"]["ca.crt"].clone();
    api.delete(&path)?.done()?;
    until(SOON, || Ok((api.get(&path)?.body["data"]["ca.crt"] == authorities).then(Instant::now)))
        .context("the Secret of the certificates is not back")
}

/// The name of a pod, if it was let in.
fn try_to_slip_in(api: &mut Api) -> Result<Option<String>> {
    let answer = api.post(&format!("/api/v1/namespaces/{STRICT}/pods"), &bad_pod())?;
    Ok(answer.body["metadata"]["name"].as_str().filter(|_| answer.status == 201).map(str::to_owned))
}

impl Slipped {
    /// Waits until an event tells of every pod that slipped in, and deletes them.
    pub fn await_reports(&self, api: &mut Api) -> Result<()> {
        let events = format!("/apis/events.k8s.io/v1/namespaces/{STRICT}/events");
        let mut missing = Vec::new();
        until(SOON, || {
            let found = api.get(&events)?.done()?;
            let told: Vec<&str> = found["items"].as_array().into_iter().flatten().filter_map(regarded).collect();
            missing = self.names.iter().filter(|name| !told.contains(&name.as_str())).cloned().collect();
            Ok(missing.is_empty().then_some(()))
        })
        .with_context(|| format!("of {} that slipped in, nobody is told of {missing:?}", self.names.len()))?;
        for name in &self.names {
            let answer = api.delete(&format!("/api/v1/namespaces/{STRICT}/pods/{name}?gracePeriodSeconds=0"))?;
            ensure!(answer.status == 200, "{}", answer.body);
        }
        Ok(())
    }
}

/// The name of the pod of which an event says that it slipped in.
fn regarded(event: &Value) -> Option<&str> {
    event["regarding"]["name"].as_str().filter(|_| event["reason"] == "SlippedIn")
}
