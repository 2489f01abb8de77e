//! The two API servers on one etcd, what is in their cluster, and Portcullis behind one of them.
//!
//! Everything that exists is made before the webhook is registered, at the server that then judges nothing: so there are
//! namespaces with invalid labels and pods that their namespace would refuse.

use crate::{
    generate::{random::Random, review::labels},
    harness::{Admission, Api, ApiServerSettings, ControlPlane, Portcullis, Registration, Settings, until},
    request::{Existing, WORKLOADS, Workload, container_names},
    valid,
};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// Namespaces that exist, with labels of every kind.
pub const NAMESPACES: usize = 30;
/// Names of namespaces that do not exist and can be tried.
pub const NEW_NAMESPACES: usize = 5;
/// One of the namespaces that exist.
const EXEMPT_NAMESPACE: &str = "n3";
pub const EXEMPT_USER: &str = "exempt";
pub const EXEMPT_RUNTIME_CLASS: &str = "exempt";
pub const RUNTIME_CLASS: &str = "judged";

/// Changed last whenever labels change: who has seen its change has seen all before it, as a watch keeps their order.
pub const SENTINEL: &str = "sentinel";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const PODS_EACH: usize = 6;
const SOON: Duration = Duration::from_secs(30);

/// Both servers. Portcullis ends first.
pub struct Stage {
    pub portcullis: Portcullis,
    pub plane: ControlPlane,
    pub existing: Existing,
    sentinel_is_strict: bool,
}

/// Which of the plane's API servers asks whom.
pub const BUILT_IN: usize = 1;
pub const WITH_PORTCULLIS: usize = 0;

impl Stage {
    /// Starts all of it, and waits until both sides know what there is.
    pub fn start(seed: u64) -> Result<Self> {
        let plane = ControlPlane::start(&Settings {
            api_servers: vec![with_portcullis(), built_in()],
            has_controllers: false,
        })?;
        let existing = furnish(&plane, seed)?;
        let portcullis = portcullis(&plane)?;
        let mut stage = Self { portcullis, plane, existing, sentinel_is_strict: false };
        stage.flip_sentinel()?;
        stage.await_pods()?;
        Ok(stage)
    }

    /// Gives a third of the namespaces other labels, and waits until both sides judge by them.
    pub fn relabel(&mut self, random: &mut Random) -> Result<()> {
        let mut api = self.plane.connect()?;
        for (name, labels) in &mut self.existing.namespaces {
            if !random.percent(35) {
                continue;
            }
            let new = storable(&labels::labels(random));
            // What is not named stays in a merge: the old ones are taken away by name.
            let mut change: serde_json::Map<_, _> =
                labels.as_object().into_iter().flatten().map(|(key, _)| (key.clone(), Value::Null)).collect();
            change.extend(new.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
            let answer = api.merge(&format!("/api/v1/namespaces/{name}"), &json!({"metadata": {"labels": change}}))?;
            // Invalid labels are refused now that somebody judges them.
            if answer.status == 200 {
                *labels = new;
            }
        }
        self.flip_sentinel()
    }

    /// Has the sentinel enforce baseline.
    pub fn make_sentinel_strict(&mut self) -> Result<()> {
        if self.sentinel_is_strict { Ok(()) } else { self.flip_sentinel() }
    }

    fn flip_sentinel(&mut self) -> Result<()> {
        self.sentinel_is_strict = !self.sentinel_is_strict;
        let (level, expected) = if self.sentinel_is_strict { ("baseline", 403) } else { ("privileged", 201) };
        let change = json!({"metadata": {"labels": {ENFORCE: level}}});
        self.plane.connect()?.merge(&format!("/api/v1/namespaces/{SENTINEL}"), &change)?.done()?;
        for server in [BUILT_IN, WITH_PORTCULLIS] {
            let mut api = self.plane.api_servers[server].connect()?;
            let mut last = 0;
            until(SOON, || {
                last = api.post(&format!("{}?dryRun=All", pods(SENTINEL)), &privileged("tried"))?.status;
                Ok((last == expected).then_some(()))
            })
            .with_context(|| format!("server {server} goes on answering {last} where {expected} is expected"))?;
        }
        Ok(())
    }

    /// Waits until both sides find the pod that was made last.
    fn await_pods(&self) -> Result<()> {
        let change = json!({"metadata": {"labels": {ENFORCE: "restricted"}}});
        for server in [BUILT_IN, WITH_PORTCULLIS] {
            let mut api = self.plane.api_servers[server].connect()?;
            until(SOON, || {
                let answer = api.merge(&format!("/api/v1/namespaces/{SENTINEL}?dryRun=All"), &change)?;
                Ok(answer.warnings.iter().any(|warning| warning.starts_with("last: ")).then_some(()))
            })
            .with_context(|| format!("server {server} does not find the pod made last"))?;
        }
        Ok(())
    }
}

fn configuration() -> Value {
    json!({
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": {"enforce": "baseline", "enforce-version": "v1.30", "warn": "restricted", "audit": "restricted"},
        "exemptions": {
            "usernames": [EXEMPT_USER], "namespaces": [EXEMPT_NAMESPACE], "runtimeClasses": [EXEMPT_RUNTIME_CLASS],
        },
    })
}

fn built_in() -> ApiServerSettings {
    ApiServerSettings {
        // The configuration is in etcd and would hold here too.
        without_plugins: vec!["ValidatingAdmissionWebhook", "MutatingAdmissionWebhook"],
        admission: Admission { pod_security: Some(configuration()), ..Admission::default() },
        ..audited()
    }
}

fn with_portcullis() -> ApiServerSettings {
    ApiServerSettings { without_plugins: vec!["PodSecurity"], ..audited() }
}

/// Without rotation, which would take away the beginning of the log.
fn audited() -> ApiServerSettings {
    let flags = vec!["--audit-log-maxsize=1000000".to_owned()];
    ApiServerSettings { has_audit_log: true, flags, ..ApiServerSettings::default() }
}

fn portcullis(plane: &ControlPlane) -> Result<Portcullis> {
    let mut api = plane.connect()?;
    allow_everything(&mut api, "portcullis")?;
    let kubeconfig = plane.kubeconfig_for("portcullis")?.display().to_string();
    let configuration = plane.write("pod-security.json", &configuration().to_string())?.display().to_string();
    let arguments = ["--kubeconfig", &kubeconfig, "--config", &configuration];
    let portcullis = Portcullis::start(plane, "portcullis", plane.addresses.service(2), &arguments)?;
    portcullis.service.create(&mut api)?;
    let names: Vec<String> = (0..NAMESPACES).map(name).chain((0..NEW_NAMESPACES).map(new_name)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain([SENTINEL]).collect();
    Registration { service: &portcullis.service, namespaces: &names, failure_policy: "Fail" }.create(&mut api)?;
    Ok(portcullis)
}

fn allow_everything(api: &mut Api, user: &str) -> Result<()> {
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": format!("all-for-{user}")},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    });
    api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", &binding)?.done()?;
    Ok(())
}

/// Makes namespaces, pods and workloads, where nobody judges them yet.
fn furnish(plane: &ControlPlane, seed: u64) -> Result<Existing> {
    let mut api = plane.connect()?;
    let mut random = Random::of_case(!seed, u64::MAX);
    plane.create_namespace("portcullis", &[])?;
    plane.create_namespace(SENTINEL, &[(ENFORCE, "privileged")])?;
    allow_everything(&mut api, EXEMPT_USER)?;
    for class in [EXEMPT_RUNTIME_CLASS, RUNTIME_CLASS] {
        let class = json!({"metadata": {"name": class}, "handler": "any"});
        api.post("/apis/node.k8s.io/v1/runtimeclasses", &class)?.done()?;
    }
    let mut existing = Existing::default();
    for index in 0..NAMESPACES {
        let labels = storable(&labels::labels(&mut random));
        let namespace = json!({"metadata": {"name": name(index), "labels": labels}});
        api.post("/api/v1/namespaces", &namespace)?.done()?;
        existing.namespaces.push((name(index), labels));
        for number in 0..PODS_EACH {
            create_pod(&mut api, &mut existing, index, number, &mut random)?;
        }
        for (kind, workload) in WORKLOADS.iter().enumerate() {
            create_workload(&mut api, &mut existing, (index, kind), workload, &mut random)?;
        }
    }
    ensure!(existing.pods.len() > NAMESPACES, "the API server took only {} pods", existing.pods.len());
    ensure!(existing.workloads.len() > NAMESPACES, "the API server took only {} workloads", existing.workloads.len());
    api.post(&pods(SENTINEL), &privileged("last"))?.done()?;
    Ok(existing)
}

fn create_pod(
    api: &mut Api,
    existing: &mut Existing,
    namespace: usize,
    number: usize,
    random: &mut Random,
) -> Result<()> {
    let mut pod = valid::pod(&format!("old-{number}"), random);
    if random.percent(30) {
        let owner = random.word(&["a", "b"]);
        pod["metadata"]["ownerReferences"] =
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": true}]);
    }
    let answer = api.post(&pods(&name(namespace)), &pod)?;
    if answer.status == 201 {
        existing.pods.push((namespace, format!("old-{number}"), container_names(&answer.body)));
    }
    Ok(())
}

fn create_workload(
    api: &mut Api,
    existing: &mut Existing,
    (namespace, kind): (usize, usize),
    workload: &Workload,
    random: &mut Random,
) -> Result<()> {
    let object = workload.around("old", valid::template(random));
    let answer = api.post(&workload.path(&name(namespace)), &object)?;
    if answer.status == 201 {
        existing.workloads.push((namespace, kind));
    }
    Ok(())
}

/// What the API server takes for labels; whether Pod Security does is another question.
pub fn storable(labels: &Value) -> Value {
    let is_label = |text: &str| {
        let ends = |character: Option<char>| character.is_none_or(|character| character.is_ascii_alphanumeric());
        let inner = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        text.len() <= 63 && text.chars().all(inner) && ends(text.chars().next()) && ends(text.chars().last())
    };
    let labels = labels.as_object().into_iter().flatten();
    labels
        .filter(|(key, value)| key.as_str() != "kubernetes.io/metadata.name" && value.as_str().is_some_and(is_label))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The name of a namespace that exists.
pub fn name(index: usize) -> String {
    format!("n{index}")
}

/// The name of a namespace that does not exist.
pub fn new_name(index: usize) -> String {
    format!("new{index}")
}

/// The path of a namespace's pods.
pub fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

/// A pod that baseline refuses.
pub fn privileged(name: &str) -> Value {
    let container = json!({"name": "app", "image": "nginx", "securityContext": {"privileged": true}});
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}
