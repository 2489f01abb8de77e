//! Documents with a flaw: refused where we are asked, and harmless where we are not.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, pod};
use crate::harness::until;
use crate::stage::{NAMESPACE, RELEASE, SOON, Stage, configuration, until_pod, with_stage};

#[test]
fn a_document_with_a_flaw_is_refused_with_the_path_of_each() -> Result<()> {
    with_stage(|stage| {
        let refused = |document: &str| -> Result<String> {
            let said = stage.plane.kubectl()?.run_with_input(&["apply", "-f", "-"], document)?;
            ensure!(!said.succeeded, "accepted: {}", said.stdout);
            Ok(said.stderr)
        };
        let said = refused(&nameless())?;
        assert!(said.contains("spec.add.containers[0].container"), "{said}");
        let said = refused(&LOG_SHIPPER.replace("kind: Native", "kind: Sometimes"))?;
        assert!(said.contains("spec.add.containers[0].placement.kind"), "by its definition: {said}");
        assert_eq!(stage.metric("portcullis_documents")?, 0.0);
        Ok(())
    })
}

#[test]
fn a_document_that_is_broken_while_nobody_asks_us_keeps_its_last_good_form() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("lasting", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "lasting", &pod("a", Some(SHIP)), is_shipping)?;
        assert_eq!(stage.metric("portcullis_documents_flawed")?, 0.0);

        switch(stage, &["disable", "--reason=a test", "--for=10m"])?;
        until(SOON, || Ok((api.get(&configuration("validating"))?.status == 404).then_some(())))?;
        until(SOON, || {
            Ok(stage.plane.kubectl()?.run_with_input(&["apply", "-f", "-"], &nameless())?.succeeded.then_some(()))
        })?;
        until(SOON, || Ok((stage.metric("portcullis_documents_flawed")? == 1.0).then_some(())))?;
        assert_eq!(stage.metric("portcullis_documents")?, 1.0);
        switch(stage, &["enable"])?;
        until_pod(&mut api, "lasting", &pod("a", Some(SHIP)), is_shipping)?;

        stage.clear()?;
        assert_eq!(stage.metric("portcullis_documents_flawed")?, 0.0);
        Ok(())
    })
}

/// The log shipper, whose container has no name any more.
fn nameless() -> String {
    LOG_SHIPPER.replace("          name: log-shipper\n", "")
}

fn switch(stage: &Stage, arguments: &[&str]) -> Result<()> {
    let kubeconfig = format!("--kubeconfig={}", stage.plane.api_servers[0].kubeconfig.display());
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(arguments)
        .args([format!("--release={RELEASE}"), format!("--namespace={NAMESPACE}"), kubeconfig])
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
