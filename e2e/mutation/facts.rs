//! What documents ask of the cluster around a pod: labels of its service account, annotations of its namespace, its runtime class.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::documents::pod;
use crate::harness::{Api, until};
use crate::stage::{SOON, container, create, items, names, pods, until_pod, with_stage};

const WITHOUT_TOKENS: &str = r#"
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: without-tokens}
spec:
  match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: accounts}}}
  onConflict: Deny
  security:
    automountServiceAccountToken:
      unlessServiceAccount: {matchLabels: {needs-api: "true"}}
"#;

const FOR_SOME: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: for-some-accounts}
spec:
  mode: Always
  match:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: chosen-accounts}}
    serviceAccountSelector: {matchLabels: {proxied: "yes"}}
  failure: {verify: Deny}
  add: {containers: [{container: {name: proxy, image: "registry.example.com/proxy:1"}}]}
"#;

const KNOWN: &str = "portcullis_service_accounts";

#[test]
fn labels_of_service_accounts_count_from_their_first_moment_while_a_document_asks_for_them() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("accounts", &[])?;
        assert_eq!(stage.metric(KNOWN)?, 0.0, "nobody asks for them");
        stage.apply(WITHOUT_TOKENS, 1.0)?;
        until_pod(&mut api, "accounts", &pod("a", None), has_no_token)?;
        until(SOON, || Ok((stage.metric(KNOWN)? >= 5.0).then_some(())))?;
        for number in 0..40 {
            let (name, label) = (format!("young-{number}"), if number % 2 == 0 { "true" } else { "false" });
            create_account(&mut api, &name, label)?;
            // The watch may not have brought it yet; not knowing it would have the pod refused.
            let stored = create(&mut api, "accounts", &pod_of(&name))?;
            assert_eq!(has_no_token(&stored), label == "false", "{stored}");
            assert_eq!(has_token(&stored), label == "true", "{stored}");
        }
        let account = "/api/v1/namespaces/accounts/serviceaccounts/young-0";
        api.merge(account, &json!({"metadata": {"labels": {"needs-api": null}}}))?.done()?;
        let mut other = pod_of("young-0");
        other["metadata"]["name"] = json!("other");
        until_pod(&mut api, "accounts", &other, has_no_token)?;
        stage.clear()?;
        until(SOON, || Ok((stage.metric(KNOWN)? == 0.0).then_some(())))
    })
}

#[test]
fn a_document_is_for_the_pods_of_the_accounts_that_it_selects_from_their_first_moment() -> Result<()> {
    const NAMESPACE: &str = "chosen-accounts";
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace(NAMESPACE, &[])?;
        stage.apply(FOR_SOME, 1.0)?;
        let account = |name: &str, label: &str| json!({"metadata": {"name": name, "labels": {"proxied": label}}});
        let accounts = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
        api.post(&accounts, &account("first", "yes"))?.done()?;
        until_pod(&mut api, NAMESPACE, &pod_of("first"), |pod| names(pod, "initContainers") == ["proxy"])?;
        for number in 0..20 {
            let (name, label) = (format!("young-{number}"), if number % 2 == 0 { "yes" } else { "no" });
            api.post(&accounts, &account(&name, label))?.done()?;
            let stored = create(&mut api, NAMESPACE, &pod_of(&name))?;
            let expected: &[&str] = if label == "yes" { &["proxy"] } else { &[] };
            assert_eq!(names(&stored, "initContainers"), expected, "{stored}");
        }
        stage.clear()?;
        until(SOON, || Ok((stage.metric(KNOWN)? == 0.0).then_some(())))
    })
}

fn create_account(api: &mut Api, name: &str, label: &str) -> Result<Value> {
    let account = json!({"metadata": {"name": name, "labels": {"needs-api": label, "team": name}}});
    api.post("/api/v1/namespaces/accounts/serviceaccounts", &account)?.done()
}

fn pod_of(account: &str) -> Value {
    let mut pod = pod(account, None);
    pod["spec"]["serviceAccountName"] = json!(account);
    pod
}

fn has_token(pod: &Value) -> bool {
    names(pod, "volumes").iter().any(|name| name.starts_with("kube-api-access-"))
        && pod["spec"]["automountServiceAccountToken"].is_null()
}

fn has_no_token(pod: &Value) -> bool {
    pod["kind"] == "Pod"
        && names(pod, "volumes").is_empty()
        && pod["spec"]["automountServiceAccountToken"] == false
        && items(pod, "containers").all(|container| container["volumeMounts"].as_array().is_none_or(Vec::is_empty))
}

const AS_NAMESPACES_USER: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: proxy}
spec:
  mode: Always
  match: {namespaceSelector: {matchLabels: {users: own}}}
  add:
    containers:
      - container: {name: proxy, image: "proxy:1"}
        userOfNamespace: true
"#;

const UID_RANGE: &str = "openshift.io/sa.scc.uid-range";

#[test]
fn f3_a_sidecar_runs_as_the_user_that_the_annotation_of_its_namespace_says() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.apply(AS_NAMESPACES_USER, 1.0)?;
        create_namespace_of_users(&mut api, "users", "1000680000/10000")?;
        let user = |pod: &Value| container(pod, "proxy")["securityContext"]["runAsUser"].clone();
        until_pod(&mut api, "users", &pod("a", None), |pod| user(pod) == 1_000_680_000_u32)?;
        let other = json!({"metadata": {"annotations": {UID_RANGE: "1000700000/10000"}}});
        api.merge("/api/v1/namespaces/users", &other)?.done()?;
        until_pod(&mut api, "users", &pod("a", None), |pod| user(pod) == 1_000_700_000_u32)?;
        for number in 0..20_u32 {
            // The watch may not have brought the namespace yet.
            let (name, first) = (format!("users-{number}"), 2_000_000 + number * 1000);
            create_namespace_of_users(&mut api, &name, &format!("{first}/1000"))?;
            let answer = api.post(&pods(&name), &pod("first", None))?.done()?;
            assert_eq!(user(&answer), first, "{answer}");
        }
        Ok(())
    })
}

/// Creates a namespace with the annotation, and the service account that pods need, before the controllers do.
fn create_namespace_of_users(api: &mut Api, name: &str, range: &str) -> Result<()> {
    let metadata = json!({"name": name, "labels": {"users": "own"}, "annotations": {UID_RANGE: range}});
    api.post("/api/v1/namespaces", &json!({"metadata": metadata}))?.done()?;
    let account = json!({"metadata": {"name": "default"}});
    let answer = api.post(&format!("/api/v1/namespaces/{name}/serviceaccounts"), &account)?;
    ensure!(matches!(answer.status, 201 | 409), "{}", answer.body);
    Ok(())
}

const SANDBOXED: &str = r#"
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: sandboxed}
spec:
  match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: sandboxed}}}
  scheduling:
    runtimeClassName: kata
"#;

const CLASSES: &str = "/apis/node.k8s.io/v1/runtimeclasses";

/// A class of micro virtual machines, which need something for themselves and run on some nodes only.
fn kata(overhead: &str) -> Value {
    json!({
        "metadata": {"name": "kata"}, "handler": "kata", "overhead": {"podFixed": {"cpu": overhead, "memory": "120Mi"}},
        "scheduling": {
            "nodeSelector": {"runtime": "kata"}, "tolerations": [{"key": "kata", "operator": "Exists", "effect": "NoSchedule"}],
        },
    })
}

#[test]
fn g4_a_pod_gets_a_runtime_class_with_the_overhead_and_the_nodes_that_the_class_has_now() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("sandboxed", &[])?;
        stage.apply(SANDBOXED, 1.0)?;
        let path = format!("{}?dryRun=All", pods("sandboxed"));
        // Nobody has heard of the class: the pod goes without, and its author is told.
        until(SOON, || {
            let answer = api.post(&path, &pod("a", None))?;
            ensure!(answer.status == 201 && answer.body["spec"]["runtimeClassName"].is_null(), "{}", answer.body);
            Ok(answer.warnings.iter().any(|warning| warning.contains("runtime_class_missing")).then_some(()))
        })?;
        api.post(CLASSES, &kata("250m"))?.done()?;
        let in_kata = |pod: &Value| pod["spec"]["runtimeClassName"] == "kata";
        until_pod(&mut api, "sandboxed", &pod("a", None), in_kata)?;
        let stored = create(&mut api, "sandboxed", &pod("stored", None))?;
        assert!(in_kata(&stored), "{stored}");
        assert_eq!(stored["spec"]["overhead"], json!({"cpu": "250m", "memory": "120Mi"}));
        assert_eq!(stored["spec"]["nodeSelector"], json!({"runtime": "kata"}));
        assert!(items(&stored, "tolerations").any(|toleration| toleration["key"] == "kata"), "{stored}");

        // A class cannot be changed but for being made anew; its pods never get numbers that it had before.
        for overhead in ["300m", "350m", "400m"] {
            api.delete(&format!("{CLASSES}/kata"))?.done()?;
            api.post(CLASSES, &kata(overhead))?.done()?;
            let answer = api.post(&path, &pod("a", None))?;
            ensure!(answer.status == 201, "{}", answer.body);
            until_pod(&mut api, "sandboxed", &pod("a", None), |pod| pod["spec"]["overhead"]["cpu"] == overhead)?;
        }
        own_choices_stay(&mut api, &path)?;
        api.delete(&format!("{CLASSES}/kata"))?.done().map(drop)
    })
}

/// A pod that is for other nodes, and one whose class somebody chose.
fn own_choices_stay(api: &mut Api, path: &str) -> Result<()> {
    let mut elsewhere = pod("elsewhere", None);
    elsewhere["spec"]["nodeSelector"] = json!({"runtime": "other"});
    let answer = api.post(path, &elsewhere)?;
    ensure!(answer.status == 201 && answer.body["spec"]["runtimeClassName"].is_null(), "{}", answer.body);
    ensure!(answer.warnings.iter().any(|warning| warning.contains("runtime_class_unfit")), "{:?}", answer.warnings);

    api.post(CLASSES, &json!({"metadata": {"name": "plain"}, "handler": "runc"}))?.done()?;
    let mut chosen = pod("chosen", None);
    chosen["spec"]["runtimeClassName"] = json!("plain");
    let stored = api.post(path, &chosen)?.done()?;
    assert_eq!((&stored["spec"]["runtimeClassName"], &stored["spec"]["overhead"]), (&json!("plain"), &Value::Null));
    api.delete(&format!("{CLASSES}/plain"))?.done().map(drop)
}

const FILLING: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: filling}
spec:
  mode: Always
  match: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: filled}}}
  add:
    containers:
      - container: {name: filler, image: "filler:1"}
        placement: {kind: Native}
        resources:
          requests: {cpu: 900m, memory: 64Mi}
          limits: {cpu: 900m, memory: 64Mi}
"#;

#[test]
fn g4_a_limit_range_of_pods_leaves_the_overhead_out_and_so_does_what_is_brought_within_it() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("filled", &[])?;
        api.post(CLASSES, &kata("250m"))?.done()?;
        let limits = json!({"limits": [{"type": "Pod", "max": {"cpu": "1"}}]});
        let range = json!({"metadata": {"name": "limits"}, "spec": limits});
        api.post("/api/v1/namespaces/filled/limitranges", &range)?.done()?;
        let mut app = pod("app", None);
        app["spec"]["runtimeClassName"] = json!("kata");
        app["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "1"}, "limits": {"cpu": "1"}});
        // The API server's plugin itself: a whole CPU and the overhead is not more than a CPU.
        until_pod(&mut api, "filled", &app, |pod| pod["spec"]["overhead"]["cpu"] == "250m")?;

        stage.apply(FILLING, 1.0)?;
        app["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "400m"}, "limits": {"cpu": "400m"}});
        let is_filled = |pod: &Value| !container(pod, "filler").is_null();
        let filled = until_pod(&mut api, "filled", &app, is_filled)?;
        assert_eq!(container(&filled, "filler")["resources"]["limits"]["cpu"], "600m", "{filled}");
        assert_eq!(filled["spec"]["overhead"]["cpu"], "250m");
        api.delete(&format!("{CLASSES}/kata"))?.done().map(drop)
    })
}
