//! What is told of a decision: to whoever creates a pod, to the audit log, to metrics, to the pod's owner and on the command line.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::documents::pod;
use crate::harness::{Api, Portcullis, until};
use crate::stage::{NAMESPACE, RELEASE, SOON, Stage, names, pods, with_stage};

/// A document that collides with pods which have a container of its name, and leaves them alone; pods may say no in two ways.
fn document(name: &str, further: &str) -> String {
    format!(
        "
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {{name: {name}}}
spec:
  enablement: {{podLabels: [told/inject], podAnnotations: [told/inject], onInvalid: SkipWithWarning}}
  overrides:
    prefix: told/
    onInvalid: Warn
    fields: [{{key: level, container: side, set: {{env: LEVEL}}, type: {{integer: {{min: 1, max: 3}}}}}}]
  add:
    containers:
      - container: {{name: side, image: \"side:1\", env: [{{name: LEVEL, value: \"1\"}}]}}
        placement: {{kind: Native}}
        reserves: {{ports: [15001]}}
{further}
"
    )
}

/// A pod of a controller with this uid, which says yes.
fn owned(name: &str, kind: (&str, &str), uid: &str) -> Value {
    let mut pod = pod(name, Some(("told/inject", "true")));
    (pod["apiVersion"], pod["kind"]) = (json!("v1"), json!("Pod"));
    pod["metadata"]["ownerReferences"] =
        json!([{"apiVersion": kind.0, "kind": kind.1, "name": "web", "uid": uid, "controller": true}]);
    pod
}

const REPLICA_SET: (&str, &str) = ("apps/v1", "ReplicaSet");

#[test]
fn who_wrote_a_deployment_is_told_beside_its_replica_set_once_however_many_pods_it_has() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("owned", &[])?;
        stage.apply(&document("owner-told", "  conflicts: {containerName: Skip}"), 1.0)?;
        let mut colliding = owned("dry", REPLICA_SET, "of-a-dry-run");
        colliding["spec"]["containers"][0]["name"] = json!("side");
        until_warned(&mut api, "owned", &colliding, "container_name_taken")?;

        colliding["metadata"] = json!({"labels": {"app": "web", "told/inject": "true"}});
        let template = json!({"metadata": colliding["metadata"], "spec": colliding["spec"]});
        let spec = json!({"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": template});
        let deployments = "/apis/apps/v1/namespaces/owned/deployments";
        let made = api.post(deployments, &json!({"metadata": {"name": "web"}, "spec": spec}))?;
        ensure!(made.status == 201 && made.warnings.is_empty(), "{} {:?}", made.body, made.warnings);
        let all = format!("{}?labelSelector=app%3Dweb", pods("owned"));
        let found = until(SOON, || {
            let found = api.get(&all)?.done()?["items"].take();
            Ok(found.as_array().filter(|pods| pods.len() == 3).cloned())
        })?;
        assert!(found.iter().all(|pod| names(pod, "initContainers").is_empty()), "{found:?}");

        let owner = &found[0]["metadata"]["ownerReferences"][0];
        let event = until(SOON, || Ok(events(&mut api, "owned")?.pop()))?;
        assert_eq!((&event["reason"], &event["type"]), (&json!("container_name_taken"), &json!("Warning")));
        for key in ["kind", "name", "uid", "apiVersion"] {
            assert_eq!(event["regarding"][key], owner[key], "{event}");
        }
        let note = event["note"].as_str().context("no note")?;
        assert!(note.contains("SidecarInjection/owner-told: left out: ") && note.contains("Rename"), "{note}");
        let name = owner["name"].as_str().context("no name")?;
        let described = stage.plane.kubectl()?.done(&["--namespace=owned", "describe", "replicaset", name])?;
        assert!(described.contains("container_name_taken") && described.contains("left out"), "{described}");

        // The last of its pods was heard of before it was stored: whatever was to come is there.
        assert_eq!(events(&mut api, "owned")?.len(), 1, "neither of each pod nor of a dry run");
        assert_eq!(stage.metric("portcullis_owner_events_total{outcome=\"failed\"}")?, 0.0);
        Ok(())
    })
}

#[test]
fn a_refusal_is_told_by_the_controller_with_the_reason_and_not_a_second_time() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("refused", &[])?;
        stage.apply(&document("refusing", ""), 1.0)?;
        let mut colliding = owned("dry", REPLICA_SET, "of-a-dry-run");
        colliding["spec"]["containers"][0]["name"] = json!("side");
        let path = format!("{}?dryRun=All", pods("refused"));
        until(SOON, || Ok((api.post(&path, &colliding)?.status == 403).then_some(())))?;

        colliding["metadata"] = json!({"labels": {"app": "web", "told/inject": "true"}});
        let template = json!({"metadata": colliding["metadata"], "spec": colliding["spec"]});
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "template": template});
        let sets = "/apis/apps/v1/namespaces/refused/replicasets";
        api.post(sets, &json!({"metadata": {"name": "web"}, "spec": spec}))?.done()?;
        let failed = "/api/v1/namespaces/refused/events?fieldSelector=reason%3DFailedCreate";
        let told = until(SOON, || Ok(api.get(failed)?.done()?["items"].get_mut(0).map(|event| event.take())))?;
        let message = told["message"].as_str().context("no message")?;
        assert!(message.contains("(container_name_taken)"), "{message}");

        // Of a controller that is not Kubernetes' own nobody knows whether it tells.
        colliding["metadata"] = owned("other", ("example.com/v1", "Batch"), "of-a-batch")["metadata"].take();
        assert_eq!(api.post(&pods("refused"), &colliding)?.status, 403);
        let ours = until(SOON, || Ok(events(&mut api, "refused")?.pop()))?;
        assert_eq!((&ours["regarding"]["kind"], &ours["reason"]), (&json!("Batch"), &json!("container_name_taken")));
        assert_eq!(events(&mut api, "refused")?.len(), 1);
        Ok(())
    })
}

#[test]
fn replicas_tell_an_owner_once_together_and_one_that_is_told_not_to_tells_nothing() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("told-twice", &[])?;
        stage.apply(&document("twice-told", "  conflicts: {containerName: Skip}"), 1.0)?;
        let second = further_replica(stage, &mut api, "second", 7, &[])?;
        let silent = further_replica(stage, &mut api, "silent", 8, &["--owner-events=false"])?;
        let mut colliding = owned("dry", REPLICA_SET, "of-a-dry-run");
        colliding["spec"]["containers"][0]["name"] = json!("side");
        let path = format!("{}?dryRun=All", pods("told-twice"));
        let left_out = "portcullis_mutation_decisions_total{document=\"SidecarInjection/twice-told\",\
                        reason=\"container_name_taken\",outcome=\"skipped\"}";
        until(SOON, || {
            api.post(&path, &colliding)?;
            // What has never happened is not rendered.
            let is_asked = |replica: &Portcullis| replica.metric(left_out).is_ok();
            Ok([&stage.portcullis, &second, &silent].into_iter().all(is_asked).then_some(()))
        })
        .context("not all three are asked")?;

        let count = |replica: &Portcullis, outcome: &str| {
            replica.metric(&format!("portcullis_owner_events_total{{outcome=\"{outcome}\"}}"))
        };
        let tried = |replica: &Portcullis| anyhow::Ok(count(replica, "told")? + count(replica, "known")?);
        let before = tried(&stage.portcullis)?;
        colliding["metadata"] = owned("real", REPLICA_SET, "of-both")["metadata"].take();
        api.post(&pods("told-twice"), &colliding)?.done()?;
        until(SOON, || {
            let have_both = tried(&stage.portcullis)? == before + 1.0 && tried(&second)? == 1.0;
            Ok(have_both.then_some(()))
        })?;
        assert_eq!(events(&mut api, "told-twice")?.len(), 1);
        for outcome in ["told", "known", "dropped", "failed"] {
            assert_eq!(count(&silent, outcome)?, 0.0, "{outcome}");
        }
        for name in ["second", "silent"] {
            api.delete(&format!("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{name}"))?
                .done()?;
        }
        Ok(())
    })
}

/// Another replica with the same rights, which is asked about the pods of the namespace `twice` too, under a Service of its own.
fn further_replica(stage: &Stage, api: &mut Api, name: &str, ip: u8, further: &[&str]) -> Result<Portcullis> {
    let kubeconfig = stage.plane.kubeconfig_of_service_account(NAMESPACE, RELEASE)?;
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    let arguments = [&[kubeconfig.as_str()], further].concat();
    let ip = stage.plane.addresses.service(ip);
    let replica = Portcullis::start_for((name, NAMESPACE), "/readyz", &stage.plane, ip, &arguments)?;
    replica.service.create(api)?;
    let authority = BASE64_STANDARD.encode(&replica.service.authority_pem);
    let port = replica.service.address.port();
    let service = json!({"name": name, "namespace": NAMESPACE, "port": port, "path": "/mutate"});
    let configuration = json!({
        "metadata": {"name": name},
        "webhooks": [{
            "name": format!("{name}.example.com"),
            "clientConfig": {"service": service, "caBundle": authority},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"]}],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "told-twice"}},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        }],
    });
    api.post("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", &configuration)?.done()?;
    Ok(replica)
}

/// A decision: further fields of the document, what is done to the pod, and the codes that are more than details.
type Case = (&'static str, &'static str, fn(&mut Value), &'static [&'static str]);

const CASES: [Case; 4] = [
    (
        "name",
        "  conflicts: {containerName: Skip}",
        |pod| pod["spec"]["containers"][0]["name"] = json!("side"),
        &["container_name_taken"],
    ),
    ("choice", "", |pod| pod["metadata"]["labels"]["told/inject"] = json!("yes"), &["invalid_choice"]),
    (
        "override",
        "",
        |pod| pod["metadata"]["annotations"] = json!({"told/level": "9", "told/volume": "1", "told/inject": "false"}),
        &["invalid_override", "label_annotation_disagree", "unknown_override"],
    ),
    (
        "port",
        "  conflicts: {port: Warn}",
        |pod| pod["spec"]["containers"][0]["ports"] = json!([{"containerPort": 15001}]),
        &["port_taken"],
    ),
];

#[test]
fn the_codes_of_a_decision_are_the_same_wherever_it_is_told() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        stage.plane.create_namespace("surfaces", &[])?;
        for (name, further, edit, told) in CASES {
            stage.clear()?;
            let document = document(name, further);
            stage.apply(&document, 1.0)?;
            let mut pod = owned(name, REPLICA_SET, &format!("uid-{name}"));
            edit(&mut pod);
            let mut rehearsed = pod.clone();
            rehearsed["metadata"]["ownerReferences"][0]["uid"] = json!("of-a-dry-run");
            until_warned(&mut api, "surfaces", &rehearsed, told[0])?;

            let answer = api.post(&pods("surfaces"), &pod)?;
            ensure!(answer.status == 201, "{name}: {}", answer.body);
            let told: BTreeSet<String> = told.iter().map(|code| (*code).to_owned()).collect();
            assert_eq!(bracketed(&answer.warnings), told, "{name}: warnings");

            let uid = json!(format!("uid-{name}"));
            let of_owner = |events: Vec<Value>| -> BTreeSet<String> {
                let of_owner = events.iter().filter(|event| event["regarding"]["uid"] == uid);
                of_owner.filter_map(|event| event["reason"].as_str()).map(str::to_owned).collect()
            };
            until(SOON, || Ok((of_owner(events(&mut api, "surfaces")?) == told).then_some(())))
                .with_context(|| format!("{name}: events"))?;

            let annotations = stage.log()?.annotations(&answer.audit_id)?;
            let all = audited(&annotations).with_context(|| format!("{name}: {annotations}"))?;
            assert!(all.is_superset(&told), "{name}: {all:?}");
            assert_eq!(explained(&document, &pod)?, all, "{name}: the command line");
            let (counted, counted_as_more) = counted(stage, name)?;
            assert_eq!((counted, counted_as_more), (all, told), "{name}: metrics");
        }
        let events = events(&mut api, "surfaces")?;
        assert!(events.iter().all(|event| event["regarding"]["uid"] != "of-a-dry-run"), "{events:?}");
        Ok(())
    })
}

/// Creates a pod in a dry run until there is a warning with this code.
fn until_warned(api: &mut Api, namespace: &str, pod: &Value, code: &str) -> Result<()> {
    let path = format!("{}?dryRun=All", pods(namespace));
    let mut last = Vec::new();
    until(SOON, || {
        last = api.post(&path, pod)?.warnings;
        Ok(bracketed(&last).contains(code).then_some(()))
    })
    .with_context(|| format!("no warning of {code}; the last ones: {last:?}"))
}

/// Our Events in a namespace.
fn events(api: &mut Api, namespace: &str) -> Result<Vec<Value>> {
    let found = api.get(&format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"))?.done()?["items"].take();
    let is_ours = |event: &&Value| event["reportingController"] == "portcullis.dev/portcullis";
    Ok(found.as_array().into_iter().flatten().filter(is_ours).cloned().collect())
}

/// The codes in brackets at the ends of lines.
fn bracketed(lines: &[impl AsRef<str>]) -> BTreeSet<String> {
    let code = |line: &str| Some(line.trim_end().strip_suffix(')')?.rsplit_once('(')?.1.to_owned());
    lines.iter().filter_map(|line| code(line.as_ref())).collect()
}

/// The codes in the audit annotation.
fn audited(annotations: &Value) -> Result<BTreeSet<String>> {
    let annotations = annotations.as_object().context("no annotations")?;
    let text = annotations.iter().find(|(key, _)| key.ends_with("/mutation")).context("no annotation of ours")?.1;
    let code = |said: &str| said.split(' ').nth(1).map(str::to_owned);
    Ok(text.as_str().context("no text")?.split("; ").filter_map(code).collect())
}

/// The codes that the command line gives for the same pod.
fn explained(document: &str, pod: &Value) -> Result<BTreeSet<String>> {
    let folder = tempfile::tempdir()?;
    let policies = folder.path().join("policy.yaml");
    std::fs::write(&policies, document)?;
    let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["inject", "-", "--explain", "--policies"])
        .arg(&policies)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no input")?.write_all(pod.to_string().as_bytes())?;
    let said = String::from_utf8(child.wait_with_output()?.stderr)?;
    Ok(bracketed(&said.lines().collect::<Vec<_>>()))
}

/// The codes that are counted for a document, and those of them with an outcome that is more than a detail.
fn counted(stage: &Stage, name: &str) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let (_, text) = stage.portcullis.asked("/metrics")?;
    let head = format!("portcullis_mutation_decisions_total{{document=\"SidecarInjection/{name}\",reason=\"");
    let (mut all, mut more) = (BTreeSet::new(), BTreeSet::new());
    for (code, rest) in text.lines().filter_map(|line| line.strip_prefix(&head)?.split_once('"')) {
        all.insert(code.to_owned());
        if !rest.contains("\"noted\"") {
            more.insert(code.to_owned());
        }
    }
    Ok((all, more))
}
