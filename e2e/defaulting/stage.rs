//! A control plane with namespaces of both kinds, and a webhook that writes down every pod it is shown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use portcullis::engine::mutation::arrival::ServiceAccount;
use portcullis::engine::mutation::{LimitRange, PriorityClass, World};
use serde_json::{Value, json};

use crate::harness::{Api, ApiServerSettings, ControlPlane, Settings, until};
use crate::other::Other;

const SOON: Duration = Duration::from_secs(60);
/// Without LimitRanges, with one for everything, and with one that says its bounds alone for some resources.
pub const NAMESPACES: [&str; 3] = ["free", "limited", "partly-limited"];
/// The pull secrets of the account `puller`.
pub const PULL_SECRETS: [&str; 2] = ["registry-a", "registry-b"];

/// What the webhook was shown, by the pod's name or the beginning of the name to be.
type Shown = Arc<Mutex<HashMap<String, Value>>>;

pub struct Stage {
    /// It ends before the plane.
    _recorder: Other,
    shown: Shown,
    /// The LimitRange of each namespace, as it is stored.
    pub limits: Vec<Option<String>>,
    pub plane: ControlPlane,
}

impl Stage {
    pub fn start() -> Result<Self> {
        let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        let mut api = plane.connect()?;
        furnish(&mut api)?;
        let limits = NAMESPACES.iter().map(|name| furnish_namespace(&plane, &mut api, name)).collect::<Result<_>>()?;
        let shown = Shown::default();
        let writer = Arc::clone(&shown);
        let recorder = Other::start(&plane, &NAMESPACES, move |pod| {
            writer.lock().unwrap_or_else(PoisonError::into_inner).insert(name_of(pod), pod.clone());
            Vec::new()
        })?;
        let stage = Self { _recorder: recorder, shown, limits, plane };
        for name in NAMESPACES {
            stage.await_readiness(&mut api, name).with_context(|| format!("namespace {name}"))?;
        }
        Ok(stage)
    }

    /// Waits until the recorder is asked about the namespace's pods and they come with all that the plugins set.
    fn await_readiness(&self, api: &mut Api, namespace: &str) -> Result<()> {
        let pod = json!({"metadata": {"name": "first"}, "spec": {
            "serviceAccountName": "puller", "runtimeClassName": "plain", "priorityClassName": "high",
            "containers": [{"name": "a", "image": "a"}]}});
        until(SOON, || {
            api.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod)?;
            let shown = self.take_shown("first").unwrap_or_default();
            let is_limited = shown["spec"]["containers"][0]["resources"]["limits"].is_object();
            let has_secrets = shown["spec"]["imagePullSecrets"][1].is_object();
            Ok((has_secrets && is_limited == (namespace != NAMESPACES[0])).then_some(()))
        })
    }

    /// What the webhook was shown of the pod of this name.
    pub fn take_shown(&self, name: &str) -> Option<Value> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).remove(name)
    }

    /// What is known of a namespace's surroundings.
    pub fn world(&self, namespace: usize) -> World<'_> {
        let class = |value, preemption_policy| PriorityClass { value, preemption_policy };
        let lower = "PreemptLowerPriority";
        World {
            namespace: NAMESPACES[namespace],
            limit_ranges: self.limits[namespace].iter().map(|limits| LimitRange { name: "l", limits }).collect(),
            priority_classes: [
                ("high", class(1000, lower)),
                ("steady", class(-5, "Never")),
                ("system-node-critical", class(2_000_001_000, lower)),
            ]
            .into(),
            ..World::default()
        }
    }
}

/// What is known of the account that a pod runs as.
pub fn account(spec: &Value) -> ServiceAccount<'static> {
    let named = |field: &str| spec[field].as_str().filter(|name| !name.is_empty());
    match named("serviceAccountName").or_else(|| named("serviceAccount")) {
        Some("puller") => ServiceAccount { image_pull_secrets: &PULL_SECRETS, automount_token: None },
        Some("quiet") => ServiceAccount { image_pull_secrets: &[], automount_token: Some(false) },
        _ => ServiceAccount::default(),
    }
}

/// The pod's name, or the beginning of the name to be.
pub fn name_of(pod: &Value) -> String {
    let metadata = &pod["metadata"];
    let name = metadata["name"].as_str().filter(|name| !name.is_empty()).or(metadata["generateName"].as_str());
    name.unwrap_or_default().to_owned()
}

fn furnish(api: &mut Api) -> Result<()> {
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    api.post(classes, &json!({"metadata": {"name": "high"}, "value": 1000}))?.done()?;
    api.post(classes, &json!({"metadata": {"name": "steady"}, "value": -5, "preemptionPolicy": "Never"}))?.done()?;
    let runtime = json!({"metadata": {"name": "plain"}, "handler": "any"});
    api.post("/apis/node.k8s.io/v1/runtimeclasses", &runtime)?.done()?;
    Ok(())
}

fn furnish_namespace(plane: &ControlPlane, api: &mut Api, name: &str) -> Result<Option<String>> {
    plane.create_namespace(name, &[])?;
    let secrets: Vec<Value> = PULL_SECRETS.iter().map(|name| json!({"name": name})).collect();
    let accounts = format!("/api/v1/namespaces/{name}/serviceaccounts");
    api.post(&accounts, &json!({"metadata": {"name": "puller"}, "imagePullSecrets": secrets}))?.done()?;
    api.post(&accounts, &json!({"metadata": {"name": "quiet"}, "automountServiceAccountToken": false}))?.done()?;
    let limits = match name {
        "limited" => json!([{
            "type": "Container", "default": {"cpu": "0.5", "memory": "512M"},
            "defaultRequest": {"cpu": "0.0005", "memory": "100e6", "ephemeral-storage": "1.5Gi"},
        }]),
        "partly-limited" => json!([
            {"type": "Pod", "max": {"cpu": "1000"}},
            {"type": "Container", "max": {"memory": "3T", "cpu": "64"}, "min": {"cpu": 0, "memory": "0.5k"},
             "default": {"memory": "65536Ki", "ephemeral-storage": "1000Mi"}, "defaultRequest": {"cpu": "1e-3"}},
        ]),
        _ => return Ok(None),
    };
    let range = json!({"metadata": {"name": "limits"}, "spec": {"limits": limits}});
    let stored = api.post(&format!("/api/v1/namespaces/{name}/limitranges"), &range)?.done()?;
    Ok(Some(stored["spec"]["limits"].to_string()))
}
