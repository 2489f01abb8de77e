//! A document takes effect when it is applied and ends when it is deleted, for pods of every origin.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, is_untouched, pod};
use crate::harness::{Api, until};
use crate::stage::{SOON, configuration, create, is_asked, pods, until_pod, with_stage};

const REPAIRS: &str = "portcullis_registration_repairs_total";

#[test]
fn a_document_takes_effect_when_it_is_applied_and_ends_when_it_is_deleted() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("chosen", &[SHIP])?;
        stage.plane.create_namespace("open", &[])?;
        let repairs = stage.metric(REPAIRS)?;
        assert!(is_untouched(&until_pod(&mut api, "open", &pod("a", Some(SHIP)), is_untouched)?));

        stage.apply(LOG_SHIPPER, 1.0)?;
        let rules = api.get(&configuration("mutating"))?.done()?["webhooks"][0]["rules"].take();
        let rule = json!({
            "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"], "scope": "Namespaced",
        });
        assert_eq!(rules, json!([rule]));
        until_pod(&mut api, "open", &pod("a", Some(SHIP)), is_shipping)?;
        until_pod(&mut api, "chosen", &pod("a", None), is_shipping)?;
        assert!(is_untouched(&create(&mut api, "open", &pod("unlabelled", None))?));
        assert!(is_untouched(&create(&mut api, "chosen", &pod("declined", Some((SHIP.0, "false"))))?));
        assert!(is_shipping(&create(&mut api, "open", &pod("kept", Some(SHIP)))?));

        stage.clear()?;
        until_pod(&mut api, "open", &pod("a", Some(SHIP)), is_untouched)?;
        let kept = api.get(&format!("{}/kept", pods("open")))?.done()?;
        assert!(is_shipping(&kept), "what runs is left as it is: {kept}");
        let repairs_after = stage.metric(REPAIRS)?;
        assert_eq!(repairs_after, repairs, "that other documents are in force is no damage");
        Ok(())
    })
}

#[test]
fn replicas_agree_about_documents_that_come_and_go() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("agreed", &[])?;
        let later = stage.start_another()?;
        for _ in 0..3 {
            stage.apply(LOG_SHIPPER, 1.0)?;
            until_pod(&mut api, "agreed", &pod("a", Some(SHIP)), is_shipping)?;
            until(SOON, || Ok((later.metric("portcullis_documents")? == 1.0).then_some(())))?;
            stage.clear()?;
            until_pod(&mut api, "agreed", &pod("a", Some(SHIP)), is_untouched)?;
        }
        // Whichever is alone goes on with what the other has left.
        stage.apply(LOG_SHIPPER, 1.0)?;
        ensure!(later.process.terminate(SOON)?.success());
        stage.clear()
    })
}

#[test]
fn a_replica_that_cannot_know_the_documents_leaves_the_rules_to_those_that_do() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        let mut generation =
            || Ok::<_, anyhow::Error>(api.get(&configuration("mutating"))?.done()?["metadata"]["generation"].take());
        let before = generation()?;
        // Starts are told apart by the API server's clock, to the second.
        std::thread::sleep(Duration::from_millis(1_100));
        let blind = stage.start_blind()?;
        let looks = "portcullis_registered{configuration=\"validating\"}";
        until(SOON, || Ok((blind.metric(looks)? == 1.0).then_some(())))?;
        // Longer than a replica without documents waits for others to hear that there are none.
        std::thread::sleep(Duration::from_secs(7));
        assert_eq!(generation()?, before);
        ensure!(blind.process.terminate(SOON)?.success());
        Ok(())
    })
}

#[test]
fn rules_that_somebody_takes_away_come_back_and_are_told_of() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        let repairs = stage.metric(REPAIRS)?;
        let mut found = api.get(&configuration("mutating"))?.done()?;
        found["webhooks"][0]["rules"] = json!([]);
        api.put(&configuration("mutating"), &found)?.done()?;
        until(SOON, || Ok((is_asked(&mut api)? && stage.metric(REPAIRS)? == repairs + 1.0).then_some(())))
    })
}

#[test]
fn what_was_decided_is_in_the_audit_log() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("audited", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "audited", &pod("a", Some(SHIP)), is_shipping)?;
        let answer = api.post(&pods("audited"), &pod("told", Some(SHIP)))?;
        let annotations = stage.log()?.annotations(&answer.audit_id)?;
        assert!(annotations.to_string().contains("SidecarInjection/log-shipper"), "{annotations}");
        assert_eq!(answer.warnings, Vec::<String>::new());
        Ok(())
    })
}

#[test]
fn the_pods_of_every_workload_come_out_with_the_sidecar() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("works", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "works", &pod("a", Some(SHIP)), is_shipping)?;
        api.post("/api/v1/nodes", &json!({"metadata": {"name": "node"}}))?.done()?;
        for (path, spec) in workloads() {
            let kind = path.rsplit('/').next().unwrap_or_default();
            let (group, _) = path.split_once('/').context("no group")?;
            let path = format!("/apis/{group}/v1/namespaces/works/{kind}");
            api.post(&path, &json!({"metadata": {"name": kind}, "spec": spec}))?.done()?;
        }
        let job = ["--namespace=works", "create", "job", "by-hand", "--from=cronjob/cronjobs"];
        stage.plane.kubectl()?.done(&job)?;
        for app in ["deployments", "statefulsets", "daemonsets", "jobs", "cronjobs"] {
            let pod = first_pod(&mut api, app)?;
            assert!(is_shipping(&pod), "{app}: {pod}");
            assert!(pod["metadata"]["ownerReferences"][0]["controller"] == true, "{app}: {pod}");
        }
        let deployment = api.get("/apis/apps/v1/namespaces/works/deployments/deployments")?.done()?;
        let template = &deployment["spec"]["template"];
        assert!(!template.to_string().contains("log-shipper"), "templates are their owners': {template}");
        Ok(())
    })
}

fn first_pod(api: &mut Api, app: &str) -> Result<Value> {
    let path = format!("{}?labelSelector=app%3D{app}", pods("works"));
    until(SOON, || Ok(api.get(&path)?.done()?["items"].get_mut(0).map(|pod| pod.take())))
        .with_context(|| format!("no pod of {app}"))
}

/// Group and resource of each kind, and the spec of one of it.
fn workloads() -> [(&'static str, Value); 5] {
    let selector = |app: &str| json!({"matchLabels": {"app": app}});
    let job = |app: &str| json!({"template": template(app, Some("Never"))});
    [
        ("apps/deployments", json!({"selector": selector("deployments"), "template": template("deployments", None)})),
        (
            "apps/statefulsets",
            json!({"serviceName": "s", "selector": selector("statefulsets"), "template": template("statefulsets", None)}),
        ),
        ("apps/daemonsets", json!({"selector": selector("daemonsets"), "template": template("daemonsets", None)})),
        ("batch/jobs", job("jobs")),
        // It is run by hand: its own time does not come.
        ("batch/cronjobs", json!({"schedule": "0 0 31 2 *", "jobTemplate": {"spec": job("cronjobs")}})),
    ]
}

fn template(app: &str, restart: Option<&str>) -> Value {
    let mut template = pod("", Some(SHIP));
    template["metadata"] = json!({"labels": {"app": app, SHIP.0: SHIP.1}});
    // No kubelet says that the node is ready.
    template["spec"]["tolerations"] = json!([{"operator": "Exists"}]);
    if let Some(restart) = restart {
        template["spec"]["restartPolicy"] = json!(restart);
    }
    template
}
