//! Manifests that are applied again: nothing drifts, nothing is there twice.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::documents::{LOG_SHIPPER, SHIP, is_shipping, pod};
use crate::harness::Kubectl;
use crate::stage::{create, pods, until_pod, with_stage};

#[test]
fn a_deployment_and_a_pod_that_are_applied_twice_do_not_change() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let kubectl = stage.plane.kubectl()?;
        stage.plane.create_namespace("applied", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "applied", &pod("a", Some(SHIP)), is_shipping)?;
        let template = json!({"metadata": {"labels": {"app": "web", SHIP.0: SHIP.1}}, "spec": pod("", None)["spec"]});
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "applied"},
            // None of its pods, so that its status stays as it is.
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template},
        });
        let mut alone = pod("alone", Some(SHIP));
        alone["apiVersion"] = json!("v1");
        alone["kind"] = json!("Pod");
        alone["metadata"]["namespace"] = json!("applied");
        for (object, path) in [
            (deployment, "/apis/apps/v1/namespaces/applied/deployments/web".to_owned()),
            (alone, format!("{}/alone", pods("applied"))),
        ] {
            apply(&kubectl, &object)?;
            let first = api.get(&path)?.done()?;
            apply(&kubectl, &object)?;
            let second = api.get(&path)?.done()?;
            assert_eq!(second["spec"], first["spec"], "{path}");
            assert_eq!(second["metadata"]["generation"], first["metadata"]["generation"], "{path}");
            let diff = ["diff", "--server-side", "-f", "-"];
            let said = kubectl.run_with_input(&diff, &object.to_string())?;
            ensure!(said.succeeded, "{}{}", said.stdout, said.stderr);
        }
        Ok(())
    })
}

#[test]
fn a_pod_that_is_made_of_an_injected_ones_manifest_has_everything_once() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let kubectl = stage.plane.kubectl()?;
        stage.plane.create_namespace("copied", &[])?;
        stage.apply(LOG_SHIPPER, 1.0)?;
        until_pod(&mut api, "copied", &pod("a", Some(SHIP)), is_shipping)?;
        let stored = create(&mut api, "copied", &pod("original", Some(SHIP)))?;
        let copy = manifest(&stored, "copy");
        for _ in 0..2 {
            apply(&kubectl, &copy)?;
            let copied = api.get(&format!("{}/copy", pods("copied")))?.done()?;
            assert!(is_shipping(&copied), "{copied}");
            assert_eq!(copied["spec"]["initContainers"], stored["spec"]["initContainers"]);
            assert_eq!(copied["spec"]["containers"], stored["spec"]["containers"]);
            assert_eq!(copied["spec"]["volumes"], stored["spec"]["volumes"]);
        }
        apply(&kubectl, &manifest(&stored, "original"))?;
        let again = api.get(&format!("{}/original", pods("copied")))?.done()?;
        assert_eq!(again["spec"], stored["spec"]);
        Ok(())
    })
}

/// What one would write to a file of a pod that is there.
fn manifest(stored: &Value, name: &str) -> Value {
    let metadata = json!({
        "name": name, "namespace": stored["metadata"]["namespace"], "labels": stored["metadata"]["labels"],
        "annotations": stored["metadata"]["annotations"],
    });
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": stored["spec"]})
}

fn apply(kubectl: &Kubectl, object: &Value) -> Result<()> {
    let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let said = kubectl.run_with_input(&arguments, &object.to_string())?;
    ensure!(said.succeeded, "{}", said.stderr);
    Ok(())
}
