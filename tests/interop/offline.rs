//! The same on manifests: `portcullis inject` and `uninject` on the fixtures as they are written, and as templates of a Deployment that an
//! injector's own command has been run on.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::names;
use crate::stage::{files, objects};

fn run(command: &str, file: &Path) -> String {
    let documents = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/documents/adding.yaml");
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .arg(command)
        .arg(file)
        .args(["--policies", documents])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What becomes of the manifests by `inject`, and of that by `uninject`.
fn there_and_back(manifests: &str) -> (Vec<Value>, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("manifests.yaml");
    fs::write(&file, manifests).expect("written");
    let injected = run("inject", &file);
    fs::write(&file, &injected).expect("written");
    assert_eq!(run("inject", &file), injected, "a second time");
    let there = objects(&file);
    let back = run("uninject", &file);
    fs::write(&file, back).expect("written");
    (there, objects(&file))
}

#[test]
fn the_manifests_have_our_sidecars_and_give_them_back() {
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/pods"), ".yaml") {
        let (there, back) = there_and_back(&fs::read_to_string(&file).expect("a file"));
        assert!(there.iter().all(|pod| names(&pod["spec"]["initContainers"]).contains(&"gateway")), "{file:?}");
        assert_eq!(back, objects(&file), "{file:?}");
    }
}

#[test]
fn a_template_as_an_injector_s_command_writes_it_keeps_every_line() {
    // Nulls and empty objects are what Go's encoders leave behind.
    let template = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  creationTimestamp: null
  name: hello
spec:
  selector: {matchLabels: {app: hello}}
  strategy: {}
  template:
    metadata:
      annotations:
        sidecar.istio.io/status: '{\"initContainers\":[\"istio-init\"]}'
      creationTimestamp: null
      labels:
        app: hello
    spec:
      containers:
      - image: hello:1.0
        livenessProbe:
          httpGet:
            path: /app-health/hello/livez
            port: 15020
        name: hello
        resources: {}
      - args:
        - proxy
        env:
        - name: ISTIO_KUBE_APP_PROBERS
          value: '{\"/app-health/hello/livez\":{\"httpGet\":{\"port\":80}}}'
        - name: PROXY_CONFIG
          value: |
            {}
        image: proxyv2:latest
        name: istio-proxy
        resources:
          limits: {cpu: \"2\", memory: 1Gi}
          requests: {cpu: 100m, memory: 128Mi}
      imagePullSecrets: null
      initContainers:
      - image: proxyv2:latest
        name: istio-init
        resources: {limits: {cpu: \"2\", memory: 1Gi}, requests: {cpu: 100m, memory: 128Mi}}
      volumes:
      - name: workload-socket
      - emptyDir: {}
        name: istio-data
status: {}
---
";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hello.yaml");
    fs::write(&file, template).expect("written");
    let injected = run("inject", &file);
    let mut lines = injected.lines();
    for line in template.lines().filter(|line| !line.ends_with("resources: {}")) {
        assert!(lines.any(|found| found == line), "{line:?} is gone or moved:\n{injected}");
    }
    let (there, back) = there_and_back(template);
    let spec = &there[0]["spec"]["template"]["spec"];
    assert_eq!(names(&spec["initContainers"]), ["gateway-init", "gateway", "istio-init"]);
    let original = &objects(&file)[0]["spec"]["template"]["spec"];
    assert_eq!(back[0]["spec"]["template"]["spec"]["containers"], original["containers"]);
    assert_eq!(back[0]["spec"]["template"]["spec"]["volumes"], original["volumes"]);
    assert_eq!(spec["containers"][2], original["containers"][1], "theirs");
    assert_ne!(spec["containers"][1]["env"], json!(null), "the app");
}
