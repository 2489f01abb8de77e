//! Offline and online are one engine: what `inject` writes is what the webhook's patch makes of the same pod.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{folder, run, trees};

fn pod(further: Value) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "labels": {"mesh/inject": "true"}},
        "spec": {"fieldOfTheFuture": [1], "containers": [{"name": "app", "image": "app:1", "fieldOfTheFuture": {"a/b~c": null}}]},
    });
    for (key, value) in further.as_object().expect("an object") {
        pod["spec"][key] = value.clone();
    }
    pod
}

pub(super) fn review_of(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "name": "web", "namespace": "shop", "userInfo": {"username": "somebody"},
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "object": pod,
        },
    })
}

/// The pod as the webhook's patch makes it.
fn patched(pod: &Value, response: &Value) -> Value {
    let patch = STANDARD.decode(response["patch"].as_str().expect("a patch")).expect("base64");
    let operations: json_patch::Patch = serde_json::from_slice(&patch).expect("operations");
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &operations).expect("a patch that applies");
    pod
}

#[test]
fn a_pod_comes_out_of_inject_as_it_comes_out_of_the_webhook() {
    let defaults = "\
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: hardened}
spec:
  mode: Always
  security: {seccompProfile: RuntimeDefault, denyPrivilegeEscalation: true, capabilities: {dropAll: true}}
  resources: {containers: {requests: {cpu: 100m, memory: 64Mi}}}
";
    let folder = folder(&[("defaults.yaml", defaults)]);
    let policies = ["--policies", "mesh.yaml", "--policies", "defaults.yaml"];
    let probe = json!({"httpGet": {"path": "/", "port": "web"}});
    let containers = json!([
        {"name": "app", "image": "app:1", "ports": [{"name": "web", "containerPort": 80}], "livenessProbe": probe},
        {"name": "helper", "image": "helper:1", "env": [{"name": "A", "value": "\n\"é"}]},
    ]);
    for further in [
        json!({}),
        json!({"containers": containers, "volumes": [], "terminationGracePeriodSeconds": 30}),
        json!({"initContainers": [{"name": "first", "image": "first:1"}], "volumes": [{"name": "own", "emptyDir": {}}]}),
    ] {
        let pod = pod(further);
        let offline = run(folder.path(), &[&["inject", "-"], &policies[..]].concat(), &pod.to_string());
        let review = review_of(&pod).to_string();
        let online = run(folder.path(), &[&["review", "--phase", "mutate"], &policies[..]].concat(), &review);
        assert_eq!((offline.code, online.code), (0, 0), "{}{}", offline.errors, online.errors);
        let answer: Value = serde_json::from_str(&online.output).expect("an answer");
        let expected = patched(&pod, &answer["response"]);
        assert_ne!(expected, pod);
        assert_eq!(trees(&offline.output), [expected]);
    }
}

#[test]
fn a_pod_is_refused_by_both_with_the_same_words() {
    let folder = folder::<&str>(&[]);
    let pod = pod(json!({"containers": [{"name": "proxy", "image": "mine:1"}]}));
    let offline = run(folder.path(), &["inject", "-", "--policies", "mesh.yaml"], &pod.to_string());
    let review = review_of(&pod).to_string();
    let online = run(folder.path(), &["review", "--phase", "mutate", "--policies", "mesh.yaml"], &review);
    let answer: Value = serde_json::from_str(&online.output).expect("an answer");
    assert_eq!((offline.code, &answer["response"]["allowed"]), (1, &json!(false)));
    let message = answer["response"]["status"]["message"].as_str().expect("a message");
    let words = offline.errors.trim_end().split("refused: ").nth(1).expect("a refusal");
    assert_eq!(message, format!("pods \"web\" is forbidden: {words}"));
}

#[test]
fn i3_a_mirrored_image_passes_where_its_registry_is_declared_and_else_is_told_what_to_declare() {
    let mandatory = super::MESH.replace("  enablement:", "  failure: {verify: Deny}\n  enablement:");
    let declared = mandatory.replace("  enablement:", "  imageMirrors: [mirror.example.com/hub]\n  enablement:");
    let folder = folder(&[("undeclared.yaml", mandatory.as_str()), ("declared.yaml", declared.as_str())]);
    let answer = |pod: &Value, phase: &str, policies: &str| -> Value {
        let ran =
            run(folder.path(), &["review", "--phase", phase, "--policies", policies], &review_of(pod).to_string());
        let answer: Value = serde_json::from_str(&ran.output).expect("an answer");
        answer["response"].clone()
    };
    let injected = patched(&pod(json!({})), &answer(&pod(json!({})), "mutate", "declared.yaml"));
    let with_image = |image: &str| {
        let mut pod = injected.clone();
        let mut containers = pod["spec"]["initContainers"].as_array_mut().expect("a list").iter_mut();
        containers.find(|container| container["name"] == "proxy").expect("the proxy")["image"] = json!(image);
        pod
    };
    let refusal = |image: &str, policies: &str| -> Option<String> {
        let response = answer(&with_image(image), "validate", policies);
        (response["allowed"] == false).then(|| response["status"]["message"].as_str().expect("a message").to_owned())
    };
    let mirrored = "mirror.example.com/hub/library/proxy:1";
    assert_eq!(refusal(mirrored, "declared.yaml"), None);
    // And the second pass leaves it there.
    assert_eq!(answer(&with_image(mirrored), "mutate", "declared.yaml")["patch"], Value::Null);
    let expected = "pods \"web\" is forbidden: SidecarInjection/mesh: container \"proxy\", registry \"mirror.example.com/hub\": \
                    the image comes from a registry that the document's imageMirrors do not list (image_elsewhere)";
    assert_eq!(refusal(mirrored, "undeclared.yaml").as_deref(), Some(expected));
    for (image, policies) in [("evil.example/library/proxy:1", "declared.yaml"), ("pause:3", "declared.yaml")] {
        let refusal = refusal(image, policies).expect("a refusal");
        assert_eq!(refusal.ends_with("(item_missing)"), image == "pause:3", "{refusal}");
    }
}

/// What was said, without the words: document, code and what it is about.
fn said(line: &str) -> Option<(String, String, String)> {
    let (rest, code) = line.strip_suffix(')')?.rsplit_once(" (")?;
    let mut parts = rest.splitn(3, ": ").skip(2);
    let rest = parts.next()?;
    let rest = rest.trim_start_matches("warning: ").trim_start_matches("left out: ");
    let (document, rest) = rest.split_once(": ")?;
    let (about, _) = rest.trim_start_matches("left out: ").rsplit_once(": ")?;
    Some((document.to_owned(), code.to_owned(), about.to_owned()))
}

#[test]
fn i2_what_is_explained_is_what_the_audit_log_has() {
    let taking = "\
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: taking}
spec:
  enablement: {podLabels: [taking/inject]}
  conflicts: {port: Warn, uid: Skip}
  overrides:
    prefix: taking/
    onInvalid: Warn
    fields: [{key: cpu, container: taker, set: {request: cpu}, type: {quantity: {max: 1}}}]
  add:
    containers:
    - container: {name: taker, image: \"taker:1\", resources: {requests: {cpu: 10m}}}
      reserves: {ports: [80]}
---
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: leaving}
spec:
  enablement: {podLabels: [taking/inject]}
  conflicts: {uid: Skip}
  add: {containers: [{container: {name: leaver, image: \"leaver:1\"}, reserves: {uid: 7}}]}
";
    let folder = folder(&[("taking.yaml", taking)]);
    let container =
        json!({"name": "app", "image": "app:1", "ports": [{"containerPort": 80}], "securityContext": {"runAsUser": 7}});
    let mut pod = pod(json!({"containers": [container]}));
    pod["metadata"]["labels"] = json!({"taking/inject": "true"});
    pod["metadata"]["annotations"] = json!({"taking/cpu": "much", "taking/memory": "1Gi"});
    let policies = ["--policies", "taking.yaml"];
    let offline = run(folder.path(), &[&["inject", "-", "--explain"], &policies[..]].concat(), &pod.to_string());
    let explained: Vec<_> = offline.errors.lines().filter_map(said).collect();
    let review = review_of(&pod).to_string();
    let online = run(folder.path(), &[&["review", "--phase", "mutate"], &policies[..]].concat(), &review);
    let answer: Value = serde_json::from_str(&online.output).expect("an answer");
    let audited = answer["response"]["auditAnnotations"]["mutation"].as_str().expect("an annotation");
    let audited: Vec<_> = audited
        .split("; ")
        .filter_map(|note| {
            let mut words = note.splitn(3, ' ').map(str::to_owned);
            Some((words.next()?, words.next()?, words.next()?))
        })
        .collect();
    assert_eq!(explained, audited, "{}", offline.errors);
    for code in ["pod_label", "port_taken", "uid_taken", "invalid_override", "unknown_override"] {
        assert!(explained.iter().any(|(_, found, _)| found == code), "{code} in {explained:?}");
    }
}
