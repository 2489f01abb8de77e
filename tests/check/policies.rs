//! What an object is judged by: labels, then flags, then the configuration, then the restricted level.

use super::{BAD, GOOD, folder, judged, verdicts};

const NAMESPACE: &str = "apiVersion: v1
kind: Namespace
metadata:
  name: default
  labels:
    pod-security.kubernetes.io/enforce: privileged
    portcullis.dev/workloads: warn
";

const CONFIGURATION: &str = "apiVersion: pod-security.admission.config.k8s.io/v1
kind: PodSecurityConfiguration
defaults: {enforce: privileged}
exemptions: {namespaces: [kube-system]}
";

#[test]
fn a_bare_check_judges_by_the_restricted_level() {
    let files =
        folder(&[("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n")]);
    let (code, elements) = judged(files.path(), &["a.yaml"]);
    assert_eq!((code, verdicts(&elements)), (1, vec!["Pod a deny".to_owned()]));
    let message = elements[0]["message"].as_str().expect("a message");
    assert!(
        message.starts_with("violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false ("),
        "{message}"
    );
    assert_eq!(elements[0]["namespace"], "default");
}

#[test]
fn flags_set_level_and_version() {
    let files = folder(&[("a.yaml", BAD)]);
    assert_eq!(judged(files.path(), &["--level", "privileged", "a.yaml"]).0, 0);
    let (_, elements) = judged(files.path(), &["--level", "baseline", "--version", "v1.5", "a.yaml"]);
    assert_eq!(elements[0]["message"], "violates PodSecurity \"baseline:v1.5\": host namespaces (hostPID=true)");
}

#[test]
fn a_namespace_among_the_inputs_beats_flags_and_file_wherever_it_stands() {
    let strict = NAMESPACE.replace("privileged", "restricted");
    let files = folder(&[("in/a.yaml", BAD), ("in/z.yaml", NAMESPACE), ("namespaces.yaml", &strict)]);
    let arguments = ["--level", "restricted", "--namespaces", "namespaces.yaml", "in"];
    let (code, elements) = judged(files.path(), &arguments);
    assert_eq!(
        (code, verdicts(&elements)),
        (0, vec!["Pod bad allow".to_owned(), "Namespace default allow".to_owned()])
    );
}

#[test]
fn labels_that_only_warn_of_workloads_do_not_keep_them_from_being_judged() {
    let enforced = NAMESPACE.replace("privileged", "baseline");
    let deployment =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {template: {spec: {hostPID: true}}}\n";
    let files = folder(&[("a.yaml", deployment), ("b.yaml", &enforced)]);
    let (code, elements) = judged(files.path(), &["."]);
    assert_eq!((code, elements[0]["verdict"].as_str()), (1, Some("deny")));
    assert_eq!(elements[0]["violations"][0]["path"], "spec.template.spec.hostPID");
}

#[test]
fn a_namespace_that_the_file_lacks_is_a_note_and_the_defaults_hold() {
    let files = folder(&[("in/a.json", GOOD), ("in/b.yaml", BAD), ("namespaces.yaml", NAMESPACE)]);
    let arguments = ["--namespaces", "namespaces.yaml", "--namespace", "elsewhere", "in"];
    let (code, elements) = judged(files.path(), &arguments);
    assert_eq!((code, verdicts(&elements)), (1, vec!["Pod good allow".to_owned(), "Pod bad deny".to_owned()]));
    assert_eq!(elements[0]["notes"][0], "its namespace \"elsewhere\" is not listed; judged by the defaults");
    let report = super::text(&super::run(files.path(), &arguments).stdout);
    assert!(report.contains("note: namespace \"elsewhere\" is not listed"), "{report}");
}

#[test]
fn flags_beat_the_defaults_of_a_configuration_but_not_its_exemptions() {
    let files = folder(&[("in/a.yaml", BAD), ("config.yaml", CONFIGURATION)]);
    assert_eq!(judged(files.path(), &["--config", "config.yaml", "in"]).0, 0);
    assert_eq!(judged(files.path(), &["--config", "config.yaml", "--level", "baseline", "in"]).0, 1);
    let exempt = ["--config", "config.yaml", "--level", "baseline", "--namespace", "kube-system", "in"];
    let (code, elements) = judged(files.path(), &exempt);
    assert_eq!((code, elements[0]["notes"][0].as_str()), (0, Some("exempt by its namespace, so not judged")));
}

#[test]
fn warnings_alone_are_clean() {
    let warned = NAMESPACE.replace("enforce", "warn").replace("privileged", "baseline");
    let files = folder(&[("a.yaml", BAD), ("b.yaml", &warned)]);
    let (code, elements) = judged(files.path(), &["--level", "privileged", "."]);
    assert_eq!((code, elements[0]["verdict"].as_str()), (0, Some("allow")));
    assert_eq!(
        elements[0]["warnings"][0],
        "would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true)"
    );
    assert_eq!(elements[0]["violations"], serde_json::json!([]));
}

#[test]
fn labels_that_the_api_server_would_refuse_are_refused() {
    let wrong = NAMESPACE.replace("privileged", "Restricted");
    let files = folder(&[("a.yaml", wrong)]);
    let (code, elements) = judged(files.path(), &["a.yaml"]);
    assert_eq!((code, verdicts(&elements)), (1, vec!["Namespace default deny".to_owned()]));
    assert!(elements[0]["message"].as_str().is_some_and(|message| message.contains("must be one of privileged")));
}
