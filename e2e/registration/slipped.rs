//! Pods that are admitted while the registration is gone or weak are found once it is repaired.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::stage::{NAMESPACE, SHOP, SOON, Stage, configuration, pod, pods, with_stage};
use crate::harness::{Api, Signal, until};

#[test]
fn a_pod_that_slips_in_while_a_configuration_is_gone_is_reported() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        slip(stage, "while-gone", |api| {
            api.delete(&configuration("validating"))?.done()?;
            Ok(())
        })?;
        is_reported(stage, &mut api, "while-gone")
    })
}

#[test]
fn a_pod_that_slips_in_through_a_weak_configuration_is_reported() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        slip(stage, "while-weak", |api| {
            let mut found = api.get(&configuration("validating"))?.done()?;
            found["webhooks"][0]["objectSelector"] = json!({"matchLabels": {"never": "there"}});
            api.put(&configuration("validating"), &found)?.done()?;
            Ok(())
        })?;
        is_reported(stage, &mut api, "while-weak")
    })
}

#[test]
fn a_pod_that_slips_in_is_reported_though_the_other_configuration_cannot_be_repaired_yet() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        slip(stage, "while-both", |api| {
            let mut found = api.get(&configuration("mutating"))?.done()?;
            found["webhooks"][0]["failurePolicy"] = json!("Ignore");
            found["metadata"]["finalizers"] = json!(["example.com/held"]);
            api.put(&configuration("mutating"), &found)?.done()?;
            api.delete(&configuration("mutating"))?.done()?;
            api.delete(&configuration("validating"))?.done()?;
            Ok(())
        })?;
        let reported = is_reported(stage, &mut api, "while-both");
        api.merge(&configuration("mutating"), &json!({"metadata": {"finalizers": null}}))?.done()?;
        reported
    })
}

/// Creates a privileged pod after `weaken`, while no replica can do anything about it.
fn slip(stage: &Stage, name: &str, weaken: impl FnOnce(&mut Api) -> Result<()>) -> Result<()> {
    let mut api = stage.plane.connect()?;
    let stalled = Stalled::all(stage)?;
    weaken(&mut api)?;
    until(SOON, || Ok((api.post(&pods(SHOP), &pod(name, true))?.status == 201).then_some(())))?;
    drop(stalled);
    Ok(())
}

fn is_reported(stage: &Stage, api: &mut Api, name: &str) -> Result<()> {
    let told = until(SOON, || {
        let notes = stage.events(SHOP, "SlippedIn")?;
        let found = api.get(&format!("/apis/events.k8s.io/v1/namespaces/{SHOP}/events"))?.done()?;
        let regards = found["items"].as_array().is_some_and(|events| {
            events.iter().any(|event| event["reason"] == "SlippedIn" && event["regarding"]["name"] == name)
        });
        Ok(regards.then_some(notes))
    })
    .context("it is not reported")?;
    ensure!(told.iter().all(|note| note.contains("violates PodSecurity \"baseline:latest\": privileged")), "{told:?}");
    ensure!(stage.metric("portcullis_slipped_pods_total")? >= 1.0);
    api.delete(&format!("{}/{name}", pods(SHOP)))?.done()?;
    ensure!(stage.events(NAMESPACE, "SlippedIn")?.is_empty());
    Ok(())
}

/// Replicas that do nothing until this is dropped.
struct Stalled<'s>(&'s Stage);

impl<'s> Stalled<'s> {
    fn all(stage: &'s Stage) -> Result<Self> {
        let stalled = Self(stage);
        for replica in &stage.replicas {
            replica.process.send(Signal::Stop)?;
        }
        Ok(stalled)
    }
}

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        for replica in &self.0.replicas {
            let _ = replica.process.send(Signal::Continue);
        }
    }
}
