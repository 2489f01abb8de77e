//! The AdmissionConfiguration of an API server: how its built-in plugins are set, and who it is to the webhooks it calls.

use super::{certificates::Authority, kubeconfig, state::State};
use anyhow::Result;
use serde_json::{Value, json};
use std::path::PathBuf;

/// The common name that an API server shows to webhooks, if it shows one.
pub const CLIENT_NAME: &str = "kube-apiserver-webhook-client";

/// What is set otherwise than by default.
#[derive(Clone, Default)]
pub struct Admission {
    /// A `PodSecurityConfiguration` for the built-in plugin.
    pub pod_security: Option<Value>,
    /// Webhooks are shown a client certificate, signed by the plane's authority.
    pub shows_client_certificate: bool,
}

impl Admission {
    /// Writes the file for `--admission-control-config-file`, and what it names.
    pub(super) fn write(&self, state: &State, authority: &Authority, server: &str) -> Result<PathBuf> {
        let mut plugins = Vec::new();
        if let Some(configuration) = &self.pod_security {
            plugins.push(json!({"name": "PodSecurity", "configuration": configuration}));
        }
        if self.shows_client_certificate {
            let user = authority.sign(state, &format!("{server}-webhook-client"), CLIENT_NAME, None, &[])?;
            let file = kubeconfig::write_for_webhooks(state, &format!("{server}-webhooks.kubeconfig"), &user)?;
            for plugin in ["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"] {
                plugins.push(json!({"name": plugin, "configuration": {
                    "apiVersion": "apiserver.config.k8s.io/v1",
                    "kind": "WebhookAdmissionConfiguration",
                    "kubeConfigFile": file,
                }}));
            }
        }
        let document = json!({
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "AdmissionConfiguration",
            "plugins": plugins,
        });
        state.write_document(&format!("{server}-admission.json"), &document)
    }
}
