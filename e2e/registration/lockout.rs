//! That a cluster goes on and recovers with all replicas gone: what is refused then, and what is never refused.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::stage::{EXCLUDED, NAMESPACE, SHOP, SOON, create, pod, pods, try_pod, with_stage};
use crate::harness::until;

#[test]
fn with_all_replicas_gone_only_what_must_be_judged_is_refused() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("leaving", &[])?;
        create(&mut api, &pods(SHOP), &pod("there-already", false))?;
        for replica in stage.replicas.drain(..) {
            ensure!(replica.process.terminate(SOON)?.success());
        }

        let refused = api.post(&pods(SHOP), &pod("new", false))?;
        assert_eq!(refused.status, 500, "{}", refused.body);
        ensure!(refused.message().contains("failed calling webhook \"pods.portcullis.dev\""), "{}", refused.message());
        for namespace in ["kube-system", NAMESPACE, EXCLUDED] {
            assert_eq!(try_pod(&mut api, namespace)?, 201, "{namespace}");
        }
        let lease = json!({"metadata": {"name": "node-1"}, "spec": {"holderIdentity": "node-1"}});
        create(&mut api, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", &lease)?;
        let node = json!({"metadata": {"name": "node-1"}});
        create(&mut api, "/api/v1/nodes", &node)?;
        let ready = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        assert_eq!(api.merge_lists("/api/v1/nodes/node-1/status", &ready)?.status, 200);
        let request = "-----BEGIN CERTIFICATE REQUEST-----";
        let signing = json!({"metadata": {"name": "a"}, "spec": {
            "request": base64(request), "signerName": "example.com/a", "usages": ["client auth"],
        }});
        let answer = api.post("/apis/certificates.k8s.io/v1/certificatesigningrequests?dryRun=All", &signing)?;
        assert!(!answer.message().contains("webhook"), "{}", answer.body);

        // The kubelet's reports, and what controllers note at the edge of a pod.
        let path = format!("{}/there-already", pods(SHOP));
        let running = json!({"status": {"phase": "Running"}});
        assert_eq!(api.merge_lists(&format!("{path}/status"), &running)?.status, 200);
        let noted = api.merge(&path, &json!({"metadata": {"labels": {"noted": "yes"}}}))?;
        assert_eq!(noted.status, 200, "{}", noted.body);
        let changed = api.merge_lists(&path, &json!({"spec": {"containers": [{"name": "app", "image": "other"}]}}))?;
        assert_eq!(changed.status, 500, "{}", changed.body);
        assert_eq!(api.delete(&path)?.status, 200);

        // A workload is only warned about: it is admitted without us.
        let template = json!({"metadata": {"labels": {"app": "a"}}, "spec": pod("a", false)["spec"]});
        let deployment = json!({
            "metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template},
        });
        create(&mut api, &format!("/apis/apps/v1/namespaces/{SHOP}/deployments"), &deployment)?;

        // The namespace controller ends a namespace with updates of its status and its finalizers.
        api.delete("/api/v1/namespaces/leaving")?.done()?;
        until(SOON, || Ok((api.get("/api/v1/namespaces/leaving")?.status == 404).then_some(())))
            .context("the namespace stays")?;

        stage.restore()?;
        until(SOON, || {
            let found = api.get(&format!("{}?labelSelector=app%3Da", pods(SHOP)))?.done()?;
            Ok((found["items"].as_array().map(Vec::len) == Some(1)).then_some(()))
        })
        .context("the deployment's pod does not come when we are back")
    })
}

fn base64(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(text)
}
