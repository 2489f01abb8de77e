//! Installed, compared with what the API server holds, upgraded from audit to enforce, and removed without a trace.

use crate::forms::template;
use crate::harness::{Api, Kubectl, until};
use crate::stage::{manifests, objects, render, stage};
use anyhow::{Result, ensure};
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

#[test]
fn all_forms_are_accepted_and_mean_the_same_to_the_api_server() -> Result<()> {
    let stage = stage()?;
    let kubectl = stage.plane.kubectl()?;
    let names = ["--release=compared", "--namespace=compared"];
    accepted(&kubectl, &["apply"], &render(&[&names[..], &["--mode=audit"]].concat())?)?;
    for (values, options) in [
        (&["mode=audit"][..], &["--mode=audit"][..]),
        (&["mode=enforce"], &[]),
        (&["highAvailability=true"], &["--high-availability"]),
        (&["certificates.source=given"], &["--certificates=given"]),
    ] {
        accepted(&kubectl, &["apply", "--dry-run=server"], &render(&[&names[..], options].concat())?)?;
        accepted(&kubectl, &["apply", "--dry-run=server"], &template(&stage, "compared", "compared", values)?)?;
    }
    let diff = |text: &str| kubectl.run_with_input(&["diff", "-f", "-"], text);
    let same = diff(&template(&stage, "compared", "compared", &["mode=audit"])?)?;
    assert!(same.succeeded, "{}{}", same.stdout, same.stderr);
    let other = diff(&render(&names)?)?;
    assert!(!other.succeeded && other.stdout.contains("-        - --mode=audit"), "{}{}", other.stdout, other.stderr);

    deleted(&kubectl, &render(&names)?)?;
    gone(&mut stage.plane.connect()?, "compared")
}

#[test]
fn a_kustomization_is_installed_runs_under_the_restricted_standard_and_leaves_nothing() -> Result<()> {
    let stage = stage()?;
    let kubectl = stage.plane.kubectl()?;
    let mut api = stage.plane.connect()?;
    for overlay in ["overlays/audit-only", "overlays/enforce", "overlays/high-availability"] {
        let said = kubectl.run(&["apply", "-k", &manifests(overlay)])?;
        ensure!(said.succeeded, "{}", said.stderr);
        assert!(!said.stderr.contains("Warning"), "{}", said.stderr);
    }
    pods_come(&mut api, "portcullis-system", 5)?;
    let privileged = ["--namespace=portcullis-system", "run", "bad", "--image=nginx", "--privileged"];
    let refused = kubectl.run(&privileged)?;
    assert!(refused.stderr.contains("violates PodSecurity \"restricted:latest\""), "{}", refused.stderr);

    let release = "--selector=app.kubernetes.io/instance=portcullis";
    kubectl.done(&["delete", "--wait=false", release, "-k", &manifests("overlays/high-availability")])?;
    gone(&mut api, "portcullis")
}

#[test]
fn helm_template_is_applied_and_deleted() -> Result<()> {
    let stage = stage()?;
    let kubectl = stage.plane.kubectl()?;
    let mut api = stage.plane.connect()?;
    let text = template(&stage, "templated", "templated", &[])?;
    accepted(&kubectl, &["apply"], &text)?;
    pods_come(&mut api, "templated", 3)?;
    deleted(&kubectl, &text)?;
    gone(&mut api, "templated")
}

#[test]
fn helm_installs_upgrades_and_uninstalls() -> Result<()> {
    let stage = stage()?;
    let helm = stage.helm()?;
    let mut api = stage.plane.connect()?;
    let chart = manifests("chart");
    helm.done(&["install", "helmed", &chart, "--namespace=helmed", "--create-namespace", "--set", "mode=audit"])?;
    pods_come(&mut api, "helmed", 3)?;
    let label = |api: &mut Api| -> Result<Value> {
        Ok(api.get("/api/v1/namespaces/helmed")?.done()?["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
            .take())
    };
    assert_eq!(label(&mut api)?, "restricted", "the namespace has its labels although Helm made it first");

    helm.done(&["upgrade", "helmed", &chart, "--namespace=helmed", "--set", "replicas=4"])?;
    let deployment = api.get("/apis/apps/v1/namespaces/helmed/deployments/helmed")?.done()?;
    let arguments = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(arguments, &serde_json::json!(["serve", "--threads=4", "--release=helmed"]));
    assert_eq!(deployment["spec"]["replicas"], 4);

    helm.done(&["uninstall", "helmed", "--namespace=helmed"])?;
    gone(&mut api, "helmed")
}

/// Runs kubectl with these documents; unknown fields, and anything that the API server warns of, are failures.
fn accepted(kubectl: &Kubectl, command: &[&str], text: &str) -> Result<()> {
    let strict: &[&str] = if command.contains(&"apply") { &["--validate=strict"] } else { &[] };
    let said = kubectl.run_with_input(&[command, strict, &["-f", "-"]].concat(), text)?;
    ensure!(said.succeeded && !said.stderr.contains("Warning"), "kubectl {command:?}: {}", said.stderr);
    let lines = said.stdout.lines().count();
    ensure!(lines == objects(text)?.len(), "not each of the objects was named: {}", said.stdout);
    Ok(())
}

/// Deletes a release: all but the definitions, which all releases share.
fn deleted(kubectl: &Kubectl, text: &str) -> Result<()> {
    let objects = objects(text)?;
    let own = objects.values().filter(|object| object["kind"] != "CustomResourceDefinition").count();
    let arguments = ["delete", "--wait=false", "--selector=app.kubernetes.io/instance", "-f", "-"];
    let said = kubectl.run_with_input(&arguments, text)?;
    ensure!(said.succeeded && said.stdout.lines().count() == own, "{}{}", said.stdout, said.stderr);
    Ok(())
}

/// Waits until the Deployment has so many pods: the quota, PodSecurity and the priority class have admitted them.
fn pods_come(api: &mut Api, namespace: &str, wanted: usize) -> Result<()> {
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    until(SOON, || {
        let found = api.get(&path)?.done()?;
        let pods = found["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_new = |pod: &&Value| pod["spec"]["priority"] == 2_000_000_000;
        Ok((pods.iter().filter(is_new).count() >= wanted).then_some(()))
    })
}

/// Waits until nothing of a release is there, wherever it was.
fn gone(api: &mut Api, release: &str) -> Result<()> {
    const COLLECTIONS: [&str; 12] = [
        "/api/v1/namespaces",
        "/api/v1/pods",
        "/api/v1/services",
        "/api/v1/secrets",
        "/api/v1/configmaps",
        "/api/v1/serviceaccounts",
        "/apis/apps/v1/deployments",
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "/apis/rbac.authorization.k8s.io/v1/roles",
        "/apis/rbac.authorization.k8s.io/v1/rolebindings",
        "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    ];
    let mut left = String::new();
    let waited = until(SOON, || {
        left.clear();
        for collection in COLLECTIONS {
            let label = format!("{collection}?labelSelector=app.kubernetes.io%2Finstance%3D{release}");
            let found = api.get(&label)?.done()?;
            for object in found["items"].as_array().into_iter().flatten() {
                left.push_str(&format!("{collection}: {}\n", object["metadata"]["name"]));
            }
        }
        Ok(left.is_empty().then_some(()))
    });
    waited.map_err(|error| error.context(format!("still there:\n{left}")))
}
