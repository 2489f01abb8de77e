//! What documents ask of a cluster, from a file of what kubectl prints.

use super::{Ran, folder, run};

/// Objects as `kubectl get … -A -o yaml` prints them, shortened.
const CLUSTER: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Namespace
  metadata:
    name: shop
    annotations: {openshift.io/sa.scc.uid-range: 1000680000/10000, note: "1"}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: web, namespace: shop, labels: {needs-api: "true"}}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: cart, namespace: shop}}
- apiVersion: v1
  kind: LimitRange
  metadata: {name: limits, namespace: shop}
  spec: {limits: [{type: Container, max: {memory: 128Mi}}]}
- {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 100}
- apiVersion: node.k8s.io/v1
  kind: RuntimeClass
  metadata: {name: kata}
  handler: kata
  overhead: {podFixed: {cpu: 250m}}
  scheduling: {nodeSelector: {runtime: kata}}
"#;

/// Injects a pod of this spec by a document of this kind and spec, both in flow style.
fn inject(kind: &str, document: &str, pod: &str) -> Ran {
    let document =
        format!("{{apiVersion: portcullis.dev/v1, kind: {kind}, metadata: {{name: d}}, spec: {document}}}\n");
    let pod = format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop}}, spec: {pod}}}\n");
    let folder = folder(&[("cluster.yaml", CLUSTER), ("document.yaml", &document), ("pod.yaml", &pod)]);
    let flags = ["--policies", "document.yaml", "--namespaces", "cluster.yaml", "--explain"];
    run(folder.path(), &[&["inject", "pod.yaml"], &flags[..]].concat(), "")
}

const APP: &str = "containers: [{name: app, image: a}]";

#[test]
fn service_accounts_are_known_by_their_labels() {
    let unless = "{matchLabels: {needs-api: 'true'}}";
    let document = format!("{{security: {{automountServiceAccountToken: {{unlessServiceAccount: {unless}}}}}}}");
    let of = |account: &str| inject("PodDefaults", &document, &format!("{{serviceAccountName: {account}, {APP}}}"));
    assert!(!of("web").output.contains("automount"), "{}", of("web").output);
    assert!(of("cart").output.contains("\"automountServiceAccountToken\":false"), "{}", of("cart").output);
    let unknown = of("parcels");
    assert!(!unknown.output.contains("automount"), "{}", unknown.output);
    assert!(unknown.errors.contains("(service_account_unknown)"), "{}", unknown.errors);
}

#[test]
fn documents_select_service_accounts_by_their_labels() {
    let selector = "{matchLabels: {needs-api: 'true'}}";
    let document = format!("{{match: {{serviceAccountSelector: {selector}}}, pod: {{labels: {{chosen: 'yes'}}}}}}");
    let of = |account: &str| inject("PodDefaults", &document, &format!("{{serviceAccountName: {account}, {APP}}}"));
    assert!(of("web").output.contains("\"chosen\":\"yes\""), "{}", of("web").output);
    let (other, unknown) = (of("cart"), of("parcels"));
    assert!(!other.output.contains("chosen") && !unknown.output.contains("chosen"), "{}", unknown.output);
    assert!(other.errors.contains("(no_match)") && !other.errors.contains("unknown"), "{}", other.errors);
    assert!(unknown.errors.contains("(service_account_unknown)"), "{}", unknown.errors);
}

#[test]
fn annotations_of_namespaces_count() {
    let containers = "[{container: {name: proxy, image: p}, userOfNamespace: true}]";
    let ran = inject(
        "SidecarInjection",
        &format!("{{mode: Always, add: {{containers: {containers}}}}}"),
        &format!("{{{APP}}}"),
    );
    assert!(ran.output.contains("\"runAsUser\":1000680000"), "{}{}", ran.output, ran.errors);
}

#[test]
fn limit_ranges_and_priority_classes_count() {
    let ran = inject("PodDefaults", "{resources: {containers: {limits: {memory: 1Gi}}}}", &format!("{{{APP}}}"));
    assert!(
        ran.output.contains("128Mi") && ran.errors.contains(r#"memory, LimitRange "limits": the amount"#),
        "{}{}",
        ran.output,
        ran.errors
    );
    let ran = inject("PodDefaults", "{scheduling: {priorityClassName: high}}", &format!("{{{APP}}}"));
    assert!(ran.output.contains("\"priority\":100"), "{}{}", ran.output, ran.errors);
}

#[test]
fn runtime_classes_count() {
    let of =
        |class: &str, pod: &str| inject("PodDefaults", &format!("{{scheduling: {{runtimeClassName: {class}}}}}"), pod);
    let ran = of("kata", &format!("{{{APP}}}"));
    assert!(ran.output.contains("\"runtimeClassName\":\"kata\""), "{}{}", ran.output, ran.errors);
    assert!(!ran.output.contains("overhead"), "{}", ran.output);
    assert!(ran.errors.contains("runtime class \"kata\", cpu +250m"), "{}", ran.errors);
    let elsewhere = of("kata", &format!("{{nodeSelector: {{runtime: other}}, {APP}}}"));
    assert!(elsewhere.errors.contains("(runtime_class_unfit)"), "{}", elsewhere.errors);
    let missing = of("firecracker", &format!("{{{APP}}}"));
    assert!(missing.errors.contains("(runtime_class_missing)"), "{}", missing.errors);
}

#[test]
fn what_is_of_no_use_there_is_refused_with_its_place() {
    for (object, expected) in [
        (
            "kind: Secret\napiVersion: v1\nmetadata: {name: s}\n",
            "cluster.yaml:1:1: found Secret; only objects of the kinds",
        ),
        ("apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: k}\nscheduling: 7\n", "cluster.yaml:1:1: "),
        ("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n  annotations: {a: 7}\n", "cluster.yaml:5:"),
    ] {
        let folder = folder(&[("cluster.yaml", object), ("pod.yaml", "")]);
        let flags = ["inject", "pod.yaml", "--policies", "mesh.yaml", "--namespaces", "cluster.yaml"];
        let ran = run(folder.path(), &flags, "");
        assert_eq!(ran.code, 2, "{}", ran.errors);
        assert!(ran.errors.contains(expected), "{}", ran.errors);
    }
}
