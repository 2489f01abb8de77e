//! The API server's defaults.

use super::super::apply_api_defaults;
use super::{compact, tree};

fn defaulted(text: &str) -> String {
    let mut object = tree(text);
    apply_api_defaults(&mut object);
    compact(&object)
}

/// The defaulted pod spec of a Pod with this spec.
fn defaulted_spec(spec: &str) -> String {
    let pod = defaulted(&format!(r#"{{"kind":"Pod","spec":{spec}}}"#));
    pod.strip_prefix(r#"{"kind":"Pod","spec":"#).and_then(|pod| pod.strip_suffix('}')).unwrap().to_owned()
}

#[test]
fn a_volume_without_a_source_is_an_empty_dir() {
    let cases = [
        (r#"{"name":"v"}"#, r#"{"name":"v","emptyDir":{}}"#),
        (r#"{"name":"v","hostPath":null}"#, r#"{"name":"v","hostPath":null,"emptyDir":{}}"#),
        (r#"{"name":"v","emptyDir":null}"#, r#"{"name":"v","emptyDir":{}}"#),
        ("null", r#"{"emptyDir":{}}"#),
        (r#"{"name":"v","hostPath":{}}"#, r#"{"name":"v","hostPath":{}}"#),
        (r#"{"name":"v","newSource":{}}"#, r#"{"name":"v","newSource":{}}"#),
        (r#"{"name":"v","newSource":null}"#, r#"{"name":"v","newSource":null}"#),
        (r#""v""#, r#""v""#),
    ];
    for (volume, expected) in cases {
        assert_eq!(defaulted_spec(&format!(r#"{{"volumes":[{volume}]}}"#)), format!(r#"{{"volumes":[{expected}]}}"#));
    }
}

#[test]
fn the_host_network_of_a_pod_takes_the_ports_of_its_containers() {
    let cases = [
        (r#"{"containerPort":80}"#, r#"{"containerPort":80,"hostPort":80}"#),
        (r#"{"containerPort":80,"hostPort":0}"#, r#"{"containerPort":80,"hostPort":80}"#),
        (r#"{"containerPort":80,"hostPort":null}"#, r#"{"containerPort":80,"hostPort":80}"#),
        (r#"{"containerPort":80,"hostPort":90}"#, r#"{"containerPort":80,"hostPort":90}"#),
        (r#"{"name":"p"}"#, r#"{"name":"p"}"#),
        (r#"{"containerPort":"80"}"#, r#"{"containerPort":"80"}"#),
    ];
    for (port, expected) in cases {
        for list in ["containers", "initContainers"] {
            let spec = |port: &str| format!(r#"{{"hostNetwork":true,"{list}":[{{"ports":[{port}]}}]}}"#);
            assert_eq!(defaulted_spec(&spec(port)), spec(expected));
        }
        for unchanged in [
            format!(r#"{{"hostNetwork":true,"ephemeralContainers":[{{"ports":[{port}]}}]}}"#),
            format!(r#"{{"hostNetwork":false,"containers":[{{"ports":[{port}]}}]}}"#),
            format!(r#"{{"containers":[{{"ports":[{port}]}}]}}"#),
        ] {
            assert_eq!(defaulted_spec(&unchanged), unchanged);
        }
    }
}

#[test]
fn workloads_have_the_defaults_of_templates() {
    let template =
        r#"{"spec":{"hostNetwork":true,"containers":[{"ports":[{"containerPort":80}]}],"volumes":[{"name":"v"}]}}"#;
    let expected = template.replace(r#""name":"v""#, r#""name":"v","emptyDir":{}"#);
    let in_spec = |kind: &str, template: &str| format!(r#"{{"kind":"{kind}","spec":{{"template":{template}}}}}"#);
    for kind in ["ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job"] {
        assert_eq!(defaulted(&in_spec(kind, template)), in_spec(kind, &expected));
    }
    let pod_template = |template: &str| format!(r#"{{"kind":"PodTemplate","template":{template}}}"#);
    assert_eq!(defaulted(&pod_template(template)), pod_template(&expected));
    let cron_job = |template: &str| {
        format!(r#"{{"kind":"CronJob","spec":{{"jobTemplate":{{"spec":{{"template":{template}}}}}}}}}"#)
    };
    assert_eq!(defaulted(&cron_job(template)), cron_job(&expected));
    let other = in_spec("Service", template);
    assert_eq!(defaulted(&other), other);
}
