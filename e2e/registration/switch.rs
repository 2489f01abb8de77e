//! `portcullis disable` and `enable`, as a human calls them when something is wrong.

use std::{path::Path, process::Command};

use anyhow::{Result, ensure};
use serde_json::json;

use super::stage::{NAMESPACE, SHOP, SOON, Stage, configuration, create, pod, pods, try_pod, with_stage};
use crate::harness::{Api, until};

#[test]
fn disabling_lasts_until_it_is_enabled_again() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let said = portcullis(stage, None, &["disable", "--reason", "a fire", "--for", "1h"])?;
        ensure!(said.starts_with("Disabled until 2") && said.contains("by administrator: a fire"), "{said}");
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 201).then_some(())))?;
        let replica = &stage.replicas[0];
        until(SOON, || Ok((replica.metric("portcullis_disabled_until_timestamp_seconds")? > 0.0).then_some(())))?;

        // Whoever brings them back by hand sees them removed again.
        let by_hand = json!({"metadata": {"name": "portcullis"}, "webhooks": []});
        let collection = configuration("validating").replace("/portcullis", "");
        create(&mut api, &collection, &by_hand)?;
        until(SOON, || Ok((api.get(&configuration("validating"))?.status == 404).then_some(())))?;

        let said = portcullis(stage, None, &["enable"])?;
        ensure!(said.starts_with("Enabled. It was disabled by administrator until 2"), "{said}");
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 403).then_some(())))?;
        for (reason, by) in [("Disabled", "by administrator: a fire"), ("Enabled", "Enabled again by administrator")] {
            let told = stage.events(NAMESPACE, reason)?;
            ensure!(told.iter().any(|note| note.contains(by)), "{told:?}");
        }
        let said = portcullis(stage, None, &["enable"])?;
        ensure!(said.starts_with("It was not disabled"), "{said}");
        Ok(())
    })
}

#[test]
fn disabling_ends_by_itself_and_what_was_admitted_meanwhile_is_reported() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        portcullis(stage, None, &["disable", "--reason", "a short fire", "--for", "6s"])?;
        until(SOON, || Ok((api.post(&pods(SHOP), &pod("meanwhile", true))?.status == 201).then_some(())))?;
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 403).then_some(())))?;
        let marker = format!("/api/v1/namespaces/{NAMESPACE}/configmaps/portcullis-disabled");
        assert_eq!(api.get(&marker)?.status, 404);
        until(SOON, || {
            let told = stage.events(NAMESPACE, "Enabled")?;
            Ok(told.iter().any(|note| note.contains("a short fire")).then_some(()))
        })?;
        until(SOON, || Ok((!stage.events(SHOP, "SlippedIn")?.is_empty()).then_some(())))?;
        api.delete(&format!("{}/meanwhile", pods(SHOP)))?.done()?;
        Ok(())
    })
}

#[test]
fn a_marker_that_was_made_with_kubectl_counts() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let kubectl = stage.plane.kubectl()?;
        let marker = ["configmap", "portcullis-disabled", "--namespace", NAMESPACE];
        ensure!(kubectl.run(&[&["create"], &marker[..], &["--from-literal=reason=by hand"]].concat())?.succeeded);
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 201).then_some(())))?;
        ensure!(kubectl.run(&[&["delete"], &marker[..]].concat())?.succeeded);
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 403).then_some(())))
    })
}

#[test]
fn disabling_works_with_nothing_of_ours_running() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        for replica in stage.replicas.drain(..) {
            ensure!(replica.process.terminate(SOON)?.success());
        }
        assert_eq!(try_pod(&mut api, SHOP)?, 500);
        let said = portcullis(stage, None, &["disable", "--reason", "all gone", "--for", "10m"])?;
        ensure!(said.contains("Deleted: ValidatingWebhookConfiguration, MutatingWebhookConfiguration"), "{said}");
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 201).then_some(())))?;
        portcullis(stage, None, &["enable"])?;
        stage.restore()
    })
}

#[test]
fn whoever_may_not_disable_is_told_what_he_lacks() -> Result<()> {
    with_stage(|stage| {
        let nobody = stage.plane.kubeconfig_for("nobody")?;
        let refused = portcullis(stage, Some(&nobody), &["disable", "--reason", "a fire", "--for", "1h"]);
        let problem = refused.err().map(|error| error.to_string()).unwrap_or_default();
        let expected = "the marker cannot be written: the API server refuses: 403 configmaps \"portcullis-disabled\" is \
            forbidden: User \"nobody\" cannot patch resource \"configmaps\"";
        ensure!(problem.contains(expected), "{problem}");
        let mut api: Api = stage.plane.connect()?;
        assert_eq!(try_pod(&mut api, SHOP)?, 403);
        Ok(())
    })
}

/// What the binary prints; an error with what it complains of if it fails.
fn portcullis(stage: &Stage, kubeconfig: Option<&Path>, arguments: &[&str]) -> Result<String> {
    let kubeconfig = kubeconfig.unwrap_or(&stage.plane.api_servers[0].kubeconfig);
    let output =
        Command::new(env!("CARGO_BIN_EXE_portcullis")).env("KUBECONFIG", kubeconfig).args(arguments).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
