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
