//! What is decided is said by reason codes; what is refused or cannot be read stays as it was and hides nothing.

use super::{DEPLOYMENT, MESH, Ran, folder, names, piped, run, trees};

fn inject(folder: &std::path::Path, further: &[&str]) -> Ran {
    run(folder, &[&["inject"], further].concat(), "")
}

/// Three documents, of which this is the one in the middle.
fn between(text: &str) -> String {
    format!("{DEPLOYMENT}---\n{text}---\n{DEPLOYMENT}")
}

/// The first and the last document have the sidecar, and the text between them is what it was.
fn assert_left_alone(text: &str, output: &str) {
    let injected = piped("inject", DEPLOYMENT);
    assert_eq!(output, format!("{injected}---\n{text}---\n{injected}"));
}

#[test]
fn what_was_decided_is_explained_by_reason_codes() {
    let folder = folder(&[("web.yaml", DEPLOYMENT)]);
    let ran = inject(folder.path(), &["--explain", "web.yaml", "--policies", "mesh.yaml"]);
    let expected =
        "web.yaml:2: Deployment/web: SidecarInjection/mesh: mesh/inject: its label asks for it (pod_label)\n";
    assert_eq!((ran.code, ran.errors.as_str()), (0, expected));
    let quiet = DEPLOYMENT.replace("mesh/inject: 'true'", "tier: front");
    std::fs::write(folder.path().join("web.yaml"), quiet).expect("written");
    let ran = inject(folder.path(), &["--explain", "web.yaml", "--policies", "mesh.yaml", "--namespace", "shop"]);
    let expected = "web.yaml:2: Deployment/web: SidecarInjection/mesh: pod: neither it nor its namespace asks for it \
                    (opted_out_by_default)\n";
    assert_eq!((ran.code, ran.errors.as_str()), (0, expected));
}

#[test]
fn a_refused_pod_is_written_as_it_was_with_exit_code_1() {
    for (text, code) in [
        (DEPLOYMENT.replace("name: web\n          image", "name: proxy\n          image"), "container_name_taken"),
        (DEPLOYMENT.replace("'true'", "'yes'"), "invalid_choice"),
    ] {
        assert_ne!(text, DEPLOYMENT);
        let folder = folder(&[("web.yaml", between(&text))]);
        let ran = inject(folder.path(), &["web.yaml", "--policies", "mesh.yaml"]);
        assert_eq!(ran.code, 1, "{}", ran.errors);
        assert_left_alone(&text, &ran.output);
        let line = DEPLOYMENT.lines().count() + 3;
        assert!(ran.errors.starts_with(&format!("web.yaml:{line}: Deployment/web: refused: ")), "{}", ran.errors);
        assert!(ran.errors.ends_with(&format!("({code})\n")), "{}", ran.errors);
    }
}

#[test]
fn a_document_that_cannot_be_read_leaves_the_others_with_exit_code_2() {
    let torn = "apiVersion: v1\nkind: Pod\nmetadata: {name: [}\n";
    let folder = folder(&[("web.yaml", between(torn))]);
    let ran = inject(folder.path(), &["web.yaml", "--policies", "mesh.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.errors);
    assert_left_alone(torn, &ran.output);
    let line = DEPLOYMENT.lines().count() + 4;
    assert!(ran.errors.starts_with(&format!("web.yaml:{line}:")), "{}", ran.errors);
}

#[test]
fn a_file_that_cannot_be_read_leaves_the_others() {
    let folder = folder(&[("bytes.yaml", &[0xFF, 0xFE][..]), ("web.yaml", DEPLOYMENT.as_bytes())]);
    let arguments = ["absent.yaml", "bytes.yaml", "web.yaml", "--policies", "mesh.yaml"];
    let ran = inject(folder.path(), &arguments);
    assert_eq!((ran.code, ran.output.as_str()), (2, piped("inject", DEPLOYMENT).as_str()));
    let files: Vec<&str> = ran.errors.lines().filter_map(|line| line.split(": cannot be read: ").next()).collect();
    assert_eq!(files, ["absent.yaml", "bytes.yaml"], "{}", ran.errors);
}

#[test]
fn a_template_that_stands_for_an_anchor_is_left_with_a_reason() {
    let shared = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, data: &pod {metadata: {labels: {mesh/inject: 'true'}}, spec: {containers: [{name: a}]}}}
- {apiVersion: v1, kind: PodTemplate, metadata: {name: t}, template: *pod}
";
    let folder = folder(&[("web.yaml", between(shared))]);
    let ran = inject(folder.path(), &["web.yaml", "--policies", "mesh.yaml"]);
    assert_eq!(ran.code, 2);
    assert_left_alone(shared, &ran.output);
    assert!(ran.errors.contains("PodTemplate/t: left as it is: ") && ran.errors.contains("anchor"), "{}", ran.errors);
}

#[test]
fn documents_with_flaws_are_refused_with_their_places_before_anything_is_done() {
    let flawed = "\
apiVersion: portcullis.dev/v1
kind: SidecarInjection
metadata: {name: flawed}
spec:
  add:
    containers:
    - container:
        name: side
        image: side:1
        volumeMounts: [{name: absent, mountPath: /a}]
---
apiVersion: portcullis.dev/v1
kind: PodDefaults
metadata: {name: unknown}
spec:
  modus: Always
";
    let folder = folder(&[("flawed.yaml", flawed), ("web.yaml", DEPLOYMENT)]);
    for command in ["inject", "uninject"] {
        let ran = run(folder.path(), &[command, "web.yaml", "--policies", "flawed.yaml"], "");
        assert_eq!((ran.code, ran.output.as_str()), (2, ""));
        assert!(ran.errors.contains("flawed.yaml:10:"), "{}", ran.errors);
        assert!(ran.errors.contains("flawed.yaml:16:"), "{}", ran.errors);
    }
    let ran = inject(folder.path(), &["web.yaml", "--policies", "web.yaml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("web.yaml: holds no document of portcullis.dev/v1"), "{}", ran.errors);
    assert_eq!(inject(folder.path(), &["web.yaml"]).code, 2, "nothing to carry out");
}

#[test]
fn documents_that_refuse_each_other_s_pods_are_refused_where_the_second_stands() {
    let other = MESH.replace("name: mesh}", "name: other}").replace("proxy:1", "proxy:2");
    let folder = folder(&[("other.yaml", other.as_str()), ("web.yaml", DEPLOYMENT)]);
    let ran = inject(folder.path(), &["web.yaml", "--policies", "mesh.yaml", "--policies", "other.yaml"]);
    let told = "portcullis: other.yaml:9:25: spec.add.containers[0].container.name: SidecarInjection/mesh adds another container";
    assert_eq!((ran.code, ran.output.as_str()), (2, ""));
    assert!(ran.errors.starts_with(told), "{}", ran.errors);
}

#[test]
fn namespaces_say_yes_for_their_workloads() {
    let namespace = |name: &str, value: &str| {
        format!(
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{mesh/inject: '{value}'}}}}\n"
        )
    };
    let namespaces = namespace("shop", "true") + &namespace("bank", "false");
    let deployment = DEPLOYMENT.replace("        mesh/inject: 'true'\n", "");
    let folder = folder(&[("web.yaml", deployment.as_str()), ("namespaces.yaml", &namespaces)]);
    let within = |namespace: &str| {
        let flags = ["--policies", "mesh.yaml", "--namespaces", "namespaces.yaml", "--namespace", namespace];
        inject(folder.path(), &[&["web.yaml", "--explain"], &flags[..]].concat())
    };
    let shop = within("shop");
    assert_eq!(names(&trees(&shop.output)[0]["spec"]["template"]["spec"]["initContainers"]), ["proxy"]);
    assert!(shop.code == 0 && shop.errors.ends_with("(namespace_label)\n"), "{}", shop.errors);
    let bank = within("bank");
    assert_eq!((bank.code, bank.output.as_str()), (0, deployment.as_str()));
    let unknown = within("elsewhere");
    assert_eq!((unknown.code, unknown.output.as_str()), (2, deployment.as_str()));
    assert!(unknown.errors.contains("\"elsewhere\" is not among those of --namespaces"), "{}", unknown.errors);
}

#[test]
fn what_a_namespace_enforces_the_result_is_held_against() {
    let volume = "volume: {name: logs, hostPath: {path: /var/log}}";
    let host = MESH.replace("volume: {name: logs, emptyDir: {}}", volume);
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {pod-security.kubernetes.io/enforce: baseline}}\n";
    let folder = folder(&[("host.yaml", host.as_str()), ("web.yaml", DEPLOYMENT), ("namespaces.yaml", namespace)]);
    let ran = inject(folder.path(), &["web.yaml", "--policies", "host.yaml", "--namespaces", "namespaces.yaml"]);
    assert_eq!((ran.code, ran.output.as_str()), (1, DEPLOYMENT));
    assert!(ran.errors.ends_with("(would_violate_pod_security)\n"), "{}", ran.errors);
    assert_eq!(inject(folder.path(), &["web.yaml", "--policies", "host.yaml"]).code, 0);
}
