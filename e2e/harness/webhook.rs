//! The registration of a webhook: a Service whose ClusterIP is a loopback address, and the configuration that names it.

use super::{api::Api, process::until};
use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// What leads to a webhook.
pub struct Service {
    pub name: String,
    pub namespace: String,
    /// The ClusterIP and the port; the webhook listens there.
    pub address: SocketAddr,
    /// Who signed the webhook's certificate for `NAME.NAMESPACE.svc`.
    pub authority_pem: String,
}

impl Service {
    /// Creates the Service in its namespace, which must exist. It has no selector and no endpoints: the API server goes
    /// to the ClusterIP, and there is no kube-proxy in between.
    pub fn create(&self, api: &mut Api) -> Result<()> {
        let service = json!({
            "metadata": {"name": self.name},
            "spec": {"clusterIP": self.address.ip(), "ports": [{"port": self.address.port(), "protocol": "TCP"}]},
        });
        api.post(&format!("/api/v1/namespaces/{}/services", self.namespace), &service)?.done()?;
        Ok(())
    }

    fn client_config(&self, path: &str) -> Value {
        json!({
            "service": {
                "name": self.name, "namespace": self.namespace, "port": self.address.port(), "path": path,
            },
            "caBundle": BASE64_STANDARD.encode(&self.authority_pem),
        })
    }
}

/// A webhook that is asked about everything that Pod Security judges, in some namespaces only. Its configuration has the name
/// of its Service's namespace.
pub struct Registration<'a> {
    pub service: &'a Service,
    /// The names of these namespaces.
    pub namespaces: &'a [&'a str],
    /// `Fail` or `Ignore`.
    pub failure_policy: &'a str,
}

impl Registration<'_> {
    /// Registers it as a validating one. The API server heeds it within a second or so: see [`Self::create_and_await`].
    pub fn create(&self, api: &mut Api) -> Result<()> {
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
        api.post(path, &self.document("/validate"))?.done()?;
        Ok(())
    }

    /// The same as a mutating one.
    pub fn create_mutating(&self, api: &mut Api) -> Result<()> {
        let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
        api.post(path, &self.document("/mutate"))?.done()?;
        Ok(())
    }

    /// Registers it, and waits until a dry run of `probe` at `path` is refused.
    pub fn create_and_await(&self, api: &mut Api, path: &str, probe: &Value) -> Result<()> {
        self.create(api)?;
        let mut last = String::new();
        until(Duration::from_secs(15), || {
            let answer = api.post(&format!("{path}?dryRun=All"), probe)?;
            last = format!("{} {}", answer.status, answer.body);
            Ok((answer.status == 403).then_some(()))
        })
        .with_context(|| format!("a probe is not refused; the last answer: {last}"))
    }

    fn document(&self, path: &str) -> Value {
        let rule = |group: &str, resources: &[&str]| {
            json!({
                "apiGroups": [group], "apiVersions": ["v1"], "resources": resources,
                "operations": ["CREATE", "UPDATE"], "scope": "*",
            })
        };
        json!({
            "metadata": {"name": self.service.namespace},
            "webhooks": [{
                "name": format!("{}.portcullis.dev", self.service.namespace),
                "clientConfig": self.service.client_config(path),
                "rules": [
                    rule("", &["pods", "pods/ephemeralcontainers", "pods/resize", "namespaces"]),
                    rule("", &["replicationcontrollers", "podtemplates"]),
                    rule("apps", &["deployments", "replicasets", "statefulsets", "daemonsets"]),
                    rule("batch", &["jobs", "cronjobs"]),
                ],
                "namespaceSelector": {"matchExpressions": [{
                    "key": "kubernetes.io/metadata.name", "operator": "In", "values": self.namespaces,
                }]},
                "failurePolicy": self.failure_policy,
                "matchPolicy": "Equivalent",
                "sideEffects": "None",
                "timeoutSeconds": 5,
                "admissionReviewVersions": ["v1"],
            }],
        })
    }
}
