//! Portcullis in front of a real API server, once through everything: registered, called, believed.
//!
//! The API server runs without its own PodSecurity plugin, so every refusal, warning and annotation here is ours.

mod harness;

use anyhow::{Result, ensure};
use harness::{ApiServerSettings, ControlPlane, Portcullis, Registration, Settings, Shared, until};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// Privileged as `kubectl run --privileged` makes it, in a namespace that enforces `restricted`.
const REFUSAL: &str = "violates PodSecurity \"restricted:latest\": privileged (container \"bad\" must not set \
    securityContext.privileged=true), allowPrivilegeEscalation != false (container \"bad\" must set \
    securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"bad\" must set \
    securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"bad\" must set \
    securityContext.runAsNonRoot=true), seccompProfile (pod or container \"bad\" must set \
    securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

const WARNING: &str = "would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \
    \"app\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"app\" must \
    set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"app\" must set \
    securityContext.runAsNonRoot=true), seccompProfile (pod or container \"app\" must set \
    securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")";

/// Enforces `restricted`.
const STRICT: &str = "strict";
/// Enforces `baseline`, warns about and records what `restricted` would refuse.
const WARNED: &str = "warned";
const STRICT_LABELS: [(&str, &str); 1] = [("pod-security.kubernetes.io/enforce", "restricted")];
const WARNED_LABELS: [(&str, &str); 3] = [
    ("pod-security.kubernetes.io/enforce", "baseline"),
    ("pod-security.kubernetes.io/warn", "restricted"),
    ("pod-security.kubernetes.io/audit", "restricted"),
];

#[test]
fn refuses_a_privileged_pod_with_upstreams_text() -> Result<()> {
    let kubectl = stage()?.plane.kubectl()?;
    let said = kubectl.run(&["--namespace", STRICT, "run", "bad", "--image=nginx", "--privileged"])?;
    assert!(!said.succeeded, "{said:?}");
    assert!(said.stderr.contains(REFUSAL), "{}", said.stderr);
    Ok(())
}

#[test]
fn admits_a_compliant_pod_and_refuses_to_debug_it_with_a_privileged_container() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let answer = api.post(&pods(STRICT), &pod("good", &compliant("app")))?;
    assert_eq!((answer.status, answer.warnings), (201, vec![]), "{}", answer.body);

    let debugger = json!({"name": "debugger", "image": "busybox", "securityContext": {"privileged": true}});
    let change = json!({"spec": {"ephemeralContainers": [debugger]}});
    let answer = api.merge_lists(&format!("{}/good/ephemeralcontainers", pods(STRICT)), &change)?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.message().contains("privileged (container \"debugger\" must not set"), "{}", answer.message());

    let change = json!({"spec": {"ephemeralContainers": [compliant("debugger")]}});
    let answer = api.merge_lists(&format!("{}/good/ephemeralcontainers", pods(STRICT)), &change)?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Ok(())
}

#[test]
fn warns_about_a_deployment_and_admits_its_pods() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let container = json!({"name": "app", "image": "nginx"});
    let answer = api.post(&deployments(WARNED), &deployment("web", &container))?;
    assert_eq!((answer.status, answer.warnings), (201, vec![WARNING.to_owned()]), "{}", answer.body);
    until(Duration::from_secs(30), || {
        let found = api.get(&format!("{}?labelSelector=app%3Dweb", pods(WARNED)))?.done()?;
        Ok((found["items"].as_array().map(Vec::len) == Some(2)).then_some(()))
    })
}

#[test]
fn admits_a_deployment_whose_pods_it_then_refuses() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    let container = json!({"name": "bad", "image": "nginx", "securityContext": {"privileged": true}});
    let answer = api.post(&deployments(STRICT), &deployment("refused", &container))?;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!(answer.warnings.len(), 1, "{:?}", answer.warnings);
    let events = format!("/api/v1/namespaces/{STRICT}/events?fieldSelector=reason%3DFailedCreate");
    until(Duration::from_secs(30), || {
        let found = api.get(&events)?.done()?;
        let said = |event: &Value| event["message"].as_str().is_some_and(|message| message.contains(REFUSAL));
        Ok(found["items"].as_array().is_some_and(|events| events.iter().any(said)).then_some(()))
    })?;
    let found = api.get(&format!("{}?labelSelector=app%3Drefused", pods(STRICT)))?.done()?;
    assert_eq!(found["items"], json!([]));
    Ok(())
}

#[test]
fn leaves_its_annotations_in_the_audit_log() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let answer = api.post(&pods(WARNED), &pod("audited", &json!({"name": "app", "image": "nginx"})))?;
    assert_eq!((answer.status, &answer.warnings), (201, &vec![WARNING.to_owned()]), "{}", answer.body);
    let log = stage.plane.api_servers[0].audit_log.as_ref().expect("the settings ask for one");
    let annotations = log.annotations(&answer.audit_id)?;
    assert_eq!(annotations["portcullis.portcullis.dev/enforce-policy"], "baseline:latest", "{annotations}");
    assert_eq!(annotations["portcullis.portcullis.dev/audit-violations"], WARNING, "{annotations}");
    Ok(())
}

#[test]
fn the_api_server_takes_every_answer_for_one_to_its_question() -> Result<()> {
    let stage = stage()?;
    stage.plane.connect()?.post(&format!("{}?dryRun=All", pods(STRICT)), &pod("dry", &compliant("app")))?.done()?;
    let metrics = stage.plane.kubectl()?.run(&["get", "--raw", "/metrics"])?.stdout;
    let ours: Vec<&str> = metrics.lines().filter(|line| line.contains("name=\"portcullis.portcullis.dev\"")).collect();
    assert!(
        ours.iter().any(|line| line.starts_with("apiserver_admission_webhook_request_total{code=\"200\"")),
        "{ours:?}"
    );
    // An answer with another uid, another version or no verdict counts as an error in calling the webhook.
    let failed = |line: &&&str| {
        line.starts_with("apiserver_admission_webhook_fail_open_count")
            || line.starts_with("apiserver_admission_webhook_rejection_count")
                && !line.contains("error_type=\"no_error\"")
    };
    assert_eq!(ours.iter().filter(failed).collect::<Vec<_>>(), Vec::<&&str>::new());
    Ok(())
}

/// One plane with Portcullis in front, for all tests here. Portcullis ends first.
struct Stage {
    _portcullis: Portcullis,
    plane: ControlPlane,
}

fn stage() -> Result<Arc<Stage>> {
    static STAGE: Shared<Stage> = Shared::new();
    STAGE.or_start(|| {
        let api_server = ApiServerSettings {
            without_plugins: vec!["PodSecurity"],
            has_audit_log: true,
            ..ApiServerSettings::default()
        };
        let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], ..Settings::default() })?;
        let portcullis = put_portcullis_in_front(&plane)?;
        Ok(Stage { _portcullis: portcullis, plane })
    })
}

fn put_portcullis_in_front(plane: &ControlPlane) -> Result<Portcullis> {
    plane.create_namespace("portcullis", &[])?;
    plane.create_namespace(STRICT, &STRICT_LABELS)?;
    plane.create_namespace(WARNED, &WARNED_LABELS)?;
    let said = plane.kubectl()?.run(&["get", "namespaces", "--output=yaml"])?;
    ensure!(said.succeeded, "{}", said.stderr);
    let namespaces = plane.write("namespaces.yaml", &said.stdout)?.display().to_string();

    let cluster_ip = plane.addresses.service(2);
    let portcullis = Portcullis::start(plane, "portcullis", cluster_ip, &["--namespaces", &namespaces])?;
    let mut api = plane.connect()?;
    portcullis.service.create(&mut api)?;
    let registration =
        Registration { service: &portcullis.service, namespaces: &[STRICT, WARNED], failure_policy: "Fail" };
    let refused = json!({"name": "app", "image": "nginx"});
    registration.create_and_await(&mut api, &pods(STRICT), &pod("probe", &refused))?;
    Ok(portcullis)
}

fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

fn deployments(namespace: &str) -> String {
    format!("/apis/apps/v1/namespaces/{namespace}/deployments")
}

fn pod(name: &str, container: &Value) -> Value {
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}

/// A container that `restricted` allows.
fn compliant(name: &str) -> Value {
    json!({"name": name, "image": "nginx", "securityContext": {
        "allowPrivilegeEscalation": false, "runAsNonRoot": true,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }})
}

fn deployment(name: &str, container: &Value) -> Value {
    json!({"metadata": {"name": name}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
    }})
}
