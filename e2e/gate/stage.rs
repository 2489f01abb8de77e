//! One control plane for all tests, and in front of it one Portcullis for each way of running it, each asked about namespaces of
//! its own.

use crate::{
    harness::{Api, ApiServerSettings, AuditLog, CLIENT_NAME, ControlPlane, Portcullis, Registration, Settings},
    harness::{Shared, until},
    objects::{compliant, dry, plain, pod, pods},
    recipe::Recipe,
};
use anyhow::{Context, Result};
use serde_json::json;
use std::{net::SocketAddr, sync::Arc, time::Duration};

/// Long enough for whatever controllers and watches do in a moment.
pub const SOON: Duration = Duration::from_secs(30);

pub const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
pub const WORKLOADS_LABEL: &str = "portcullis.dev/workloads";

/// Enforces `restricted`.
pub const STRICT: &str = "strict";
/// Enforces `baseline`, warns about and records what `restricted` would refuse.
pub const WARNED: &str = "warned";
/// Enforces `restricted` as it was at v1.18.
pub const PINNED: &str = "pinned";
/// Exempt by the configuration, whatever its labels say.
pub const EXCUSED: &str = "excused";
/// Had labels that mean nothing before anybody judged them.
pub const BROKEN: &str = "broken";
/// The same; it is to be deleted.
pub const DOOMED: &str = "doomed";
/// Asks for nothing yet.
pub const SETTLED: &str = "settled";
/// Asks for nothing yet.
pub const TIGHTENED: &str = "tightened";
/// Does not exist.
pub const UNBORN: &str = "unborn";
/// Enforces `baseline`, on workloads too, by our label.
pub const DECLARED: &str = "declared";
/// Enforces `restricted`, under a Portcullis in audit mode.
pub const OBSERVED: &str = "observed";
/// Enforces `baseline`, under a Portcullis that denies workloads.
pub const GUARDED: &str = "guarded";
/// The same, but its label says that workloads are only warned about.
pub const EASED: &str = "eased";

/// Whom the configuration exempts.
pub const EXEMPT_USER: &str = "exempt";
pub const EXEMPT_RUNTIME_CLASS: &str = "exempt";

/// Those that demand a client certificate: the API server's; one of another name; one of another authority; and one that the
/// API server does not show at all. Each is asked about two namespaces, see [`validated`] and [`mutated`].
pub const SHOWN: &str = "shown";
pub const MISNAMED: &str = "misnamed";
pub const STRANGER: &str = "stranger";
pub const UNSHOWN: &str = "unshown";
/// One whose certificate is of another authority than the one that is registered with it. It answers whoever asks.
pub const IMPOSTOR: &str = "impostor";
const DEMANDING: [&str; 4] = [SHOWN, MISNAMED, STRANGER, UNSHOWN];
/// The API server has to know before it starts whom to show its certificate; below the ports that clients get.
const DEMANDING_PORT: u16 = 28_443;

/// The namespace that the impostor is asked about; it would admit everything there.
pub const BETRAYED: &str = "betrayed";

const NAMESPACES: [(&str, &[(&str, &str)]); 13] = [
    (STRICT, &[(ENFORCE, "restricted")]),
    (
        WARNED,
        &[
            (ENFORCE, "baseline"),
            ("pod-security.kubernetes.io/warn", "restricted"),
            ("pod-security.kubernetes.io/audit", "restricted"),
        ],
    ),
    (PINNED, &[(ENFORCE, "restricted"), ("pod-security.kubernetes.io/enforce-version", "v1.18")]),
    (EXCUSED, &[(ENFORCE, "restricted")]),
    (BROKEN, &[(ENFORCE, "strictest")]),
    (DOOMED, &[(ENFORCE, "strictest")]),
    (SETTLED, &[]),
    (TIGHTENED, &[]),
    (DECLARED, &[(ENFORCE, "baseline"), (WORKLOADS_LABEL, "deny")]),
    (OBSERVED, &[(ENFORCE, "restricted")]),
    (GUARDED, &[(ENFORCE, "baseline")]),
    (EASED, &[(ENFORCE, "baseline"), (WORKLOADS_LABEL, "warn")]),
    (BETRAYED, &[]),
];

/// The namespace that this one is asked about as a validating webhook.
pub fn validated(demanding: &str) -> String {
    format!("{demanding}-validated")
}

/// The namespace that this one is asked about as a mutating webhook.
pub fn mutated(demanding: &str) -> String {
    format!("{demanding}-mutated")
}

/// Everything that runs. Those in front end first.
pub struct Stage {
    instances: Vec<Portcullis>,
    pub plane: ControlPlane,
    _recipe: Recipe,
}

impl Stage {
    /// The one that runs in this namespace.
    pub fn instance(&self, namespace: &str) -> Result<&Portcullis> {
        let found = self.instances.iter().find(|instance| instance.service.namespace == namespace);
        found.with_context(|| format!("no Portcullis runs in {namespace}"))
    }

    /// The audit log.
    pub fn log(&self) -> Result<&AuditLog> {
        self.plane.api_servers[0].audit_log.as_ref().context("the settings ask for an audit log")
    }

    /// A connection in the name of whom the configuration exempts.
    pub fn connect_exempt(&self) -> Result<Api> {
        Ok(self.plane.connect()?.impersonate(EXEMPT_USER))
    }
}

/// What all tests share.
pub fn stage() -> Result<Arc<Stage>> {
    static STAGE: Shared<Stage> = Shared::new();
    STAGE.or_start(|| {
        let told = [SHOWN, MISNAMED, STRANGER].map(|name| format!("portcullis.{name}.svc:{DEMANDING_PORT}"));
        let recipe = Recipe::follow(&told)?;
        let api_server = ApiServerSettings {
            without_plugins: vec!["PodSecurity"],
            has_audit_log: true,
            flags: vec![recipe.flag()],
            ..ApiServerSettings::default()
        };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        furnish(&plane)?;
        let mut instances = start_all(&plane)?;
        instances.extend(start_demanding(&plane, &recipe)?);
        await_all(&plane)?;
        Ok(Stage { instances, plane, _recipe: recipe })
    })
}

/// What is there before anybody judges it.
fn furnish(plane: &ControlPlane) -> Result<()> {
    for (name, labels) in NAMESPACES {
        plane.create_namespace(name, labels)?;
    }
    for name in DEMANDING {
        plane.create_namespace(&validated(name), &[(ENFORCE, "baseline")])?;
        plane.create_namespace(&mutated(name), &[])?;
    }
    let mut api = plane.connect()?;
    let class = json!({"metadata": {"name": EXEMPT_RUNTIME_CLASS}, "handler": "any"});
    api.post("/apis/node.k8s.io/v1/runtimeclasses", &class)?.done()?;
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": "all-for-exempt"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": EXEMPT_USER}],
    });
    api.post(&format!("/apis/{group}/v1/clusterrolebindings"), &binding)?.done()?;
    Ok(())
}

/// Starts and registers them in an order that [`await_all`] relies on.
fn start_all(plane: &ControlPlane) -> Result<Vec<Portcullis>> {
    let configuration = json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "exemptions": {
            "usernames": [EXEMPT_USER], "namespaces": [EXCUSED], "runtimeClasses": [EXEMPT_RUNTIME_CLASS],
        },
    });
    let configuration = plane.write("pod-security.json", &configuration.to_string())?.display().to_string();
    let judged = [STRICT, WARNED, PINNED, EXCUSED, BROKEN, DOOMED, SETTLED, TIGHTENED, UNBORN, DECLARED];
    let arguments = ["--config", &configuration];
    let mut instances = vec![start(plane, ("portcullis", 2, None), &arguments)?];
    register(plane, &instances[0], &judged, &[])?;
    let arguments = ["--mode", "audit", "--config", &configuration];
    let auditing = start(plane, ("auditing", 3, None), &arguments)?;
    register(plane, &auditing, &[OBSERVED], &[])?;
    let arguments = ["--workloads", "deny", "--config", &configuration];
    let denying = start(plane, ("denying", 4, None), &arguments)?;
    register(plane, &denying, &[GUARDED, EASED], &[])?;
    let mut impostor = start(plane, (IMPOSTOR, 9, None), &[])?;
    impostor.service.authority_pem = instances[0].service.authority_pem.clone();
    register(plane, &impostor, &[BETRAYED], &[])?;
    instances.extend([auditing, denying, impostor]);
    Ok(instances)
}

/// Those that demand client certificates; the last is the one that nobody can call.
fn start_demanding(plane: &ControlPlane, recipe: &Recipe) -> Result<Vec<Portcullis>> {
    let ours = recipe.authority().display().to_string();
    let other = recipe.namesake().display().to_string();
    let demands = [(&ours, CLIENT_NAME), (&ours, "somebody-else"), (&other, CLIENT_NAME), (&ours, CLIENT_NAME)];
    let mut instances = Vec::new();
    for ((name, host), (authority, client)) in DEMANDING.into_iter().zip(5..).zip(demands) {
        let arguments = ["--client-ca-file", authority, "--client-allowed-name", client];
        let demanding = start(plane, (name, host, Some(DEMANDING_PORT)), &arguments)?;
        register(plane, &demanding, &[&validated(name)], &[&mutated(name)])?;
        instances.push(demanding);
    }
    Ok(instances)
}

/// Starts one in a namespace of its own, which has its name.
fn start(
    plane: &ControlPlane,
    (namespace, host, port): (&str, u8, Option<u16>),
    arguments: &[&str],
) -> Result<Portcullis> {
    let kubeconfig = plane.api_servers[0].kubeconfig.display().to_string();
    let arguments = [&["--kubeconfig", &kubeconfig], arguments].concat();
    let mut api = plane.connect()?;
    api.post("/api/v1/namespaces", &json!({"metadata": {"name": namespace}}))?.done()?;
    let cluster_ip = plane.addresses.service(host);
    match port {
        Some(port) => Portcullis::start_at(SocketAddr::from((cluster_ip, port)), plane, namespace, &arguments),
        None => Portcullis::start(plane, namespace, cluster_ip, &arguments),
    }
}

fn register(plane: &ControlPlane, portcullis: &Portcullis, validates_in: &[&str], mutates_in: &[&str]) -> Result<()> {
    let mut api = plane.connect()?;
    portcullis.service.create(&mut api)?;
    let registration = |namespaces| Registration { service: &portcullis.service, namespaces, failure_policy: "Fail" };
    registration(validates_in).create(&mut api)?;
    if !mutates_in.is_empty() {
        registration(mutates_in).create_mutating(&mut api)?;
    }
    Ok(())
}

/// Waits until the API server heeds the configurations that came last: it learns of them in their order. Nobody can call the
/// last one, so what is sent there fails.
fn await_all(plane: &ControlPlane) -> Result<()> {
    let mut api = plane.connect()?;
    for namespace in [validated(UNSHOWN), mutated(UNSHOWN)] {
        let mut last = String::new();
        until(SOON, || {
            let answer = api.post(&dry(&pods(&namespace)), &pod("probe", &compliant("app")))?;
            last = format!("{} {}", answer.status, answer.body);
            Ok((answer.status == 500).then_some(()))
        })
        .with_context(|| format!("the webhook is not called in {namespace}; the last answer: {last}"))?;
    }
    let answer = api.post(&dry(&pods(STRICT)), &pod("probe", &plain("app")))?;
    anyhow::ensure!(answer.status == 403, "the webhooks that came first are not called: {}", answer.body);
    Ok(())
}
