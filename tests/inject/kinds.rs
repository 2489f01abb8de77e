//! Wherever a pod may stand, it gets its sidecar and loses it again; everything else passes.

use serde_json::{Value, json};

use super::{DEPLOYMENT, folder, names, piped, run, trees};

/// Every kind that holds a pod, and where.
const KINDS: [(&str, &str, &str); 9] = [
    ("v1", "Pod", ""),
    ("v1", "PodTemplate", "/template"),
    ("v1", "ReplicationController", "/spec/template"),
    ("apps/v1", "DaemonSet", "/spec/template"),
    ("apps/v1", "Deployment", "/spec/template"),
    ("apps/v1", "ReplicaSet", "/spec/template"),
    ("apps/v1", "StatefulSet", "/spec/template"),
    ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template"),
    ("batch/v1", "Job", "/spec/template"),
];

fn object(version: &str, kind: &str, path: &str) -> Value {
    let probe = json!({"tcpSocket": {"port": 80}, "fieldOfTheFuture": 1});
    let container = json!({"name": "app", "image": "app:1", "readinessProbe": probe});
    let pod = json!({"metadata": {"labels": {"mesh/inject": "true"}}, "spec": {"containers": [container]}});
    let mut object = path.rsplit('/').filter(|key| !key.is_empty()).fold(pod, |inner, key| json!({key: inner}));
    object["apiVersion"] = json!(version);
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!("web");
    object
}

fn assert_injected(pod: &Value) {
    let lists = (names(&pod["spec"]["initContainers"]), names(&pod["spec"]["containers"]));
    assert_eq!(lists, (vec!["proxy"], vec!["app"]), "{pod:#}");
    assert_eq!(pod["spec"]["containers"][0]["readinessProbe"]["httpGet"]["port"], 15020);
    assert_eq!(pod["metadata"]["labels"]["mesh/version"], "1");
}

#[test]
fn every_kind_that_holds_a_pod_gets_the_sidecar_and_loses_it_again() {
    for (version, kind, path) in KINDS {
        let before = object(version, kind, path);
        let text = format!("{before:#}\n");
        let injected = piped("inject", &text);
        let tree: Value = serde_json::from_str(&injected).expect("JSON stays JSON");
        assert_injected(tree.pointer(path).expect("a pod"));
        assert_eq!(serde_json::from_str::<Value>(&piped("uninject", &injected)).expect("JSON"), before, "{kind}");
    }
}

#[test]
fn lists_and_lists_of_one_kind_are_gone_through() {
    let deployment = object("apps/v1", "Deployment", "/spec/template");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {}});
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [service, deployment, object("v1", "Pod", "")]});
    let mut bare = object("v1", "Pod", "");
    for key in ["apiVersion", "kind"] {
        bare.as_object_mut().expect("an object").remove(key);
    }
    let pods = json!({"apiVersion": "v1", "kind": "PodList", "items": [bare]});
    let text = format!("{list:#}\n---\n{pods}\n");
    let injected = piped("inject", &text);
    let after = trees(&injected);
    assert_eq!(after[0]["items"][0], service);
    assert_injected(&after[0]["items"][1]["spec"]["template"]);
    assert_injected(&after[0]["items"][2]);
    assert_injected(&after[1]["items"][0]);
    assert_eq!(trees(&piped("uninject", &injected)), [list, pods]);
}

#[test]
fn a_second_run_changes_nothing() {
    let texts = KINDS.map(|(version, kind, path)| format!("---\n{}\n", object(version, kind, path)));
    for text in [texts.concat(), DEPLOYMENT.to_owned()] {
        let once = piped("inject", &text);
        assert_ne!(once, text);
        assert_eq!(piped("inject", &once), once);
    }
}

#[test]
fn other_kinds_and_other_versions_of_known_ones_pass_to_the_letter() {
    let others = "\
apiVersion: example.com/v1
kind: Deployment   # of somebody else
spec: {template: {metadata: {labels: {mesh/inject: 'true'}}, spec: {containers: [{name: a}]}}}
---
# nothing here
---
apiVersion: v1
kind: ConfigMap
data:
  pod.yaml: |
    kind: Pod
...
";
    assert_eq!(piped("inject", others), others);
    assert_eq!(piped("uninject", others), others);
}

#[test]
fn a_pod_that_does_not_ask_for_it_passes_to_the_letter() {
    let text = DEPLOYMENT.replace("mesh/inject: 'true'", "mesh/inject: 'false'");
    assert_eq!(piped("inject", &text), text);
}

#[test]
fn d2_the_oldest_kubelet_that_takes_pods_decides_about_native_sidecars() {
    let node = |version: &str, further: &str| {
        format!(
            "apiVersion: v1\nkind: Node\nmetadata: {{name: n}}\nspec: {{{further}}}\nstatus: {{nodeInfo: {{kubeletVersion: {version}}}}}\n---\n"
        )
    };
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n---\n";
    let among = |nodes: &[String]| {
        let facts = format!("{namespace}{}", nodes.concat());
        let folder = folder(&[("web.yaml", DEPLOYMENT), ("facts.yaml", facts.as_str())]);
        run(folder.path(), &["inject", "web.yaml", "--policies", "mesh.yaml", "--namespaces", "facts.yaml"], "")
    };
    let new = among(&[node("v1.29.0", ""), node("v1.37.1-gke.5", ""), node("v1.28.9", "unschedulable: true")]);
    assert_eq!(
        names(&trees(&new.output)[0]["spec"]["template"]["spec"]["initContainers"]),
        ["proxy"],
        "{}",
        new.errors
    );
    let old = among(&[node("v1.37.1", ""), node("v1.28.15", "")]);
    assert_eq!((old.code, old.output.as_str()), (0, DEPLOYMENT));
    assert!(old.errors.contains("(native_unsupported)"), "{}", old.errors);
    let odd = among(&[node("latest", "")]);
    assert_eq!(odd.code, 2);
    assert!(odd.errors.contains("\"latest\" is no version of a kubelet"), "{}", odd.errors);
}
