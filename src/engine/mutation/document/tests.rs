//! Documents are read strictly, and every flaw has its path.

use super::*;

fn flaw(json: &str) -> String {
    Document::read(json).expect_err("a flaw").to_string()
}

fn injection(spec: &str) -> String {
    format!(r#"{{"apiVersion":"portcullis.dev/v1","kind":"SidecarInjection","metadata":{{"name":"n"}},"spec":{spec}}}"#)
}

#[test]
fn reads_what_it_knows() {
    let spec = r#"{"mode":"OptIn","enablement":{"podLabels":["inject"]},"add":{"containers":[
        {"container":{"name":"c","image":"i","future":[1]},"placement":{"kind":"Native","order":{"before":["*"]}},
         "resources":{"requests":{"cpu":{"percent":5,"min":"10m"},"memory":"32Mi"},"limits":{"cpu":{"fromRequest":1.5}}}}]}}"#;
    let document = Document::read(&injection(spec)).expect("a document");
    let Spec::SidecarInjection(injection) = document.spec else { panic!("another kind") };
    let sidecar = &injection.add.containers[0];
    assert_eq!(sidecar.container["future"][0], 1);
    let Amount::Derived(cpu) = &sidecar.resources.requests["cpu"] else { panic!("no proportion") };
    assert_eq!(cpu.percent, Some(Ratio("5".to_owned())));
    assert_eq!(sidecar.resources.requests["memory"], Amount::Quantity(QuantityText("32Mi".to_owned())));
}

#[test]
fn every_flaw_has_its_path() {
    assert_eq!(flaw("{}"), format!("apiVersion: must be {API_VERSION}, not \"\""));
    let unknown = flaw(&injection(r#"{"add":{"containers":[{"container":{},"cel":"x"}]}}"#));
    assert!(unknown.starts_with("spec.add.containers[0].cel: unknown field `cel`"), "{unknown}");
    let wrong = flaw(&injection(r#"{"mode":"Sometimes"}"#));
    assert!(wrong.starts_with("spec.mode: unknown variant `Sometimes`, expected one of"), "{wrong}");
    let amount = flaw(&injection(
        r#"{"add":{"containers":[{"container":{},"resources":{"limits":{"cpu":{"fromrequest":2}}}}]}}"#,
    ));
    assert!(amount.starts_with("spec.add.containers[0].resources.limits.cpu.fromrequest: unknown field"), "{amount}");
    let meant = flaw(&injection(r#"{"enablment":{}}"#));
    assert_eq!(meant, "spec.enablment: unknown field `enablment`; did you mean `enablement`?");
    let meant = flaw(&injection(r#"{"mode":"Optin"}"#));
    assert_eq!(meant, "spec.mode: unknown variant `Optin`; did you mean `OptIn`?");
    let kind = flaw(r#"{"apiVersion":"portcullis.dev/v1","kind":"Sidecar","metadata":{"name":"n"},"spec":{}}"#);
    assert_eq!(kind, "kind: must be PodDefaults or SidecarInjection, not \"Sidecar\"");
}
