//! What `render` makes of its options.

use std::collections::BTreeSet;

use clap::Parser;
use serde_json::{Value, json};

use super::*;

#[derive(Parser)]
struct Render {
    #[command(flatten)]
    arguments: Arguments,
}

fn parsed(arguments: &[&str]) -> Result<Arguments, String> {
    let words = [&["render"], arguments].concat();
    Render::try_parse_from(words).map(|render| render.arguments).map_err(|error| error.to_string())
}

fn rendered(arguments: &[&str]) -> Vec<Value> {
    parsed(arguments).expect("arguments").objects().expect("objects")
}

fn deployment(objects: &[Value]) -> &Value {
    objects.iter().find(|object| object["kind"] == "Deployment").expect("a Deployment")
}

fn arguments_of(objects: &[Value]) -> Vec<&str> {
    let arguments = &deployment(objects)["spec"]["template"]["spec"]["containers"][0]["args"];
    arguments.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn options_change_the_deployment() {
    let options = [
        "--image",
        "example/p@sha256:0",
        "--replicas",
        "7",
        "--mode=audit",
        "--release",
        "gate",
        "--",
        "--workloads=deny",
    ];
    let objects = rendered(&options);
    assert_eq!(arguments_of(&objects), ["serve", "--threads=4", "--mode=audit", "--release=gate", "--workloads=deny"]);
    let spec = &deployment(&objects)["spec"];
    assert_eq!(
        (&spec["replicas"], &spec["template"]["spec"]["containers"][0]["image"]),
        (&json!(7), &json!("example/p@sha256:0"))
    );
}

#[test]
fn the_image_is_this_version() {
    let image = format!("portcullis:{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(deployment(&rendered(&[]))["spec"]["template"]["spec"]["containers"][0]["image"], image);
}

#[test]
fn another_release_in_another_namespace_shares_nothing_but_the_definitions() {
    let identities = |objects: Vec<Value>| -> BTreeSet<String> {
        let place = |object: &Value| {
            format!("{} {} {}", object["kind"], object["metadata"]["namespace"], object["metadata"]["name"])
        };
        objects.iter().map(place).collect()
    };
    let (one, other) = (identities(rendered(&[])), identities(rendered(&["--release=gate", "--namespace=gate"])));
    assert_eq!(one.len(), other.len());
    let shared: Vec<_> = one.intersection(&other).collect();
    assert!(shared.len() == 2 && shared.iter().all(|object| object.contains("CustomResourceDefinition")), "{shared:?}");
}

#[test]
fn a_given_certificate_is_read_and_no_secret_is_written() {
    for (options, secret) in [
        (&["--certificates=given"][..], "portcullis-tls"),
        (&["--certificates=given", "--release=gate"], "gate-tls"),
        (&["--certificates=given", "--release=gate", "--certificate-secret=portcullis-mine"], "portcullis-mine"),
        (&["--certificates=cert-manager"], "portcullis-tls"),
    ] {
        let objects = rendered(options);
        assert!(arguments_of(&objects).contains(&format!("--certificate-secret={secret}").as_str()), "{options:?}");
        let rules = objects.iter().filter(|object| object["kind"] == "Role").flat_map(|role| role["rules"].as_array());
        let secrets: Vec<&Value> = rules.flatten().filter(|rule| rule["resources"] == json!(["secrets"])).collect();
        let expected = json!({
            "apiGroups": [""], "resources": ["secrets"], "resourceNames": [secret], "verbs": ["get", "watch"],
        });
        assert_eq!(secrets, [&expected], "{options:?}");
    }
}

#[test]
fn a_configuration_is_mounted_and_replaces_the_pods_when_it_changes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/pod-security/baseline.yaml");
    let objects = rendered(&["--config", path]);
    assert!(arguments_of(&objects).contains(&"--config=/etc/portcullis/configuration.yaml"));
    let map = objects.iter().find(|object| object["metadata"]["name"] == "portcullis-configuration").expect("a map");
    assert_eq!(map["data"]["configuration.yaml"], std::fs::read_to_string(path).expect("a file"));
    let annotations = &deployment(&objects)["spec"]["template"]["metadata"]["annotations"];
    let mark = annotations["portcullis.dev/configuration"].as_str().expect("a mark");
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/pod-security/restricted.yaml");
    let objects = rendered(&["--config", other]);
    let annotations = &deployment(&objects)["spec"]["template"]["metadata"]["annotations"];
    assert_ne!(annotations["portcullis.dev/configuration"], mark);
    assert_eq!(adler32("Wikipedia"), 0x11E6_0398);
}

#[test]
fn what_could_not_be_installed_is_refused() {
    let error = |arguments: &[&str]| match parsed(arguments) {
        Err(text) => text,
        Ok(arguments) => format!("{:#}", arguments.objects().expect_err("a refusal")),
    };
    for (arguments, said) in [
        (&["--namespace=kube-system"][..], "choose a namespace of its own"),
        (&["--release=Gate"], "lower-case letters"),
        (&["--image=a b"], "a reference such as"),
        (&["--replicas=0"], "0"),
        (&["--certificate-secret=a"], "--certificates given"),
        (&["--", "--workload=deny"], "--workloads"),
        (&["--config=Cargo.toml"], "Cargo.toml:"),
        (&["--config=nowhere.yaml"], "cannot read nowhere.yaml"),
    ] {
        let text = error(arguments);
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
