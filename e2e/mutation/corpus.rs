//! Documents that are wrong in one place each are refused by us, at that place; documents that are right give pods that are taken.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::harness::Api;
use crate::rich;
use crate::stage::{create, pods, until_pod, with_stage};

const INJECTIONS: &str = "/apis/portcullis.dev/v1/sidecarinjections?dryRun=All";
const DEFAULTS: &str = "/apis/portcullis.dev/v1/poddefaults?dryRun=All";

/// A place of the rich injection, what is put there, and the field that is told of; the text that is told of it.
const BROKEN: [(&str, &str, &str, &str); 22] = [
    (
        "/add/containers/0/container",
        r#"{"imagePullPolcy": "Always"}"#,
        "spec.add.containers[0].container.imagePullPolcy",
        "did you mean imagePullPolicy?",
    ),
    (
        "/add/containers/0/container/ports/0",
        r#"{"containerport": 80}"#,
        "spec.add.containers[0].container.ports[0].containerport",
        "did you mean containerPort?",
    ),
    (
        "/add/containers/0/container/ports/0",
        r#"{"containerPort": "80"}"#,
        "spec.add.containers[0].container.ports[0].containerPort",
        "without quotes",
    ),
    (
        "/add/containers/0/container/ports/0",
        r#"{"hostPort": 70000}"#,
        "spec.add.containers[0].container.ports[0].hostPort",
        "from 0 to 65535",
    ),
    (
        "/add/containers/0/container/ports/0",
        r#"{"name": "dns"}"#,
        "spec.add.containers[0].container.ports[1].name",
        "is there twice",
    ),
    (
        "/add/containers/0/container",
        r#"{"image": "registry.example.com/a b"}"#,
        "spec.add.containers[0].container.image",
        "must be an image reference",
    ),
    ("/add/containers/0/container", r#"{"name": "Side_Car"}"#, "spec.add.containers[0].container.name", "is no name"),
    (
        "/add/containers/0/container",
        r#"{"name": "setup"}"#,
        "spec.add.containers[0].container.name",
        "names must differ",
    ),
    (
        "/add/containers/0/container",
        r#"{"restartPolicy": "Always"}"#,
        "spec.add.containers[0].container.restartPolicy",
        "leave it out",
    ),
    (
        "/add/containers/0/container/livenessProbe",
        r#"{"exec": {"command": ["a"]}}"#,
        "spec.add.containers[0].container.livenessProbe.httpGet",
        "cannot be beside exec",
    ),
    (
        "/add/containers/0/container/env/1",
        r#"{"name": "PLAIN"}"#,
        "spec.add.containers[0].container.env[1].name",
        "is there twice",
    ),
    (
        "/add/containers/0/container/env/0",
        r#"{"value": 5}"#,
        "spec.add.containers[0].container.env[0].value",
        "put it in quotes",
    ),
    (
        "/add/containers/0/container/volumeMounts/1",
        r#"{"mountPath": "/data"}"#,
        "spec.add.containers[0].container.volumeMounts[1].mountPath",
        "is there twice",
    ),
    (
        "/add/containers/0/container/volumeMounts/1",
        r#"{"name": "nowhere"}"#,
        "spec.add.containers[0].container.volumeMounts[1].name",
        "there need not be a volume",
    ),
    (
        "/add/containers/0/container/resources/requests",
        r#"{"cpu": "2 cores"}"#,
        "spec.add.containers[0].container.resources.requests.cpu",
        "is no quantity",
    ),
    (
        "/add/containers/0/container/resources/requests",
        r#"{"cpu": "200m"}"#,
        "spec.add.containers[0].container.resources.limits.cpu",
        "below the request",
    ),
    (
        "/add/containers/0/container/resources/limits",
        r#"{"memmory": "1Gi"}"#,
        "spec.add.containers[0].container.resources.limits.memmory",
        "did you mean memory?",
    ),
    (
        "/add/initContainers/0/container",
        r#"{"lifecycle": {"preStop": {"exec": {"command": ["a"]}}}}"#,
        "spec.add.initContainers[0].container.lifecycle",
        "only a sidecar may",
    ),
    ("/add/volumes/0/volume", r#"{"hostPath": {"path": "/a"}}"#, "spec.add.volumes[0].volume.hostPath", "one source"),
    (
        "/add/volumes/1/volume/configMap/items/0",
        r#"{"path": "../a"}"#,
        "spec.add.volumes[1].volume.configMap.items[0].path",
        "relative path",
    ),
    (
        "/add/patchContainers/0/mounts/0/mount",
        r#"{"mountPath": 5}"#,
        "spec.add.patchContainers[0].mounts[0].mount.mountPath",
        "put it in quotes",
    ),
    ("/add/pod/labels", r#"{"a b": "c"}"#, "spec.add.pod.labels[a b]", "is no key"),
];

#[test]
fn a_broken_document_is_refused_by_us_with_the_field_and_what_was_meant() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        let name = |kind: &str, spec: Value| json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "d"}, "spec": spec});
        for (place, change, field, text) in BROKEN {
            let mut spec = rich::injection();
            let members =
                spec.pointer_mut(place).and_then(Value::as_object_mut).with_context(|| format!("no {place}"))?;
            let change: Value = serde_json::from_str(change)?;
            members.extend(change.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
            refused(&mut api, INJECTIONS, &name("SidecarInjection", spec), field, text)?;
        }
        let toleration = json!({"scheduling": {"tolerations": [{"kye": "a", "operator": "Exists"}]}});
        refused(
            &mut api,
            DEFAULTS,
            &name("PodDefaults", toleration),
            "spec.scheduling.tolerations[0].kye",
            "did you mean key?",
        )?;
        let said = api.post(INJECTIONS, &name("SidecarInjection", rich::injection()))?;
        ensure!(said.status == 201, "the whole of which these are broken is taken: {}", said.message());
        Ok(())
    })
}

/// The refusal is ours: it names a webhook, and has a cause at the field.
fn refused(api: &mut Api, path: &str, document: &Value, field: &str, text: &str) -> Result<()> {
    let said = api.post(path, document)?;
    ensure!(said.status == 422, "{field}: {} {}", said.status, said.body);
    ensure!(said.message().starts_with("admission webhook "), "{field}: {}", said.message());
    let causes = said.body["details"]["causes"].as_array().into_iter().flatten();
    let of_field = causes.clone().find(|cause| cause["field"] == field);
    let message = of_field.and_then(|cause| cause["message"].as_str()).unwrap_or_default();
    ensure!(message.contains(text), "{field}: {text:?} is not in {:?}", causes.collect::<Vec<_>>());
    Ok(())
}

#[test]
fn pods_of_every_ready_made_document_and_of_a_rich_one_are_taken() -> Result<()> {
    with_stage(|stage| {
        let mut api = stage.plane.connect()?;
        for (number, (name, documents)) in good_documents()?.into_iter().enumerate() {
            let all: Vec<Value> = stage.plane.kubectl()?.read(&documents)?;
            let namespace = format!("taken-{number}");
            stage.plane.create_namespace(&namespace, &labels(&all, "namespaceSelector"))?;
            let pod = pod_that_asks(&all);
            let bare = api.post(&format!("{}?dryRun=All", pods(&namespace)), &pod)?.body;
            stage.apply(&documents, all.len() as f64)?;
            until_pod(&mut api, &namespace, &pod, |answer| answer["kind"] == "Pod" && answer["spec"] != bare["spec"])
                .with_context(|| format!("{name} changes nothing"))?;
            create(&mut api, &namespace, &pod).with_context(|| name.clone())?;
            stage.clear()?;
        }
        Ok(())
    })
}

/// The ready-made documents, each with the name of its folder; and the rich ones.
fn good_documents() -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))? {
        let file = entry?.path().join("policy.yaml");
        if file.exists() {
            found.push((file.display().to_string(), fs::read_to_string(file)?));
        }
    }
    ensure!(found.len() >= 10, "{}", found.len());
    for (kind, spec) in [("SidecarInjection", rich::injection()), ("PodDefaults", rich::defaults())] {
        let document =
            json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "rich"}, "spec": spec});
        found.push((format!("rich {kind}"), document.to_string()));
    }
    Ok(found)
}

/// The labels that documents select by.
fn labels<'d>(documents: &'d [Value], selector: &str) -> Vec<(&'d str, &'d str)> {
    let all = documents.iter().filter_map(|document| document["spec"]["match"][selector]["matchLabels"].as_object());
    all.flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
}

/// A pod that all of these documents are for.
fn pod_that_asks(documents: &[Value]) -> Value {
    let mut pod = json!({
        "metadata": {"name": "pod", "labels": {"app": "shop"}},
        // A token's volume would have another name each time.
        "spec": {
            "automountServiceAccountToken": false, "securityContext": {"runAsUser": 1000},
            "containers": [{"name": "app", "image": "app:1"}],
        },
    });
    for (key, value) in labels(documents, "podSelector") {
        pod["metadata"]["labels"][key] = json!(value);
    }
    for document in documents {
        let spec = &document["spec"];
        if let Some(label) = spec["enablement"]["podLabels"][0].as_str() {
            pod["metadata"]["labels"][label] = json!("true");
        }
        for resource in spec["match"]["resources"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            pod["spec"]["containers"][0]["resources"]["limits"][resource] = json!("1");
        }
    }
    pod
}
