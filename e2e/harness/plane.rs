//! A control plane, put together: etcd, one or more API servers on it, and the controllers.
//!
//! What depends on another part ends before it: an API server whose etcd has gone hangs for minutes.

use super::{
    addresses::Addresses,
    api::Api,
    api_server::{ApiServer, ApiServerSettings, Surroundings},
    certificates::{Authority, Pair, TokenKey},
    controllers,
    etcd::Etcd,
    kubeconfig,
    kubectl::Kubectl,
    process::Process,
    state::State,
};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;

/// What a plane consists of.
#[derive(Clone)]
pub struct Settings {
    /// Its API servers, at least one.
    pub api_servers: Vec<ApiServerSettings>,
    /// Whether there are controllers; without them Deployments stay words, and pods have no service account.
    pub has_controllers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { api_servers: vec![ApiServerSettings::default()], has_controllers: true }
    }
}

/// A running control plane. Its fields are in the order in which they end.
pub struct ControlPlane {
    controllers: Option<Process>,
    /// Its API servers, in the order of the settings.
    pub api_servers: Vec<ApiServer>,
    /// Its etcd.
    pub etcd: Etcd,
    /// Its addresses.
    pub addresses: Addresses,
    authority: Authority,
    state: State,
}

impl ControlPlane {
    /// Starts it, and waits until it can be used.
    pub fn start(settings: &Settings) -> Result<Self> {
        let state = State::create()?;
        let addresses = Addresses::reserve()?;
        let authority = Authority::create(&state)?;
        let token_key = TokenKey::create(&state)?;
        let etcd_address = addresses.process(2)?;
        let etcd = Etcd::start(&state, etcd_address)?;
        let around = Surroundings {
            state: &state,
            authority: &authority,
            token_key: &token_key,
            etcd: etcd_address,
            services: addresses.services(),
            has_controllers: settings.has_controllers,
        };
        let api_servers = start_api_servers(settings, &around, &addresses)?;
        let mut plane = Self { controllers: None, api_servers, etcd, addresses, authority, state };
        if settings.has_controllers {
            plane.controllers = Some(plane.start_controllers(token_key.private)?);
        }
        Ok(plane)
    }

    /// A new connection to the first API server, as its administrator.
    pub fn connect(&self) -> Result<Api> {
        self.api_servers[0].connect()
    }

    /// kubectl for the first API server.
    pub fn kubectl(&self) -> Result<Kubectl> {
        Kubectl::new(&self.api_servers[0].kubeconfig)
    }

    /// The path of a file in the directory that ends with this plane.
    pub fn file(&self, name: &str) -> PathBuf {
        self.state.path(name)
    }

    /// Writes such a file.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        self.state.write(name, text)
    }

    /// A certificate for a user, signed by the authority that the API servers trust.
    pub fn sign_for_user(&self, name: &str, group: Option<&str>) -> Result<Pair> {
        self.authority.sign(&self.state, &format!("user-{name}"), name, group, &[])
    }

    /// A certificate for a server of these names, signed by that authority.
    pub fn sign_for_host(&self, host: &str) -> Result<Pair> {
        self.authority.sign(&self.state, host, host, None, &[host.to_owned()])
    }

    /// A kubeconfig with which somebody of this name reaches the first API server; RBAC says what for.
    pub fn kubeconfig_for(&self, name: &str) -> Result<PathBuf> {
        let pair = self.sign_for_user(name, None)?;
        let server = self.api_servers[0].address;
        kubeconfig::write(&self.state, &format!("{name}.kubeconfig"), server, &self.authority, &pair)
    }

    /// A kubeconfig for somebody who is allowed what these RBAC rules say, and nothing else.
    pub fn allow(&self, name: &str, rules: &serde_json::Value) -> Result<PathBuf> {
        let mut api = self.connect()?;
        let group = "rbac.authorization.k8s.io";
        let role = json!({"metadata": {"name": name}, "rules": rules});
        api.post(&format!("/apis/{group}/v1/clusterroles"), &role)?.done()?;
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        });
        api.post(&format!("/apis/{group}/v1/clusterrolebindings"), &binding)?.done()?;
        self.kubeconfig_for(name)
    }

    /// A kubeconfig of a service account, which is created if it is not there.
    pub fn kubeconfig_of_service_account(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let mut api = self.connect()?;
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let created = api.post(&accounts, &json!({"metadata": {"name": name}}))?;
        anyhow::ensure!(matches!(created.status, 201 | 409), "{}", created.body);
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let granted = api.post(&format!("{accounts}/{name}/token"), &request)?.done()?;
        let token = granted["status"]["token"].as_str().unwrap_or_default();
        let server = self.api_servers[0].address;
        kubeconfig::write_with_token(&self.state, &format!("{name}.kubeconfig"), server, &self.authority, token)
    }

    /// The certificate of that authority.
    pub fn authority(&self) -> PathBuf {
        self.authority.file.clone()
    }

    /// Creates a namespace with these labels, and waits until pods can be made in it.
    pub fn create_namespace(&self, name: &str, labels: &[(&str, &str)]) -> Result<()> {
        let mut api = self.connect()?;
        let labels: serde_json::Map<_, _> = labels.iter().map(|(key, value)| ((*key).into(), json!(value))).collect();
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        api.post("/api/v1/namespaces", &namespace)?.done()?;
        if self.controllers.is_some() {
            let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
            super::until(std::time::Duration::from_secs(30), || Ok((api.get(&account)?.status == 200).then_some(())))?;
        }
        Ok(())
    }

    fn start_controllers(&self, token_key: PathBuf) -> Result<Process> {
        let user = "system:kube-controller-manager";
        let pair = self.authority.sign(&self.state, "controllers", user, None, &[])?;
        let server = self.api_servers[0].address;
        let needs = controllers::Needs {
            kubeconfig: kubeconfig::write(&self.state, "controllers.kubeconfig", server, &self.authority, &pair)?,
            token_key,
            authority: self.authority.file.clone(),
        };
        controllers::start(&self.state, &needs, &mut self.connect()?)
    }
}

fn start_api_servers(settings: &Settings, around: &Surroundings, addresses: &Addresses) -> Result<Vec<ApiServer>> {
    let (state, authority) = (around.state, around.authority);
    let administrator = authority.sign(state, "administrator", "administrator", Some("system:masters"), &[])?;
    (1_u8..)
        .zip(&settings.api_servers)
        .map(|(number, settings)| {
            let name = format!("kube-apiserver-{number}");
            let address = addresses.process(10 + number)?;
            let file = format!("administrator-{number}.kubeconfig");
            let kubeconfig = kubeconfig::write(state, &file, address, authority, &administrator)?;
            ApiServer::start(settings, around, (&name, address), (kubeconfig, &administrator))
        })
        .collect()
}
