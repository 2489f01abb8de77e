//! E7: what pods may set otherwise, and what they may not however they write it.

use serde_json::json;

use super::*;

fn shipper(on_invalid: &str) -> Injection {
    let container = json!({"env": [{"name": "LEVEL", "value": "info"}], "resources": {
        "requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}});
    let spec = json!({
        "enablement": {"podAnnotations": ["logs.example/inject"]},
        "add": {"containers": [sidecar("shipper", json!({"container": container}))]},
        "overrides": {"prefix": "logs.example/", "onInvalid": on_invalid, "fields": [
            {"key": "cpu-request", "container": "shipper", "set": {"request": "cpu"}, "type": {"quantity": {"min": "5m", "max": "400m"}}},
            {"key": "memory-limit", "container": "shipper", "set": {"limit": "memory"}, "type": {"quantity": {"max": "1Gi"}}},
            {"key": "level", "container": "shipper", "set": {"env": "LEVEL"}, "type": {"enum": {"values": ["info", "debug"]}}},
            {"key": "title", "container": "shipper", "set": {"env": "TITLE"}, "type": {"text": {"maxLength": 20}}},
            {"key": "workers", "container": "shipper", "set": {"env": "WORKERS"}, "type": {"integer": {"min": 1, "max": 8}}},
            {"key": "fast", "container": "shipper", "set": {"env": "FAST"}, "type": {"boolean": {}}},
            {"key": "image", "container": "shipper", "set": "image", "type": {"image": {"allow": ["registry.example/*", "mirror.example/**:v1"]}}},
        ]},
    });
    document(&spec).expect("a document without flaws")
}

fn asking(key: &str, value: &str) -> Value {
    let mut pod = app();
    merge(
        &mut pod,
        json!({"metadata": {"annotations": {format!("logs.example/{key}"): value, "logs.example/inject": "true"}}}),
    );
    pod
}

#[test]
fn e7_one_field_is_set_and_all_others_keep_their_values() {
    let admitted = admit(&shipper("Deny"), &asking("cpu-request", "300m"));
    let resources = &admitted.container("shipper")["resources"];
    assert_eq!(
        *resources,
        json!({"requests": {"cpu": "300m", "memory": "64Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}})
    );
    assert_eq!(admitted.env("shipper"), pairs(&[("LEVEL", "info")]));
}

#[test]
fn e7_values_within_bounds_go_where_they_belong() {
    let set = |key: &str, value: &str| admit(&shipper("Deny"), &asking(key, value));
    assert_eq!(set("level", "debug").env("shipper"), pairs(&[("LEVEL", "debug")]));
    assert_eq!(set("workers", "8").env("shipper")[1].1, "8");
    assert_eq!(set("fast", "true").env("shipper")[1].1, "true");
    assert_eq!(set("title", "\"a\": {b} $(LEVEL)").env("shipper")[1].1, "\"a\": {b} $$(LEVEL)");
    for image in ["registry.example/shipper:2", "mirror.example/a/b/c:v1"] {
        assert_eq!(set("image", image).container("shipper")["image"], image);
    }
}

#[test]
fn e7_nothing_else_comes_of_a_value_whatever_it_holds() {
    let hostile = [
        ("cpu-request", "abc"),
        ("cpu-request", "-1"),
        ("cpu-request", "300m\n  image: evil"),
        ("cpu-request", "1e99"),
        ("cpu-request", "4m"),
        ("cpu-request", "1"),
        ("cpu-request", ""),
        ("cpu-request", " 100m"),
        ("cpu-request", "*anchor"),
        ("cpu-request", "{{ .Values }}"),
        ("cpu-request", "\"},{\"name\":\"evil\""),
        ("memory-limit", "1.1Gi"),
        ("level", "trace"),
        ("level", "debug\n"),
        ("workers", "9"),
        ("workers", "01"),
        ("workers", "+1"),
        ("workers", "1.0"),
        ("fast", "yes"),
        ("title", "a\nb"),
        ("title", "123456789012345678901"),
        ("title", "a\u{2028}b"),
        ("title", "\u{0}"),
        ("image", "evil/shipper:2"),
        ("image", "registry.example/a/b:2"),
        ("image", "registry.example/a b"),
        ("image", "registry.example/a\nimage: b"),
        ("image", "mirror.example/a:v2"),
        ("image", "registry.example/../x"),
    ];
    let plain = admit(&shipper("Warn"), &app());
    for (key, value) in hostile {
        let refused = conflict(&shipper("Deny"), &asking(key, value));
        assert_eq!((refused.reason, refused.weight), (Reason::InvalidOverride, Weight::Denied), "{key}: {value:?}");
        assert!(
            refused.about.starts_with(&format!("annotation \"logs.example/{key}\", which is ")),
            "{}",
            refused.about
        );
        let warned = admit(&shipper("Warn"), &asking(key, value));
        assert_eq!(warned.reasons(), [(Reason::InvalidOverride, Weight::Warning)], "{key}: {value:?}");
        assert_eq!(warned.pod["spec"], plain.pod["spec"], "{key}: {value:?}");
    }
}

#[test]
fn e7_a_key_that_is_none_of_the_fields_is_not_passed_over() {
    let refused = conflict(&shipper("Deny"), &asking("cpu-requests", "1"));
    assert_eq!((refused.reason, refused.weight), (Reason::UnknownOverride, Weight::Denied));
    let warned = admit(&shipper("Warn"), &asking("cpu-requests", "1"));
    assert_eq!(warned.reasons(), [(Reason::UnknownOverride, Weight::Warning)]);
}

#[test]
fn e7_who_is_refused_is_told_what_is_allowed() {
    let told = |key: &str, value: &str| {
        let refused = conflict(&shipper("Deny"), &asking(key, value));
        refused.about.split_once(", ").expect("a text behind the key").1.to_owned()
    };
    assert_eq!(told("cpu-request", "2"), "which is an amount from 5m to 400m");
    assert_eq!(told("memory-limit", "2Gi"), "which is an amount of at most 1Gi");
    assert_eq!(told("level", "trace"), "which is one of info, debug");
    assert_eq!(told("workers", "99"), "which is a whole number from 1 to 8");
    assert_eq!(told("fast", "yes"), "which is one of true, false");
    assert_eq!(told("title", &"é".repeat(21)), "which is a line of at most 20 characters");
    assert_eq!(told("image", "evil:1"), "which is an image like registry.example/*, mirror.example/**:v1");
    assert_eq!(told("cpu", "1"), "beside cpu-request, memory-limit, level, title, workers, fast, image");
    admit(&shipper("Deny"), &asking("title", &"é".repeat(20)));
}
