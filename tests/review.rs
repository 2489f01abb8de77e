//! `portcullis review`, the program itself: one review in, one answer out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

#[test]
fn answers_by_the_labels_of_the_namespace() {
    let answer =
        answered(&review(&example("review.json")).args(["--namespaces", &path("docs/examples/namespaces.yaml")]));
    assert_eq!(answer["response"]["allowed"], false);
    assert_eq!(answer["response"]["uid"], "705ab4f5-6393-11e8-b7cc-42010a800002");
    let message = answer["response"]["status"]["message"].as_str().expect("a message");
    assert!(
        message.starts_with(r#"pods "web" is forbidden: violates PodSecurity "baseline:latest": privileged ("#),
        "{message}"
    );
    assert!(answer.get("request").is_none(), "the request is returned to nobody");
}

#[test]
fn without_a_configuration_upstreams_default_allows_everything() {
    let answer = answered(&review(&example("review.json")));
    assert_eq!(answer["response"]["allowed"], true);
    assert_eq!(answer["response"]["auditAnnotations"], json!({"enforce-policy": "privileged:latest"}));
}

#[test]
fn a_namespace_that_the_file_lacks_cannot_be_looked_up() {
    let body = example("review.json").replace("shop", "elsewhere");
    let answer = answered(&review(&body).args(["--namespaces", &path("docs/examples/namespaces.yaml")]));
    assert_eq!(answer["response"]["status"]["code"], 500);
    assert_eq!(
        answer["response"]["status"]["message"],
        r#"Internal error occurred: failed to lookup namespace "elsewhere""#
    );
}

#[test]
fn every_ready_made_configuration_is_read_and_does_what_it_says() {
    for (name, allowed, warned) in [("restricted", false, 0), ("baseline", false, 0), ("observe", true, 1)] {
        let answer = answered(
            &review(&example("review.json")).args(["--config", &path(&format!("policies/pod-security/{name}.yaml"))]),
        );
        assert_eq!(answer["response"]["allowed"], allowed, "{name}");
        assert_eq!(answer["response"]["warnings"].as_array().map_or(0, Vec::len), warned, "{name}");
    }
}

#[test]
fn in_audit_mode_nothing_is_denied_and_everything_is_reported() {
    let config = path("policies/pod-security/restricted.yaml");
    let answer = answered(&review(&example("review.json")).args(["--mode", "audit", "--config", &config]));
    let response = &answer["response"];
    assert_eq!(response["allowed"], true);
    let would_deny = response["auditAnnotations"]["would-deny"].as_str().expect("an annotation");
    assert!(
        would_deny.starts_with(r#"pods "web" is forbidden: violates PodSecurity "restricted:latest""#),
        "{would_deny}"
    );
    assert_eq!(response["warnings"][0], format!("would be denied: {would_deny}"));
}

#[test]
fn a_workload_is_denied_where_the_flag_or_its_namespace_says_so() {
    let body = review_of_a_deployment().to_string();
    let namespaces = tempfile::NamedTempFile::new().expect("a file");
    let write = |label: &str| {
        let labels = format!("{{pod-security.kubernetes.io/enforce: baseline, {label}}}");
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop, labels: {labels}}}\n");
        std::fs::write(namespaces.path(), text).expect("written");
    };
    let namespaces_path = namespaces.path().display().to_string();
    let ask = |flag: &str, label: &str| {
        write(label);
        answered(&review(&body).args(["--workloads", flag, "--namespaces", &namespaces_path]))["response"].clone()
    };
    assert_eq!(ask("warn", "")["allowed"], true);
    assert_eq!(ask("warn", "")["warnings"].as_array().map(Vec::len), Some(1));
    assert_eq!(ask("deny", "portcullis.dev/workloads: warn")["allowed"], true);
    for denied in [ask("deny", ""), ask("warn", "portcullis.dev/workloads: deny")] {
        let message = denied["status"]["message"].as_str().expect("a message");
        assert!(
            message.starts_with(r#"deployments.apps "web" is forbidden: violates PodSecurity "baseline:latest""#),
            "{message}"
        );
        assert!(denied.get("warnings").is_none());
    }
}

#[test]
fn an_update_of_a_workload_is_denied_only_if_it_changes_what_speaks_against_it() {
    let config = path("policies/pod-security/baseline.yaml");
    let mut body = review_of_a_deployment();
    let object = body["request"]["object"].clone();
    body["request"]["operation"] = json!("UPDATE");
    let mut ask = |old: Value| {
        body["request"]["oldObject"] = old;
        answered(&review(&body.to_string()).args(["--workloads", "deny", "--config", &config]))["response"].clone()
    };
    let mut labelled = object.clone();
    labelled["metadata"]["labels"]["team"] = json!("shop");
    let unchanged = ask(labelled);
    assert_eq!(unchanged["allowed"], true, "{unchanged}");

    let mut shared = object.clone();
    shared["spec"]["template"]["spec"]["hostPID"] = json!(true);
    let mut unprivileged = object.clone();
    unprivileged["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = json!(false);
    let mut without_template = object;
    without_template["spec"] = json!({});
    for old in [shared, unprivileged, without_template, Value::Null] {
        let denied = ask(old);
        assert_eq!(denied["status"]["code"], 403, "{denied}");
    }
}

/// Of a Deployment with the pod of the example.
fn review_of_a_deployment() -> Value {
    let mut body: Value = serde_json::from_str(&example("review.json")).expect("a review");
    let pod_spec = body["request"]["object"]["spec"].take();
    body["request"]["kind"] = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    body["request"]["resource"] = json!({"group": "apps", "version": "v1", "resource": "deployments"});
    body["request"]["object"] =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": pod_spec}}});
    body
}

#[test]
fn a_tighter_label_is_tried_on_the_pods_of_the_file() {
    let namespace = |level: &str| {
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop",
               "labels": {"pod-security.kubernetes.io/enforce": level}}})
    };
    let body = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "kind": {"group": "", "version": "v1", "kind": "Namespace"},
        "resource": {"group": "", "version": "v1", "resource": "namespaces"}, "name": "shop", "namespace": "shop",
        "operation": "UPDATE", "userInfo": {"username": "dev"}, "object": namespace("baseline"), "oldObject": namespace("privileged")}});
    let pods = path("docs/examples/privileged.yaml");
    let answer = answered(&review(&body.to_string()).args(["--namespaces", &pods]));
    assert_eq!(
        answer["response"]["warnings"],
        json!([
            r#"existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest""#,
            "web: host namespaces, privileged",
        ])
    );
}

#[test]
fn the_mutate_phase_proposes_nothing() {
    let answer = answered(&review(&example("review.json")).args(["--phase", "mutate"]));
    assert_eq!(answer["response"], json!({"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": true}));
}

#[test]
fn bad_input_ends_with_code_2_and_says_what_and_where() {
    let config = |text: &str| {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        file
    };
    let unknown = config(
        "apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\nexemptions:\n  runtimeClassNames: []\n",
    );
    let tab = config("apiVersion: v1\nkind: Namespace\nmetadata:\n\tname: x\n");
    let stray = config("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    let good = example("review.json");
    for (body, flag, file, expected) in [
        ("", "--mode", "audit".to_owned(), "the body is empty"),
        ("{\"kind\":", "--mode", "audit".to_owned(), "EOF while parsing"),
        (&*good, "--config", name(&unknown), ":4:3: exemptions.runtimeClassNames: unknown field"),
        (&*good, "--namespaces", name(&tab), ":4:"),
        (&*good, "--namespaces", name(&stray), "found ConfigMap; only objects of the kinds Namespace, Pod"),
        (&*good, "--config", "/nonexistent".to_owned(), "cannot read /nonexistent"),
    ] {
        let output = review(body).args([flag, &file]);
        let output = output.run();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{expected}: {complaint}");
        assert!(complaint.contains(expected), "{expected}: {complaint}");
        assert!(output.stdout.is_empty());
    }
}

fn name(file: &tempfile::NamedTempFile) -> String {
    file.path().display().to_string()
}

/// One run of the program.
struct Review {
    body: String,
    arguments: Vec<String>,
}

fn review(body: &str) -> Review {
    Review { body: body.to_owned(), arguments: vec!["review".to_owned()] }
}

impl Review {
    fn args<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.arguments.extend(arguments.map(str::to_owned));
        self
    }

    fn run(&self) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        // A program that complains before it reads closes the pipe; that is no fault of the test.
        let _ = child.stdin.take().expect("a pipe").write_all(self.body.as_bytes());
        child.wait_with_output().expect("the program ends")
    }
}

fn answered(review: &Review) -> Value {
    let output = review.run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("an answer that is JSON")
}

fn example(file: &str) -> String {
    std::fs::read_to_string(path(&format!("docs/examples/{file}"))).expect("an example")
}

fn path(relative: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(relative);
    path.display().to_string()
}
