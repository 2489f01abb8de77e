//! A control plane with an installation of Portcullis: two replicas, of which the first stands behind the Service.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::rights;
use crate::harness::{Api, ApiServerSettings, ControlPlane, Portcullis, Service, Settings, Shared, until};

/// Far more than anything here takes on a machine that has other things to do.
pub const SOON: Duration = Duration::from_secs(40);

pub const RELEASE: &str = "portcullis";
pub const NAMESPACE: &str = "portcullis-system";
/// Enforces baseline.
pub const SHOP: &str = "shop";
/// Enforces baseline, and nobody asks us about it.
pub const EXCLUDED: &str = "cert-manager";

pub struct Stage {
    /// They end before the plane.
    pub replicas: Vec<Portcullis>,
    pub plane: ControlPlane,
    addresses: [SocketAddr; 2],
}

/// The stage, alone and with both replicas running.
pub fn with_stage(act: impl FnOnce(&mut Stage) -> Result<()>) -> Result<()> {
    static STAGE: Shared<Mutex<Stage>> = Shared::new();
    let stage: Arc<Mutex<Stage>> = STAGE.or_start(|| Ok(Mutex::new(Stage::start()?)))?;
    let mut stage: MutexGuard<'_, Stage> = stage.lock().unwrap_or_else(PoisonError::into_inner);
    stage.restore()?;
    act(&mut stage)
}

impl Stage {
    fn start() -> Result<Self> {
        let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        let baseline = [("pod-security.kubernetes.io/enforce", "baseline")];
        for (name, labels) in [(NAMESPACE, &[][..]), (SHOP, &baseline), (EXCLUDED, &baseline)] {
            plane.create_namespace(name, labels)?;
        }
        let mut api = plane.connect()?;
        rights::grant(&plane, RELEASE, NAMESPACE)?;
        plane.kubeconfig_of_service_account(NAMESPACE, RELEASE)?;
        plane.sign_for_host(&format!("{RELEASE}.{NAMESPACE}.svc"))?;
        let ip = IpAddr::V4(plane.addresses.service(2));
        let address = TcpListener::bind((ip, 0))?.local_addr()?;
        let service = Service {
            name: RELEASE.to_owned(),
            namespace: NAMESPACE.to_owned(),
            address,
            authority_pem: String::new(),
        };
        service.create(&mut api)?;
        let addresses = [address, plane.addresses.process(40)?];
        Ok(Self { replicas: Vec::new(), plane, addresses })
    }

    /// Starts the replicas that do not run, and waits until everything is as it is to be.
    pub fn restore(&mut self) -> Result<()> {
        while let Some(address) = self.addresses.get(self.replicas.len()) {
            self.replicas.push(self.start_replica(*address, &[])?);
        }
        let mut api = self.plane.connect()?;
        // Left by a test that failed.
        api.delete(&format!("/api/v1/namespaces/{NAMESPACE}/configmaps/{RELEASE}-disabled"))?;
        until(SOON, || Ok((try_pod(&mut api, SHOP)? == 403).then_some(())))
            .with_context(|| format!("pods are not refused; the end of a replica's log:\n{}", self.log_end()))
    }

    fn log_end(&self) -> String {
        self.replicas.first().map(|replica| replica.process.log_end()).unwrap_or_default()
    }

    /// Starts a replica with further arguments, to which nothing leads.
    pub fn start_another(&self, host: u8, further: &[&str]) -> Result<Portcullis> {
        self.start_replica(self.plane.addresses.process(host)?, further)
    }

    fn start_replica(&self, address: SocketAddr, further: &[&str]) -> Result<Portcullis> {
        let file = |name: &str| self.plane.file(name).display().to_string();
        let host = format!("{RELEASE}.{NAMESPACE}.svc");
        let arguments = [
            "--register".to_owned(),
            format!("--kubeconfig={}", file(&format!("{RELEASE}.kubeconfig"))),
            format!("--namespace={NAMESPACE}"),
            format!("--service-port={}", self.addresses[0].port()),
            format!("--exclude-namespace={EXCLUDED}"),
            format!("--tls-cert-file={}", file(&format!("{host}.crt"))),
            format!("--tls-private-key-file={}", file(&format!("{host}.key"))),
            format!("--registration-ca-file={}", self.plane.authority().display()),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(further.iter().copied()).collect();
        Portcullis::start_at(address, &self.plane, NAMESPACE, &arguments)
    }

    /// The sum of a metric over the replicas.
    pub fn metric(&self, sample: &str) -> Result<f64> {
        self.replicas.iter().map(|replica| replica.metric(sample)).sum()
    }

    /// The notes of the events with this reason.
    pub fn events(&self, namespace: &str, reason: &str) -> Result<Vec<String>> {
        let found =
            self.plane.connect()?.get(&format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"))?.done()?;
        let notes = found["items"].as_array().into_iter().flatten().filter(|event| event["reason"] == reason);
        Ok(notes.map(|event| event["note"].as_str().unwrap_or_default().to_owned()).collect())
    }
}

/// The path of one of the two configurations; `which` is `mutating` or `validating`.
pub fn configuration(which: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{which}webhookconfigurations/{RELEASE}")
}

pub fn webhooks(api: &mut Api, which: &str) -> Result<Value> {
    Ok(api.get(&configuration(which))?.done()?["webhooks"].clone())
}

pub fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// The status of a dry run of creating a privileged pod.
pub fn try_pod(api: &mut Api, namespace: &str) -> Result<u16> {
    Ok(api.post(&format!("{}?dryRun=All", pods(namespace)), &pod("tried", true))?.status)
}

pub fn pod(name: &str, is_privileged: bool) -> Value {
    let container = json!({"name": "app", "image": "nginx", "securityContext": {"privileged": is_privileged}});
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}

pub fn create(api: &mut Api, path: &str, object: &Value) -> Result<()> {
    let answer = api.post(path, object)?;
    ensure!(answer.status == 201, "{path}: {}", answer.body);
    Ok(())
}
