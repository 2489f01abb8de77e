//! A control plane with the definitions of the documents and a Portcullis that keeps itself registered.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::harness::{Api, ApiServerSettings, AuditLog, ControlPlane, Portcullis, Service, Settings, Shared, until};
use crate::rights;

/// Far more than anything here takes on a machine that has other things to do.
pub const SOON: Duration = Duration::from_secs(40);

pub const RELEASE: &str = "portcullis";
pub const NAMESPACE: &str = "portcullis-system";
const DEFINITIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/base/custom-resource-definitions.yaml");
/// Where documents are.
const COLLECTIONS: [&str; 2] = ["/apis/portcullis.dev/v1/sidecarinjections", "/apis/portcullis.dev/v1/poddefaults"];

pub struct Stage {
    /// It ends before the plane.
    pub portcullis: Portcullis,
    pub plane: ControlPlane,
    arguments: Vec<String>,
}

/// The stage, alone and without any document.
pub fn with_stage(act: impl FnOnce(&Stage) -> Result<()>) -> Result<()> {
    static STAGE: Shared<Mutex<Stage>> = Shared::new();
    let stage = STAGE.or_start(|| Ok(Mutex::new(Stage::start()?)))?;
    let stage: MutexGuard<'_, Stage> = stage.lock().unwrap_or_else(PoisonError::into_inner);
    stage.clear()?;
    act(&stage).with_context(|| format!("the end of the log of Portcullis:\n{}", stage.portcullis.process.log_end()))
}

impl Stage {
    fn start() -> Result<Self> {
        let api_server = ApiServerSettings {
            without_plugins: vec!["PodSecurity"],
            has_audit_log: true,
            ..ApiServerSettings::default()
        };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        plane.kubectl()?.done(&["apply", "-f", DEFINITIONS])?;
        plane.kubectl()?.done(&["wait", "--for=condition=Established", "--timeout=30s", "-f", DEFINITIONS])?;
        plane.create_namespace(NAMESPACE, &[])?;
        rights::grant(&plane, RELEASE, NAMESPACE)?;
        let kubeconfig = plane.kubeconfig_of_service_account(NAMESPACE, RELEASE)?;
        let host = format!("{RELEASE}.{NAMESPACE}.svc");
        let pair = plane.sign_for_host(&host)?;
        let address = TcpListener::bind((IpAddr::V4(plane.addresses.service(2)), 0))?.local_addr()?;
        let service = Service {
            name: RELEASE.to_owned(),
            namespace: NAMESPACE.to_owned(),
            address,
            authority_pem: String::new(),
        };
        service.create(&mut plane.connect()?)?;
        let arguments = vec![
            "--register".to_owned(),
            format!("--kubeconfig={}", kubeconfig.display()),
            format!("--namespace={NAMESPACE}"),
            format!("--service-port={}", address.port()),
            format!("--tls-cert-file={}", pair.certificate.display()),
            format!("--tls-private-key-file={}", pair.key.display()),
            format!("--registration-ca-file={}", plane.authority().display()),
        ];
        let portcullis = start(&plane, address, &arguments)?;
        let stage = Self { portcullis, plane, arguments };
        let mut api = stage.plane.connect()?;
        until(SOON, || Ok((api.get(&configuration("validating"))?.status == 200).then_some(())))
            .context("nothing is registered")?;
        Ok(stage)
    }

    /// Starts another replica, to which nothing leads.
    pub fn start_another(&self) -> Result<Portcullis> {
        start(&self.plane, self.plane.addresses.process(40)?, &self.arguments)
    }

    /// Starts another replica, which may do all that is needed but read documents, and so is never ready.
    pub fn start_blind(&self) -> Result<Portcullis> {
        const NAME: &str = "blind";
        let mut api = self.plane.connect()?;
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let mut role = api.get(&format!("{rbac}/clusterroles/{RELEASE}"))?.done()?;
        if let Some(rules) = role["rules"].as_array_mut() {
            rules.retain(|rule| rule["apiGroups"] != json!(["portcullis.dev"]));
        }
        let role = json!({"metadata": {"name": NAME}, "rules": role["rules"]});
        api.post(&format!("{rbac}/clusterroles"), &role)?.done()?;
        let own = format!("{rbac}/namespaces/{NAMESPACE}/rolebindings");
        for (bindings, kind, role) in
            [(format!("{rbac}/clusterrolebindings"), "ClusterRole", NAME), (own, "Role", RELEASE)]
        {
            let binding = json!({
                "metadata": {"name": NAME},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
                "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
            });
            api.post(&bindings, &binding)?.done()?;
        }
        let kubeconfig = self.plane.kubeconfig_of_service_account(NAMESPACE, NAME)?;
        let others = self.arguments.iter().filter(|argument| !argument.starts_with("--kubeconfig="));
        let arguments = [format!("--kubeconfig={}", kubeconfig.display())];
        let arguments: Vec<&str> = arguments.iter().chain(others).map(String::as_str).collect();
        Portcullis::start_unready(&self.plane, NAMESPACE, self.plane.addresses.service(3), &arguments)
    }

    /// Deletes all documents, and waits until pods are left alone.
    pub fn clear(&self) -> Result<()> {
        let mut api = self.plane.connect()?;
        for collection in COLLECTIONS {
            api.delete(collection)?.done()?;
        }
        until(SOON, || Ok((self.metric("portcullis_documents")? == 0.0 && !is_asked(&mut api)?).then_some(())))
            .context("documents stay")
    }

    /// Applies documents with kubectl, and waits until so many are in force and the API server asks about pods.
    pub fn apply(&self, documents: &str, count: f64) -> Result<()> {
        self.plane.kubectl()?.apply(documents)?;
        let mut api = self.plane.connect()?;
        until(SOON, || Ok((self.metric("portcullis_documents")? == count && is_asked(&mut api)?).then_some(())))
            .context("documents do not come into force")
    }

    pub fn metric(&self, sample: &str) -> Result<f64> {
        self.portcullis.metric(sample)
    }

    pub fn log(&self) -> Result<&AuditLog> {
        self.plane.api_servers[0].audit_log.as_ref().context("no audit log")
    }
}

fn start(plane: &ControlPlane, address: SocketAddr, arguments: &[String]) -> Result<Portcullis> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Portcullis::start_at(address, plane, NAMESPACE, &arguments)
}

/// The path of one of the two configurations; `which` is `mutating` or `validating`.
pub fn configuration(which: &str) -> String {
    format!("/apis/admissionregistration.k8s.io/v1/{which}webhookconfigurations/{RELEASE}")
}

/// Whether a rule is registered for what is to be changed.
pub fn is_asked(api: &mut Api) -> Result<bool> {
    let found = api.get(&configuration("mutating"))?.done()?;
    Ok(found["webhooks"][0]["rules"].is_array())
}

pub fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// Creates a pod in a dry run until it comes out as meant: the API server heeds a new registration a moment later.
pub fn until_pod(api: &mut Api, namespace: &str, pod: &Value, is_meant: impl Fn(&Value) -> bool) -> Result<Value> {
    let mut last = Value::Null;
    let path = format!("{}?dryRun=All", pods(namespace));
    until(SOON, || {
        last = api.post(&path, pod)?.body;
        Ok(is_meant(&last).then(|| last.clone()))
    })
    .with_context(|| format!("no pod comes out as meant; the last one: {last}"))
}

/// Creates a pod and says what is stored.
pub fn create(api: &mut Api, namespace: &str, pod: &Value) -> Result<Value> {
    let answer = api.post(&pods(namespace), pod)?;
    ensure!(answer.status == 201, "{}", answer.body);
    Ok(answer.body)
}

/// The names in a list of a pod's spec.
pub fn names<'p>(pod: &'p Value, list: &str) -> Vec<&'p str> {
    items(pod, list).filter_map(|item| item["name"].as_str()).collect()
}

/// The items of a list of a pod's spec.
pub fn items<'p>(pod: &'p Value, list: &str) -> impl Iterator<Item = &'p Value> {
    pod["spec"][list].as_array().into_iter().flatten()
}

/// The container of this name, wherever it is.
pub fn container<'p>(pod: &'p Value, name: &str) -> &'p Value {
    items(pod, "initContainers")
        .chain(items(pod, "containers"))
        .find(|item| item["name"] == name)
        .unwrap_or(&Value::Null)
}
