//! Documents are read strictly, and every flaw has its path.

use super::*;

fn flaw(json: &str) -> String {
    flaws(json).remove(0)
}

fn flaws(json: &str) -> Vec<String> {
    Document::read(json).expect_err("flaws").iter().map(ToString::to_string).collect()
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
    let name = flaw(&injection("{}").replace("\"n\"", "\"Log_Shipper\""));
    assert!(name.starts_with("metadata.name: \"Log_Shipper\" is no name of an object: "), "{name}");
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

#[test]
fn every_flaw_is_told_at_once_with_what_to_write_instead() {
    let spec = r#"{"mode":"optin","containers":[],"enablement":{"podLabels":"a.io/b","podAnnotations":{"a":"b"}},
        "failure":{"verify":false},"precedence":"5","match":{"conditions":[]},
        "add":{"containers":[{"name":"c","image":"i"},{"container":{},"env":[{"name":"A","value":"b"}]}],
            "volumes":[{"emptyDir":{},"volume":{}}],"pod":{"labels":{"a":true,"b":5,"c":"d"},"defaultContainer":"yes"}}}"#;
    let told = flaws(&injection(spec));
    let expected = [
        "spec.add.containers[0].image: unknown field `image`: it belongs into `container`",
        "spec.add.containers[0].name: unknown field `name`: it belongs into `container`",
        "spec.add.containers[0].container: must be given",
        "spec.add.containers[1].env[0].value: unknown field `value`: a variable that has one stands in `env` of the `container` itself",
        "spec.add.containers[1].env[0].from: must be given",
        "spec.add.pod.defaultContainer: must be true or false, not \"yes\"",
        "spec.add.pod.labels.a: must be a text, not true: put it in quotes, as YAML reads y, yes and on as true",
        "spec.add.pod.labels.b: must be a text: write \"5\", in quotes",
        "spec.add.volumes[0].emptyDir: unknown field `emptyDir`: it belongs into `volume`",
        "spec.containers: unknown field `containers`: it belongs into `add` or `match`",
        "spec.enablement.podAnnotations: must be a list, not a map: write each element behind a `-`",
        "spec.enablement.podLabels: must be a list: write [a.io/b]",
        "spec.failure.verify: must be one of `Off`, `Warn`, `Deny`, not false: write \"Off\" in quotes, as YAML reads it as false",
        "spec.match.conditions: unknown field `conditions`: there are no expressions yet",
        "spec.mode: unknown variant `optin`; did you mean `OptIn`?",
        "spec.precedence: must be a whole number: write 5, without quotes",
    ];
    assert_eq!(told, expected);
    let defaults = r#"{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"n"},
        "spec":{"resources":{"requests":{}},"tolerations":[],"dns":{"options":[]},
        "security":{"runAsNonRoot":true,"readOnlyRootFilesystem":true}}}"#;
    let expected = [
        "spec.dns.options: must be a map such as `name: value`, not a list",
        "spec.resources.requests: unknown field `requests`: it belongs into `containers` or `initContainers`",
        "spec.security.readOnlyRootFilesystem: must be a map of `writable`, not true",
        "spec.security.runAsNonRoot: must be one of `WhenUserIsKnown`, `Always`, not true",
        "spec.tolerations: unknown field `tolerations`: it belongs into `scheduling`",
    ];
    assert_eq!(flaws(defaults), expected);
    let without = r#"{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{"name":"n"}}"#;
    assert_eq!(flaws(without), ["spec: must be given"]);
}
