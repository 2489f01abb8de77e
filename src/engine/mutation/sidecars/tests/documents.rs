//! What is wrong with a document is told when it is compiled, with its place.

use serde_json::json;

use super::*;

fn flaws(spec: Value) -> Vec<String> {
    document(&spec).expect_err("a flaw")
}

fn only(spec: Value) -> String {
    let flaws = flaws(spec);
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    flaws[0].clone()
}

fn begins(text: &str, beginning: &str) {
    assert!(text.starts_with(beginning), "{text}\ndoes not begin with {beginning}");
}

#[test]
fn names_are_dns_labels_and_differ() {
    begins(
        &only(json!({"add": {"containers": [sidecar("No", json!({"container": {"image": "i"}}))]}})),
        "spec.add.containers[0].container.name: \"No\" is no name",
    );
    let twice = json!({"add": {"initContainers": [sidecar("a", json!({}))], "containers": [sidecar("a", json!({}))]}});
    begins(&only(twice), "spec.add.containers[0].container.name: \"a\" is the name of another");
    begins(
        &only(json!({"add": {"containers": [{"container": {"image": "i"}}]}})),
        "spec.add.containers[0].container.name: must be given",
    );
    let volumes = json!([{"volume": {"name": "v", "emptyDir": {}}}, {"volume": {"name": "v", "emptyDir": {}}}]);
    begins(
        &only(json!({"add": {"volumes": volumes}})),
        "spec.add.volumes[1].volume.name: \"v\" is the name of another",
    );
}

#[test]
fn a_mirror_that_anybody_may_own_is_none() {
    let found = only(json!({"imageMirrors": ["mirror.example.com/hub", "mirror/hub"]}));
    begins(&found, "spec.imageMirrors[1]: \"mirror/hub\" must be a registry");
}

#[test]
fn d3_a_plain_init_container_has_no_probes_and_a_sidecar_may() {
    let probe = json!({"container": {"readinessProbe": {"httpGet": {"port": 1}}, "lifecycle": {}}});
    let found = flaws(json!({"add": {"initContainers": [sidecar("i", probe.clone())]}}));
    begins(&found[0], "spec.add.initContainers[0].container.readinessProbe: an init container has none of these");
    begins(&found[1], "spec.add.initContainers[0].container.lifecycle:");
    document(&json!({"add": {"containers": [sidecar("i", probe)]}})).expect("a document without flaws");
}

#[test]
fn orders_that_nothing_can_meet_are_refused() {
    let placed = |name: &str, order: Value| sidecar(name, json!({"placement": {"kind": "Native", "order": order}}));
    let circle = json!({"add": {"containers": [placed("a", json!({"after": ["c*"]})), placed("b", json!({"after": ["a"]})), placed("c", json!({"after": ["b"]}))]}});
    assert_eq!(only(circle), "spec.add: the orders of these demand a circle: a, b, c");
    let both = json!({"add": {"containers": [placed("a", json!({"first": true, "last": true}))]}});
    begins(&only(both), "spec.add.containers[0].placement.order: `first` and `last` exclude each other");
    let apart = json!({"add": {"initContainers": [sidecar("a", json!({"placement": {"order": {"after": ["b"]}}}))],
        "containers": [sidecar("b", json!({"placement": {"kind": "Container", "order": {"after": ["a"]}}}))]}});
    document(&apart).expect("containers that never meet in one list");
}

#[test]
fn security_is_completed_and_never_weakened() {
    let contexts = [
        (json!({"privileged": true}), "privileged"),
        (json!({"allowPrivilegeEscalation": true}), "allowPrivilegeEscalation"),
        (json!({"runAsNonRoot": false}), "runAsNonRoot"),
        (json!({"capabilities": {"add": ["NET_ADMIN"]}}), "capabilities.add"),
        (json!({"seccompProfile": {"type": "Unconfined"}}), "seccompProfile.type"),
    ];
    for (context, field) in contexts {
        let spec = |security: &str| json!({"add": {"containers": [sidecar("a", json!({"security": security, "container": {"securityContext": context}}))]}});
        begins(
            &flaws(spec("Restricted"))[0],
            &format!("spec.add.containers[0].container.securityContext.{field}: contradicts"),
        );
        document(&spec("AsWritten")).expect("a document without flaws");
    }
    let kept = json!({"container": {"securityContext": {"runAsUser": 1337, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["MKNOD"]}}}});
    let admitted = admit(&adding(json!({"containers": [sidecar("a", kept)]})), &app());
    let context = &admitted.container("a")["securityContext"];
    assert_eq!(context["capabilities"], json!({"add": ["NET_BIND_SERVICE"], "drop": ["MKNOD", "ALL"]}));
    assert_eq!(context["runAsUser"], 1337);
}

#[test]
fn what_is_referred_to_is_there() {
    let mount = json!({"container": {"volumeMounts": [{"name": "logs", "mountPath": "/l"}]}});
    begins(
        &only(json!({"add": {"containers": [sidecar("a", mount.clone())]}})),
        "spec.add.containers[0].container.volumeMounts[0].name: there need not be a volume \"logs\"",
    );
    document(&json!({"match": {"volumes": ["logs"]}, "add": {"containers": [sidecar("a", mount)]}}))
        .expect("demanded of the pod");
    let probes = json!({"container": "b", "port": 1, "path": "/{probe}", "variable": "P"});
    let found = flaws(json!({"add": {"containers": [sidecar("a", json!({}))], "probeRewrite": probes}}));
    begins(&found[0], "spec.add.probeRewrite.container: \"b\" is none of the containers");
    begins(&found[1], "spec.add.probeRewrite.path: must begin with `/` and hold both");
    let field = |set: Value, kind: Value| {
        json!({"add": {"containers": [sidecar("a", json!({}))]},
        "overrides": {"prefix": "p/", "fields": [{"key": "k", "container": "a", "set": set, "type": kind}]}})
    };
    begins(
        &only(field(json!("image"), json!({"text": {"maxLength": 3}}))),
        "spec.overrides.fields[0].type: does not fit",
    );
    begins(
        &only(field(json!({"request": "cpu"}), json!({"quantity": {"min": "1", "max": "0.5"}}))),
        "spec.overrides.fields[0].type.quantity: `min` is above",
    );
    let mut other = field(json!({"env": "E"}), json!({"boolean": {}}));
    other["overrides"]["fields"][0]["container"] = json!("z");
    begins(&only(other), "spec.overrides.fields[0].container: \"z\" is none");
}

#[test]
fn revisions_come_to_a_hundred_percent_at_most() {
    let items = json!([{"name": "a", "weight": 60, "add": {}}, {"name": "b", "weight": 60, "add": {}}]);
    begins(
        &only(json!({"revisions": {"default": "a", "items": items}})),
        "spec.revisions.items: the weights come to 120",
    );
    let twice = json!([{"name": "a", "add": {}}, {"name": "a", "add": {}}]);
    begins(&only(json!({"revisions": {"default": "a", "items": twice}})), "spec.revisions.items[1].name:");
    let unused = json!({"add": {"pod": {"labels": {"a": "1"}}}, "revisions": {"default": "a", "items": [{"name": "a", "add": {}}]}});
    begins(&only(unused), "spec.add: no pod ever gets these parts");
}

#[test]
fn edits_say_one_thing_each() {
    let edit = |edit: Value| only(json!({"add": {"patchContainers": [{"env": [edit]}]}}));
    begins(&edit(json!({"name": "A"})), "spec.add.patchContainers[0].env[0]: must have one of");
    begins(
        &edit(json!({"name": "A", "value": "1", "from": "ownerName"})),
        "spec.add.patchContainers[0].env[0]: must have one of",
    );
    begins(&edit(json!({"name": "A=", "value": "1"})), "spec.add.patchContainers[0].env[0].name:");
    begins(
        &edit(json!({"name": "A", "value": "1", "unlessContains": "x"})),
        "spec.add.patchContainers[0].env[0].unlessContains:",
    );
    let replaced = json!({"match": {"volumes": ["v"]}, "add": {"patchContainers": [{"mounts": [{"mount": {"name": "v", "mountPath": "/"}, "onExisting": "Replace"}]}]}});
    begins(&only(replaced), "spec.add.patchContainers[0].mounts[0].onExisting: must be Keep or Fail");
    begins(&only(json!({"conflicts": {"containerName": "Rename"}})), "spec.conflicts.containerName:");
    begins(&only(json!({"conflicts": {"volumeName": "MergeAuto"}})), "spec.conflicts.volumeName:");
    let ours = json!({"add": {"pod": {"annotations": {"portcullis.dev/applied": "x"}}}});
    begins(&only(ours), "spec.add.pod.annotations:");
}
