//! Kubeconfig files: where a server is, whom to trust, who one is.

use super::certificates::{Authority, Pair};
use super::state::State;
use anyhow::Result;
use serde_json::json;
use std::{net::SocketAddr, path::PathBuf};

/// Writes the kubeconfig of one user of the API server at `server`.
pub fn write(state: &State, file: &str, server: SocketAddr, authority: &Authority, user: &Pair) -> Result<PathBuf> {
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "plane",
        "clusters": [{"name": "plane", "cluster": {
            "server": format!("https://{server}"), "certificate-authority": authority.file,
        }}],
        "users": [{"name": "plane", "user": {"client-certificate": user.certificate, "client-key": user.key}}],
        "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "plane"}}],
    });
    state.write_document(file, &document)
}

/// Writes the kubeconfig that tells an API server which certificate to show to webhooks. Users are looked up by the
/// webhook's `host:port` (for a Service `NAME.NAMESPACE.svc:443`), then by `*.suffix`, then by `*`.
pub fn write_for_webhooks(state: &State, file: &str, user: &Pair) -> Result<PathBuf> {
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "users": [{"name": "*", "user": {"client-certificate": user.certificate, "client-key": user.key}}],
    });
    state.write_document(file, &document)
}
