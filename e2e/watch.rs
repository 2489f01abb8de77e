//! Portcullis watching a real API server, with the rights that it needs and no more: what changes there takes effect.

mod harness;

use anyhow::{Result, ensure};
use harness::{Api, ApiServerSettings, ControlPlane, Portcullis, Registration, Settings, Shared, to_watch, until};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const SOON: Duration = Duration::from_secs(20);
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

const CHANGED: &str = "changed";
const SETTLED: &str = "settled";
const CROWDED: &str = "crowded";
const LATE: &str = "late";

#[test]
fn labels_that_are_changed_take_effect() -> Result<()> {
    let stage = stage()?;
    let mut api = stage.plane.connect()?;
    let kubectl = stage.plane.kubectl()?;
    assert_eq!(try_pod(&mut api, CHANGED)?, 201);
    for (label, expected) in [("restricted", 403), ("privileged", 201), ("baseline", 403)] {
        let label = format!("{ENFORCE}={label}");
        let said = kubectl.run(&["label", "--overwrite", "namespace", CHANGED, &label])?;
        ensure!(said.succeeded, "{}", said.stderr);
        until(SOON, || Ok((try_pod(&mut api, CHANGED)? == expected).then_some(())))?;
    }
    let said = kubectl.run(&["label", "namespace", CHANGED, &format!("{ENFORCE}-")])?;
    ensure!(said.succeeded, "{}", said.stderr);
    until(SOON, || Ok((try_pod(&mut api, CHANGED)? == 201).then_some(())))
}

#[test]
fn a_stricter_policy_is_tried_on_the_pods_that_exist() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    api.post(&pods(SETTLED), &privileged_pod("old"))?.done()?;
    let answer = tighten(&mut api, SETTLED)?;
    let expected = [
        "existing pods in namespace \"settled\" violate the new PodSecurity enforce level \"baseline:latest\""
            .to_owned(),
        "old: privileged".to_owned(),
    ];
    assert_eq!(answer, expected);
    Ok(())
}

#[test]
fn pods_on_further_pages_are_looked_at_too() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    for index in 0..520 {
        api.post(&pods(CROWDED), &privileged_pod(&format!("old-{index:03}")))?.done()?;
    }
    let answer = tighten(&mut api, CROWDED)?;
    assert_eq!(answer.last().map(String::as_str), Some("old-000 (and 519 other pods): privileged"), "{answer:?}");
    Ok(())
}

#[test]
fn whoever_may_not_list_is_never_ready_and_still_reads_a_namespace_live() -> Result<()> {
    let plane = bare_plane()?;
    plane.create_namespace(LATE, &[(ENFORCE, "baseline")])?;
    let kubeconfig =
        allow(&plane, "blind", &json!([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]))?;
    let arguments = ["--kubeconfig", &kubeconfig];
    let blind = Portcullis::start_unready(&plane, "portcullis", plane.addresses.service(2), &arguments)?;
    let unready = until(SOON, || {
        let (status, text) = blind.asked("/readyz")?;
        ensure!(status == 503, "{text}");
        Ok(text.contains("forbidden").then_some(text))
    })?;
    assert!(unready.starts_with("not ready: the cluster's namespaces have not been listed yet (listing"), "{unready}");

    register(&plane, &blind, &[LATE, CHANGED])?;
    let mut api = plane.connect()?;
    let answer = api.post(&pods(LATE), &privileged_pod("a"))?;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.message().contains("violates PodSecurity \"baseline:latest\": privileged"), "{}", answer.message());
    assert!(blind.metric("portcullis_namespace_reads_total{outcome=\"found\"}")? >= 1.0);
    Ok(())
}

/// What lets everybody read the version, unless a cluster's owner has taken it away.
const LETS_READ_VERSION: [&str; 2] = ["system:discovery", "system:public-info-viewer"];

const NATIVE: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: native}
spec:
  mode: Always
  add:
    containers:
      - container: {name: proxy, image: "proxy:1"}
        placement: {kind: Auto, fallback: Skip}
"#;

#[test]
fn whoever_may_not_read_the_version_is_ready_and_takes_kubelets_to_be_old_until_it_is_told() -> Result<()> {
    let plane = bare_plane()?;
    plane.create_namespace(CHANGED, &[])?;
    let mut api = plane.connect()?;
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    for name in LETS_READ_VERSION {
        api.delete(&format!("{bindings}/{name}"))?.done()?;
    }
    let policy = plane.write("native.yaml", NATIVE)?;
    let portcullis = watching(&plane, &[&format!("--policies={}", policy.display())])?;
    assert_eq!(portcullis.asked("/readyz")?.0, 200);
    assert_eq!(portcullis.metric("portcullis_api_server_version_known")?, 0.0);
    let log = std::fs::read_to_string(plane.file("portcullis.portcullis.svc.log"))?;
    ensure!(log.contains("the API server does not tell its version") && log.contains("forbidden"), "{log}");

    portcullis.service.create(&mut api)?;
    Registration { service: &portcullis.service, namespaces: &[CHANGED], failure_policy: "Fail" }
        .create_mutating(&mut api)?;
    let mut tried = || api.post(&format!("{}?dryRun=All", pods(CHANGED)), &privileged_pod("a"));
    until(SOON, || {
        let answer = tried()?;
        ensure!(answer.status == 201 && answer.body["spec"]["initContainers"].is_null(), "{}", answer.body);
        Ok(answer.warnings.iter().any(|warning| warning.contains("native_unsupported")).then_some(()))
    })?;
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": "reads-version"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": LETS_READ_VERSION[0]},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "portcullis"}],
    });
    plane.connect()?.post(bindings, &binding)?.done()?;
    until(2 * SOON, || Ok((portcullis.metric("portcullis_api_server_version_known")? == 1.0).then_some(())))?;
    until(SOON, || Ok((tried()?.body["spec"]["initContainers"][0]["name"] == "proxy").then_some(())))
}

#[test]
fn a_namespace_is_judged_from_its_first_moment() -> Result<()> {
    let mut api = stage()?.plane.connect()?;
    for name in newborns() {
        let namespace = json!({"metadata": {"name": name, "labels": {ENFORCE: "baseline"}}});
        api.post("/api/v1/namespaces", &namespace)?.done()?;
        // The watch may not have brought it yet; not knowing it is no answer.
        assert_eq!(try_pod(&mut api, &name)?, 403, "{name}");
    }
    Ok(())
}

/// Namespaces that are made while somebody judges.
fn newborns() -> impl Iterator<Item = String> {
    (0..50).map(|number| format!("newborn-{number}"))
}

#[test]
fn a_restart_of_the_api_server_is_survived_and_its_absence_is_noticed() -> Result<()> {
    let mut plane = bare_plane()?;
    plane.create_namespace(CHANGED, &[(ENFORCE, "baseline")])?;
    let portcullis = watching(&plane, &["--stale-after", "25s"])?;
    register(&plane, &portcullis, &[CHANGED])?;
    assert_eq!(try_pod(&mut plane.connect()?, CHANGED)?, 403);
    let age = "portcullis_namespaces_age_seconds";
    until(SOON, || Ok((portcullis.metric(age)? < 6.0).then_some(())))?;

    plane.api_servers[0].stop()?;
    assert_eq!(portcullis.asked("/readyz")?.0, 200, "what is known is still fresh");
    let stale = until(Duration::from_secs(60), || {
        let (status, text) = portcullis.asked("/readyz")?;
        Ok((status == 503).then_some(text))
    })?;
    assert!(stale.starts_with("not ready: namespaces are known as of 2"), "{stale}");
    assert!(stale.contains("more than 25 s"), "{stale}");

    plane.api_servers[0].start_again()?;
    until(SOON, || Ok((portcullis.asked("/readyz")?.0 == 200).then_some(())))?;
    let mut api = plane.connect()?;
    api.merge(&format!("/api/v1/namespaces/{CHANGED}"), &labelled("privileged"))?.done()?;
    until(SOON, || Ok((try_pod(&mut api, CHANGED)? == 201).then_some(())))
}

#[test]
fn what_is_watched_stays_fresh_without_being_listed_again() -> Result<()> {
    let stage = stage()?;
    let lists = "portcullis_namespace_lists_total";
    assert!(stage.portcullis.metric("portcullis_namespaces")? >= 4.0);
    let mut oldest = 0.0_f64;
    for _ in 0..35 {
        std::thread::sleep(Duration::from_secs(1));
        oldest = oldest.max(stage.portcullis.metric("portcullis_namespaces_age_seconds")?);
    }
    assert_eq!(stage.portcullis.metric(lists)?, 1.0, "the oldest that was known: {oldest} s");
    assert!(oldest < 30.0, "{oldest} s");
    Ok(())
}

/// One plane with Portcullis in front, for all tests that do not break it. Portcullis ends first.
struct Stage {
    portcullis: Portcullis,
    plane: ControlPlane,
}

fn stage() -> Result<Arc<Stage>> {
    static STAGE: Shared<Stage> = Shared::new();
    STAGE.or_start(|| {
        let plane = bare_plane()?;
        for name in [CHANGED, SETTLED, CROWDED, "portcullis-probe"] {
            plane.create_namespace(name, &[])?;
        }
        let portcullis = watching(&plane, &[])?;
        let newborns: Vec<String> = newborns().collect();
        let newborns = newborns.iter().map(String::as_str);
        let names: Vec<&str> = [CHANGED, SETTLED, CROWDED].into_iter().chain(newborns).collect();
        register(&plane, &portcullis, &names)?;
        Ok(Stage { portcullis, plane })
    })
}

/// Without controllers, and with a namespace for Portcullis.
fn bare_plane() -> Result<ControlPlane> {
    let api_server = ApiServerSettings { without_plugins: vec!["PodSecurity"], ..ApiServerSettings::default() };
    let plane = ControlPlane::start(&Settings { api_servers: vec![api_server], has_controllers: false })?;
    plane.create_namespace("portcullis", &[])?;
    Ok(plane)
}

fn watching(plane: &ControlPlane, arguments: &[&str]) -> Result<Portcullis> {
    let rules = to_watch();
    let kubeconfig = allow(plane, "portcullis", &rules)?;
    let arguments = [&["--kubeconfig", &kubeconfig], arguments].concat();
    Portcullis::start(plane, "portcullis", plane.addresses.service(2), &arguments)
}

/// The path of a kubeconfig for somebody who is allowed this and nothing else.
fn allow(plane: &ControlPlane, name: &str, rules: &Value) -> Result<String> {
    let mut api = plane.connect()?;
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    api.post(&format!("{rbac}/clusterroles"), &json!({"metadata": {"name": name}, "rules": rules}))?.done()?;
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "metadata": {"name": name},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
    });
    api.post(&format!("{rbac}/clusterrolebindings"), &binding)?.done()?;
    Ok(plane.kubeconfig_for(name)?.display().to_string())
}

/// Registers it, and waits until it is called.
fn register(plane: &ControlPlane, portcullis: &Portcullis, namespaces: &[&str]) -> Result<()> {
    let mut api = plane.connect()?;
    portcullis.service.create(&mut api)?;
    Registration { service: &portcullis.service, namespaces, failure_policy: "Fail" }.create(&mut api)?;
    let namespace = namespaces[0];
    until(SOON, || {
        let before = called(portcullis)?;
        try_pod(&mut api, namespace)?;
        Ok((called(portcullis)? > before).then_some(()))
    })
}

/// How many reviews Portcullis has answered.
fn called(portcullis: &Portcullis) -> Result<f64> {
    portcullis.metric("portcullis_request_duration_seconds_count{phase=\"validate\"}")
}

/// The status of a dry run of creating a privileged pod.
fn try_pod(api: &mut Api, namespace: &str) -> Result<u16> {
    Ok(api.post(&format!("{}?dryRun=All", pods(namespace)), &privileged_pod("tried"))?.status)
}

/// Enforces baseline; the warnings of that.
fn tighten(api: &mut Api, namespace: &str) -> Result<Vec<String>> {
    let answer = api.merge(&format!("/api/v1/namespaces/{namespace}"), &labelled("baseline"))?;
    ensure!(answer.status == 200, "{}", answer.body);
    Ok(answer.warnings)
}

fn labelled(level: &str) -> Value {
    json!({"metadata": {"labels": {ENFORCE: level}}})
}

fn pods(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/pods")
}

fn privileged_pod(name: &str) -> Value {
    let container = json!({"name": "app", "image": "nginx", "securityContext": {"privileged": true}});
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}
