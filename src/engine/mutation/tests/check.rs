//! The self-check: what the API server would refuse of a result is found, unless the original had it too.

use serde_json::{Value, json};

use crate::engine::mutation::check::{Harmless, Standard, fault};
use crate::engine::mutation::{Node, Reason};
use crate::engine::pod_security::LevelVersion;

fn found(original: &Value, result: &Value) -> Option<(Reason, String)> {
    let (original, result) = edited(original, result);
    let harmless = Harmless::default();
    let standard = Standard::new(LevelVersion::PRIVILEGED, &harmless).accepting(&original);
    fault(&|| original.clone(), &result, &standard).map(|fault| (fault.reason, fault.about))
}

/// The original, and the same with the metadata and the spec of the result.
fn edited(original: &Value, result: &Value) -> (Node<'static>, Node<'static>) {
    let original = Node::new(original.to_string());
    let mut edited = original.clone();
    for field in ["metadata", "spec"] {
        edited.set(field, result[field].to_string());
    }
    (original, edited)
}

fn pod(spec: Value) -> Value {
    json!({"metadata": {"name": "web"}, "spec": spec})
}

/// Results that are no pods, each with what is said of it.
fn broken() -> Vec<(Value, &'static str)> {
    let one = |further: Value| {
        let mut container = json!({"name": "a", "image": "a"});
        for (key, value) in further.as_object().expect("an object") {
            container[key] = value.clone();
        }
        json!({"containers": [container], "volumes": [{"name": "v", "emptyDir": {}}]})
    };
    let mount = |volume: &str| json!({"name": volume, "mountPath": "/m"});
    let mut probed = one(json!({}));
    probed["initContainers"] = json!([{"name": "i", "image": "i", "readinessProbe": {}}]);
    vec![
        (json!({"containers": [{"name": "a"}], "initContainers": [{"name": "a"}]}), "two of container \"a\""),
        (json!({"containers": [], "volumes": [{"name": "v"}, {"name": "v"}]}), "two of volume \"v\""),
        (json!({"containers": [{"name": "Not_A_Name"}]}), "\"Not_A_Name\" is no name"),
        (one(json!({"volumeMounts": [mount("absent")]})), "mounts the volume \"absent\", which is not there"),
        (one(json!({"volumeMounts": [mount("v"), mount("v")]})), "two of mount of container \"a\" at \"/m\""),
        (one(json!({"env": [{"value": "x"}]})), "has a variable without a name"),
        (
            one(json!({"securityContext": {"privileged": true, "allowPrivilegeEscalation": false}})),
            "forbids the privileges",
        ),
        (probed, "the init container \"i\" has a readinessProbe"),
    ]
}

#[test]
fn a_result_that_the_api_server_would_refuse_is_found() {
    let original = pod(json!({"containers": [{"name": "a", "image": "a"}]}));
    for (spec, text) in broken() {
        let (reason, about) = found(&original, &pod(spec)).unwrap_or_else(|| panic!("nothing is found: {text}"));
        assert_eq!(reason, Reason::SelfCheckFailed);
        assert!(about.contains(text), "{about}");
    }
}

#[test]
fn what_was_wrong_before_is_not_our_fault() {
    for (spec, text) in broken() {
        assert_eq!(found(&pod(spec.clone()), &pod(spec)), None, "{text}");
    }
}

#[test]
fn annotations_of_more_than_the_api_server_takes_are_found() {
    let mut large = pod(json!({"containers": [{"name": "a", "image": "a"}]}));
    let original = large.clone();
    large["metadata"]["annotations"] = json!({"a": "x".repeat(256 << 10)});
    let (reason, about) = found(&original, &large).expect("a fault");
    assert!(about.starts_with("the annotations have more than"), "{about}");
    assert_eq!(reason, Reason::AnnotationsFull, "most of them are not ours");
}

#[test]
fn a_result_that_does_not_decode_is_found_unless_the_original_did_not_either() {
    let with_image = |image: Value| pod(json!({"containers": [{"name": "a", "image": image}]}));
    let fault_of = |original: &Value, result: &Value| {
        let (original, result) = edited(original, result);
        let harmless = Harmless::default();
        let standard = Standard::new(LevelVersion::RESTRICTED, &harmless).accepting(&original);
        fault(&|| original.clone(), &result, &standard).map(|fault| fault.about)
    };
    let (good, odd) = (with_image(json!("a")), with_image(json!(1)));
    assert_eq!(fault_of(&good, &odd).as_deref(), Some("the result does not decode"));
    assert_eq!(fault_of(&odd, &odd), None);
}
