//! Which requests are answered with a patch: A9 to A12 and C10, as the API server asks.

use serde_json::{Value, json};

use super::{folder, run};

const EVERYBODY: &str = r#"
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: lens}
spec:
  mode: Always
  add:
    containers:
    - container: {name: lens, image: "lens:2"}
"#;

fn pod() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "till-", "finalizers": ["shop/paid"]},
        "spec": {"containers": [{"name": "till", "image": "till:1"}]},
    })
}

/// The answer to the creation of a pod, after the request has been changed.
fn answer(change: impl FnOnce(&mut Value)) -> Value {
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u", "operation": "CREATE", "namespace": "shop", "userInfo": {"username": "somebody"},
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "object": pod(),
        },
    });
    change(&mut review["request"]);
    let folder = folder(&[("everybody.yaml", EVERYBODY)]);
    let ran = run(folder.path(), &["review", "--phase", "mutate", "--policies", "everybody.yaml"], &review.to_string());
    assert_eq!(ran.code, 0, "{}", ran.errors);
    serde_json::from_str::<Value>(&ran.output).expect("an answer")["response"].take()
}

fn is_left_alone(answer: &Value) -> bool {
    answer["allowed"] == true && answer.get("patch").is_none()
}

#[test]
fn a9_a_pod_that_has_no_name_yet_is_called_by_the_beginning_of_it() {
    let refused = answer(|request| request["object"]["spec"]["containers"][0]["name"] = json!("lens"));
    let message = refused["status"]["message"].as_str().expect("a message");
    assert!(message.starts_with("pods \"till-*\" is forbidden: SidecarInjection/lens: "), "{message}");
    let nameless = answer(|request| {
        request["object"]["metadata"] = json!({});
        request["object"]["spec"]["containers"][0]["name"] = json!("lens");
    });
    let message = nameless["status"]["message"].as_str().expect("a message");
    assert!(message.starts_with("pods is forbidden: SidecarInjection/lens: "), "{message}");
}

#[test]
fn a10_a_pod_that_is_there_is_never_changed() {
    assert!(!is_left_alone(&answer(|_| {})));
    let without_finalizer = |request: &mut Value| {
        request["operation"] = json!("UPDATE");
        request["oldObject"] = pod();
        request["object"]["metadata"]["finalizers"] = json!([]);
    };
    assert!(is_left_alone(&answer(without_finalizer)));
    let with_label = |request: &mut Value| {
        request["operation"] = json!("UPDATE");
        request["oldObject"] = pod();
        request["object"]["metadata"]["labels"] = json!({"a": "b"});
    };
    assert!(is_left_alone(&answer(with_label)));
}

#[test]
fn a11_subresources_and_deletions_are_left_alone() {
    for subresource in ["ephemeralcontainers", "resize", "status", "binding", "eviction"] {
        for field in ["subResource", "requestSubResource"] {
            for operation in ["CREATE", "UPDATE"] {
                let asked = answer(|request| {
                    request["operation"] = json!(operation);
                    request[field] = json!(subresource);
                    request["oldObject"] = pod();
                });
                assert!(is_left_alone(&asked), "{operation} {subresource}");
            }
        }
    }
    let deleted = answer(|request| {
        request["operation"] = json!("DELETE");
        request["object"] = Value::Null;
        request["oldObject"] = pod();
    });
    assert!(is_left_alone(&deleted));
}

#[test]
fn a12_workloads_are_left_to_those_who_write_them() {
    for (group, kind, resource) in [("apps", "Deployment", "deployments"), ("batch", "Job", "jobs")] {
        let asked = answer(|request| {
            request["kind"] = json!({"group": group, "version": "v1", "kind": kind});
            request["resource"] = json!({"group": group, "version": "v1", "resource": resource});
            let template = json!({"spec": {"template": pod()}});
            request["object"] = template;
        });
        assert!(is_left_alone(&asked), "{kind}");
    }
}

#[test]
fn c10_a_dry_run_has_the_same_answer() {
    assert_eq!(answer(|request| request["dryRun"] = json!(true)), answer(|_| {}));
}
