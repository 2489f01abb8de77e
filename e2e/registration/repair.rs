//! What is registered, and that it comes back whatever an administrator does to it.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::stage::{EXCLUDED, NAMESPACE, SHOP, SOON, Stage, configuration, try_pod, webhooks, with_stage};
use crate::harness::{Api, until};

/// What an administrator does to a configuration, and what it is called.
type Weakening = (&'static str, fn(&mut Value));

#[test]
fn registers_what_it_judges_and_nothing_else() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        for namespace in ["kube-system", NAMESPACE, EXCLUDED] {
            assert_eq!(try_pod(&mut api, namespace)?, 201, "{namespace}");
        }
        assert_eq!(try_pod(&mut api, SHOP)?, 403);
        let judging = webhooks(&mut api, "validating")?;
        let severities: Vec<_> = each(&judging).map(|webhook| (&webhook["name"], &webhook["failurePolicy"])).collect();
        let expected = [
            ("pods.portcullis.dev", "Fail"),
            ("namespaces.portcullis.dev", "Fail"),
            ("documents.portcullis.dev", "Fail"),
            ("denied-workloads.portcullis.dev", "Fail"),
            ("workloads.portcullis.dev", "Ignore"),
        ];
        assert_eq!(format!("{severities:?}"), format!("{:?}", expected.map(|(a, b)| (json!(a), json!(b)))));
        let mutating = webhooks(&mut api, "mutating")?;
        for webhook in each(&judging).chain(each(&mutating)) {
            assert!(!webhook["rules"].to_string().contains('*'), "{webhook}");
            assert_eq!(webhook["timeoutSeconds"], 5);
        }
        assert_eq!(stage.metric("portcullis_registered{configuration=\"validating\"}")?, 2.0);
        Ok(())
    })
}

#[test]
fn every_weakening_is_repaired() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let weakenings: [Weakening; 14] = [
            ("failurePolicy", |found| found["webhooks"][0]["failurePolicy"] = json!("Ignore")),
            ("rules", |found| found["webhooks"][0]["rules"] = json!([])),
            ("other rules", |found| {
                found["webhooks"][0]["rules"] = json!([{
                    "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["DELETE"], "scope": "*",
                }]);
            }),
            ("namespaceSelector", |found| {
                found["webhooks"][0]["namespaceSelector"] = json!({"matchLabels": {"a": "b"}})
            }),
            ("objectSelector", |found| found["webhooks"][0]["objectSelector"] = json!({"matchLabels": {"a": "b"}})),
            ("matchConditions", |found| {
                found["webhooks"][0]["matchConditions"] = json!([{"name": "never", "expression": "false"}]);
            }),
            ("caBundle", |found| found["webhooks"][0]["clientConfig"]["caBundle"] = json!("")),
            ("url", |found| found["webhooks"][0]["clientConfig"] = json!({"url": "https://example.invalid/validate"})),
            ("timeoutSeconds", |found| found["webhooks"][0]["timeoutSeconds"] = json!(1)),
            ("matchPolicy", |found| found["webhooks"][0]["matchPolicy"] = json!("Exact")),
            ("a webhook is gone", |found| {
                found["webhooks"].as_array_mut().expect("a list").remove(0);
            }),
            ("all webhooks are gone", |found| found["webhooks"] = json!([])),
            ("a webhook more", |found| {
                let mut more = found["webhooks"][0].clone();
                more["name"] = json!("more.example.com");
                found["webhooks"].as_array_mut().expect("a list").push(more);
            }),
            ("ownerReferences", |found| found["metadata"]["ownerReferences"] = json!([])),
        ];
        for which in ["validating", "mutating"] {
            let good = api.get(&configuration(which))?.done()?;
            for (name, weaken) in weakenings {
                change(&mut api, which, weaken).with_context(|| format!("{which}: {name}"))?;
                is_repaired(&mut api, which, &good).with_context(|| format!("{which}: {name} is not repaired"))?;
            }
            api.delete(&configuration(which))?.done()?;
            is_repaired(&mut api, which, &good).with_context(|| format!("{which} is not made anew"))?;
        }
        // All but the rules that the mutating one does not have anyway.
        let repairs = stage.metric("portcullis_registration_repairs_total")?;
        ensure!(repairs >= 29.0, "{repairs} repairs are counted");
        let told = stage.events(NAMESPACE, "RegistrationRepaired")?;
        ensure!(told.iter().any(|note| note.contains("webhooks[pods.portcullis.dev].failurePolicy")), "{told:?}");
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 403).then_some(())))
    })
}

#[test]
fn what_another_manager_adds_by_applying_is_removed() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let good = api.get(&configuration("validating"))?.done()?;
        let intrusion = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "portcullis", "labels": {"team": "platform"}},
            "webhooks": [{
                "name": "pods.portcullis.dev",
                "clientConfig": good["webhooks"][0]["clientConfig"], "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "matchConditions": [{"name": "never", "expression": "false"}],
            }],
        });
        let arguments = ["apply", "--server-side", "--force-conflicts", "--field-manager=intruder", "-f", "-"];
        let said = stage.plane.kubectl()?.run_with_input(&arguments, &intrusion.to_string())?;
        ensure!(said.succeeded, "{}", said.stderr);
        is_repaired(&mut api, "validating", &good)?;
        let found = api.get(&configuration("validating"))?.done()?;
        assert_eq!(found["metadata"]["labels"]["team"], "platform", "labels of others are theirs");
        let told = stage.events(NAMESPACE, "RegistrationRepaired")?;
        ensure!(told.iter().any(|note| note.contains("intruder")), "{told:?}");
        Ok(())
    })
}

#[test]
fn either_replica_repairs_alone() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let good = api.get(&configuration("validating"))?.done()?;
        for index in [1, 0] {
            stop(stage, index)?;
            api.delete(&configuration("validating"))?.done()?;
            is_repaired(&mut api, "validating", &good)?;
            stage.replicas.clear();
            stage.restore()?;
        }
        Ok(())
    })
}

#[test]
fn a_replica_that_was_started_later_has_its_way() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let older = api.get(&configuration("validating"))?.done()?;
        let other = format!("--exclude-namespace={SHOP}");
        // Starts are told apart by the API server's clock, to the second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let later = stage.start_another(42, &[&other])?;
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 201).then_some(())))?;
        std::thread::sleep(std::time::Duration::from_secs(3));
        assert_eq!(try_pod(&mut api, SHOP)?, 201, "the older replicas leave it as it is");

        ensure!(later.process.terminate(SOON)?.success());
        let weaken: fn(&mut Value) = |found| found["webhooks"][0]["failurePolicy"] = json!("Ignore");
        change(&mut api, "validating", weaken)?;
        is_repaired(&mut api, "validating", &older).context("what somebody else has changed is repaired by any replica")
    })
}

fn stop(stage: &mut Stage, index: usize) -> Result<()> {
    let replica = stage.replicas.remove(index);
    ensure!(replica.process.terminate(SOON)?.success());
    Ok(())
}

fn each(webhooks: &Value) -> impl Iterator<Item = &Value> {
    webhooks.as_array().into_iter().flatten()
}

/// Replaces a configuration; tried again where a replica was faster.
fn change(api: &mut Api, which: &str, weaken: fn(&mut Value)) -> Result<()> {
    until(SOON, || {
        let mut found = api.get(&configuration(which))?.done()?;
        weaken(&mut found);
        let answer = api.put(&configuration(which), &found)?;
        ensure!(matches!(answer.status, 200 | 409), "{}", answer.body);
        Ok((answer.status == 200).then_some(()))
    })
}

fn is_repaired(api: &mut Api, which: &str, good: &Value) -> Result<()> {
    until(SOON, || {
        let found = api.get(&configuration(which))?.body;
        let owners = |value: &Value| value["metadata"]["ownerReferences"].clone();
        Ok((found["webhooks"] == good["webhooks"] && owners(&found) == owners(good)).then_some(()))
    })
}
