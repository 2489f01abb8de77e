//! Kubeconfig files: where a server is, whom to trust, who one is.

use super::certificates::{Authority, Pair};
use super::state::State;
use anyhow::Result;
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf};

/// Writes the kubeconfig of one user of the API server at `server`.
pub fn write(state: &State, file: &str, server: SocketAddr, authority: &Authority, user: &Pair) -> Result<PathBuf> {
    let user = json!({"client-certificate": user.certificate, "client-key": user.key});
    write_for(state, file, server, authority, &user)
}

/// The same for somebody who has a token.
pub fn write_with_token(
    state: &State,
    file: &str,
    server: SocketAddr,
    authority: &Authority,
    token: &str,
) -> Result<PathBuf> {
    write_for(state, file, server, authority, &json!({"token": token}))
}

fn write_for(state: &State, file: &str, server: SocketAddr, authority: &Authority, user: &Value) -> Result<PathBuf> {
    let document = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "plane",
        "clusters": [{"name": "plane", "cluster": {
            "server": format!("https://{server}"), "certificate-authority": authority.file,
        }}],
        "users": [{"name": "plane", "user": user}],
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
