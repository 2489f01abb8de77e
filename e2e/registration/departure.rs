//! A second installation, in audit mode: nothing of it can refuse anything, and nothing of it stays when it is uninstalled.

use anyhow::{Context, Result, ensure};

use super::stage::{RELEASE, SOON, with_stage};
use crate::harness::{Portcullis, until};

const AUDIT: &str = "onlooker";

#[test]
fn audit_mode_registers_everything_as_ignore_and_all_goes_with_its_owner() -> Result<()> {
    with_stage(|stage| {
        let plane = &stage.plane;
        let mut api = plane.connect()?;
        let namespace = format!("{AUDIT}-system");
        plane.create_namespace(&namespace, &[])?;
        super::rights::grant(plane, AUDIT, &namespace)?;
        let kubeconfig = plane.kubeconfig_of_service_account(&namespace, AUDIT)?.display().to_string();
        let address = plane.addresses.process(41)?;
        let arguments =
            ["--register", "--mode=audit", "--release", AUDIT, "--namespace", &namespace, "--kubeconfig", &kubeconfig];
        let onlooker = Portcullis::start_at(address, plane, &namespace, &arguments)?;

        let path = |which: &str| format!("/apis/admissionregistration.k8s.io/v1/{which}webhookconfigurations/{AUDIT}");
        for which in ["validating", "mutating"] {
            let found = until(SOON, || {
                let answer = api.get(&path(which))?;
                Ok((answer.status == 200).then_some(answer.body))
            })
            .context("it does not register")?;
            for webhook in found["webhooks"].as_array().into_iter().flatten() {
                assert_eq!(webhook["failurePolicy"], "Ignore", "{webhook}");
            }
        }

        let owner = format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{AUDIT}");
        api.delete(&owner)?.done()?;
        for which in ["validating", "mutating"] {
            until(SOON, || Ok((api.get(&path(which))?.status == 404).then_some(())))
                .with_context(|| format!("the {which} configuration stays"))?;
        }
        until(SOON, || {
            Ok((onlooker.metric("portcullis_registered{configuration=\"validating\"}")? == 0.0).then_some(()))
        })?;
        std::thread::sleep(std::time::Duration::from_secs(3));
        for which in ["validating", "mutating"] {
            assert_eq!(api.get(&path(which))?.status, 404, "{which}: it is registered again");
            let ours = path(which).replace(AUDIT, RELEASE);
            ensure!(api.get(&ours)?.status == 200, "the other release has its own");
        }
        Ok(())
    })
}
