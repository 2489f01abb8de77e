//! What is wrong with parts of Kubernetes objects is told at its place, with what was meant; and what is right passes.

use serde_json::{Value, json};

use super::{of_defaults, of_injection};
use crate::engine::mutation::document::{Document, Spec};

/// The flaws of a document of this kind and spec.
fn flaws_of(kind: &str, spec: &Value) -> Vec<String> {
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "d"}, "spec": spec});
    let document = Document::read(&json.to_string()).expect("a document");
    let flaws = match &document.spec {
        Spec::SidecarInjection(spec) => of_injection(spec),
        Spec::PodDefaults(spec) => of_defaults(spec),
    };
    flaws.iter().map(ToString::to_string).collect()
}

fn adding(add: Value) -> Vec<String> {
    flaws_of("SidecarInjection", &json!({"add": add}))
}

/// The flaws of a container with these fields beside its name and image, without the path that all share.
fn container(fields: Value) -> Vec<String> {
    let mut container = json!({"name": "c", "image": "c:1"});
    merge(&mut container, fields);
    beside("spec.add.containers[0].container", adding(json!({"containers": [{"container": container}]})))
}

fn volume(fields: Value) -> Vec<String> {
    let mut volume = json!({"name": "v"});
    merge(&mut volume, fields);
    beside("spec.add.volumes[0].volume", adding(json!({"volumes": [{"volume": volume}]})))
}

fn merge(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else { panic!("no objects") };
    into.extend(from);
}

fn beside(path: &str, flaws: Vec<String>) -> Vec<String> {
    let tail = |flaw: String| flaw.strip_prefix(path).map(str::to_owned).unwrap_or(flaw);
    flaws.into_iter().map(tail).collect()
}

fn only(flaws: Vec<String>, beginning: &str) {
    let [flaw] = flaws.as_slice() else { panic!("not one flaw but {flaws:#?}, for {beginning}") };
    assert!(flaw.starts_with(beginning), "{flaw}\ndoes not begin with {beginning}");
}

#[test]
fn a_misspelt_field_is_told_with_the_name_that_was_meant() {
    only(
        container(json!({"imagePullPolcy": "Always"})),
        ".imagePullPolcy: a Container has no such field; did you mean imagePullPolicy?",
    );
    only(
        container(json!({"ports": [{"containerPort": 1}, {"containerport": 80}]})),
        ".ports[1].containerport: a ContainerPort has no such field; did you mean containerPort?",
    );
    only(volume(json!({"emptydir": {}})), ".emptydir: a Volume has no such field; did you mean emptyDir?");
}

#[test]
fn a_field_at_the_wrong_level_is_told_where_it_belongs() {
    only(
        container(json!({"runAsUser": 65532})),
        ".runAsUser: a Container has no such field; it belongs in securityContext",
    );
    only(container(json!({"limits": {}})), ".limits: a Container has no such field; it belongs in resources");
}

#[test]
fn a_field_of_the_future_passes_where_it_is_named() {
    let sidecar = json!({"container": {"name": "c", "image": "c:1", "checkpointing": {"every": "5m"}}});
    let spec = |newer: &[&str]| json!({"newerFields": newer, "add": {"containers": [sidecar]}});
    only(
        flaws_of("SidecarInjection", &spec(&[])),
        "spec.add.containers[0].container.checkpointing: a Container of Kubernetes 1.37 has no such field; if yours is newer",
    );
    assert_eq!(flaws_of("SidecarInjection", &spec(&["checkpointing"])), Vec::<String>::new());
    let toleration = json!({"key": "a", "operator": "Within", "value": "1"});
    let defaults = |newer: &[&str]| json!({"newerFields": newer, "scheduling": {"tolerations": [toleration]}});
    only(
        flaws_of("PodDefaults", &defaults(&[])),
        "spec.scheduling.tolerations[0].operator: must be one of Equal, Exists, Gt, Lt, not \"Within\"",
    );
    assert_eq!(flaws_of("PodDefaults", &defaults(&["operator"])), Vec::<String>::new(), "a value of the future");
}

#[test]
fn a_value_of_another_type_is_told_with_what_to_write() {
    for (fields, flaw) in [
        (json!({"args": "--a"}), ".args: must be a list, not \"--a\""),
        (json!({"args": [1]}), ".args[0]: must be a text: put it in quotes, \"1\""),
        (json!({"env": [{"name": "A", "value": true}]}), ".env[0].value: must be a text: put it in quotes, \"true\""),
        (
            json!({"ports": [{"containerPort": "80"}]}),
            ".ports[0].containerPort: must be a whole number: write 80, without",
        ),
        (json!({"ports": [{"containerPort": 80.5}]}), ".ports[0].containerPort: must be a whole number, not 80.5"),
        (json!({"stdin": "true"}), ".stdin: must be true or false: write true, without quotes"),
        (json!({"resources": {"limits": {"cpu": "1 core"}}}), ".resources.limits.cpu: \"1 core\" is no quantity"),
        (json!({"resources": {"limits": {"a.b/c": []}}}), ".resources.limits[a.b/c]: must be a quantity"),
        (json!({"securityContext": []}), ".securityContext: must be a SecurityContext, not a list"),
        (json!({"livenessProbe": null}), ".livenessProbe: null says nothing; leave it out"),
        (json!({"name": ""}), ".name: must be given"),
        (
            json!({"imagePullPolicy": "Alway"}),
            ".imagePullPolicy: must be one of Always, IfNotPresent, Never, not \"Alway\"; did you mean Always?",
        ),
    ] {
        only(container(fields), flaw);
    }
}

#[test]
fn what_the_api_server_refuses_in_a_container_is_refused_in_a_document() {
    let probe = |probe: Value| json!({"livenessProbe": probe});
    for (fields, flaw) in [
        (json!({"image": "c :1"}), ".image: must be an image reference"),
        (json!({"ports": [{"containerPort": 0}]}), ".ports[0].containerPort: must be a number from 1 to 65535, not 0"),
        (json!({"ports": [{"containerPort": 1, "hostPort": 65536}]}), ".ports[0].hostPort: must be a number from 0"),
        (json!({"ports": [{"containerPort": 1, "name": "Web"}]}), ".ports[0].name: must be at most 15 of a-z"),
        (
            json!({"ports": [{"containerPort": 1, "name": "web"}, {"containerPort": 2, "name": "web"}]}),
            ".ports[1].name: \"web\" is there twice, first at [0]",
        ),
        (probe(json!({"periodSeconds": 1})), ".livenessProbe: must have one of exec, grpc, httpGet, tcpSocket"),
        (
            probe(json!({"exec": {"command": ["a"]}, "httpGet": {"port": 1}})),
            ".livenessProbe.httpGet: cannot be beside exec",
        ),
        (probe(json!({"exec": {"command": []}})), ".livenessProbe.exec.command: must be given"),
        (probe(json!({"httpGet": {"port": 70000}})), ".livenessProbe.httpGet.port: must be a number from 1 to 65535"),
        (probe(json!({"httpGet": {"port": "80"}})), ".livenessProbe.httpGet.port: \"80\" is no name of a port"),
        (probe(json!({"tcpSocket": {"port": 1}, "successThreshold": 2})), ".livenessProbe.successThreshold: must be a"),
        (probe(json!({"tcpSocket": {"port": 1}, "timeoutSeconds": -1})), ".livenessProbe.timeoutSeconds: must be a"),
        (
            json!({"readinessProbe": {"tcpSocket": {"port": 1}, "terminationGracePeriodSeconds": 5}}),
            ".readinessProbe.terminationGracePeriodSeconds: leave it out",
        ),
        (
            json!({"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}),
            ".env[0].valueFrom: cannot be beside value",
        ),
        (json!({"env": [{"name": "A", "valueFrom": {}}]}), ".env[0].valueFrom: must have one of configMapKeyRef"),
        (
            json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.hostname"}}}]}),
            ".env[0].valueFrom.fieldRef.fieldPath: must be one of",
        ),
        (
            json!({"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"key": "k"}}}]}),
            ".env[0].valueFrom.secretKeyRef.name: must be given",
        ),
        (json!({"envFrom": [{"prefix": "A_"}]}), ".envFrom[0]: must have one of configMapRef, secretRef"),
        (
            json!({"volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/a"}]}),
            ".volumeMounts[1].mountPath: \"/a\" is there twice",
        ),
        (
            json!({"volumeMounts": [{"name": "v", "mountPath": "/a", "subPath": "../b"}]}),
            ".volumeMounts[0].subPath: must",
        ),
        (
            json!({"volumeMounts": [{"name": "v", "mountPath": "/a", "mountPropagation": "Bidirectional"}]}),
            ".volumeMounts[0].mountPropagation: Bidirectional is for",
        ),
        (json!({"securityContext": {"runAsUser": -1}}), ".securityContext.runAsUser: must be a number from 0"),
        (
            json!({"securityContext": {"seccompProfile": {"type": "Localhost"}}}),
            ".securityContext.seccompProfile.localhostProfile: must be given",
        ),
        (
            json!({"securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"add": ["CAP_SYS_ADMIN"]}}}),
            ".securityContext.allowPrivilegeEscalation: cannot be",
        ),
        (json!({"lifecycle": {"stopSignal": "SIGTERM"}}), ".lifecycle.stopSignal: leave it out"),
        (
            json!({"lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}),
            ".lifecycle.preStop.sleep.seconds: is more than",
        ),
        (json!({"resources": {"claims": [{"name": "gpu"}]}}), ".resources.claims: leave it out"),
    ] {
        only(container(fields), flaw);
    }
}

#[test]
fn what_the_api_server_refuses_in_a_volume_is_refused_in_a_document() {
    for (fields, flaw) in [
        (json!({}), ": must have a name and one source, such as `emptyDir: {}`"),
        (json!({"emptyDir": {}, "hostPath": {"path": "/a"}}), ".hostPath: cannot be beside emptyDir"),
        (json!({"emptyDir": {"sizeLimit": "-1"}}), ".emptyDir.sizeLimit: must not be below zero"),
        (json!({"hostPath": {"path": "/a/../b"}}), ".hostPath.path: must be a path without .."),
        (json!({"hostPath": {"path": "/a", "type": "Folder"}}), ".hostPath.type: must be one of"),
        (
            json!({"configMap": {"nmae": "a"}}),
            ".configMap.nmae: a ConfigMapVolumeSource has no such field; did you mean name?",
        ),
        (json!({"configMap": {}}), ".configMap.name: must be given"),
        (json!({"secret": {"secretName": "s", "defaultMode": 777}}), ".secret.defaultMode: must be from 0 to 0777"),
        (
            json!({"configMap": {"name": "a", "items": [{"key": "k", "path": "/etc"}]}}),
            ".configMap.items[0].path: must",
        ),
        (
            json!({"projected": {"sources": [{"secret": {"name": "s"}, "configMap": {"name": "c"}}]}}),
            ".projected.sources[0].secret: cannot be beside configMap",
        ),
        (
            json!({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 60}}]}}),
            ".projected.sources[0].serviceAccountToken.expirationSeconds: must",
        ),
        (json!({"downwardAPI": {"items": [{"path": "l"}]}}), ".downwardAPI.items[0]: must have one of fieldRef"),
        (json!({"persistentVolumeClaim": {"claimName": ""}}), ".persistentVolumeClaim.claimName: must be given"),
        (
            json!({"ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}}),
            ".ephemeral.volumeClaimTemplate.spec.resources.requests.storage: must be given",
        ),
    ] {
        only(volume(fields), flaw);
    }
}

#[test]
fn parts_that_refer_to_each_other_fit() {
    let device =
        json!({"container": {"name": "c", "image": "c", "volumeDevices": [{"name": "v", "devicePath": "/dev/a"}]}});
    let with = |volume: Value| adding(json!({"containers": [device], "volumes": [{"volume": volume}]}));
    assert_eq!(with(json!({"name": "v", "persistentVolumeClaim": {"claimName": "a"}})), Vec::<String>::new());
    only(
        with(json!({"name": "v", "emptyDir": {}})),
        "spec.add.containers[0].container.volumeDevices[0].name: must be a volume of `add.volumes`",
    );
    let sleep = json!({"container": {"name": "c", "image": "c", "lifecycle": {"preStop": {"sleep": {"seconds": 40}}}}});
    let enough = json!({"containers": [sleep], "pod": {"terminationGracePeriodAtLeast": 40}});
    assert_eq!(adding(enough), Vec::<String>::new());
}

#[test]
fn what_can_never_be_found_or_set_is_a_mistake() {
    let injection = |spec: Value| flaws_of("SidecarInjection", &spec);
    only(
        injection(json!({"enablement": {"podLabels": ["inject me"]}})),
        "spec.enablement.podLabels[0]: \"inject me\" is no key",
    );
    only(
        injection(json!({"match": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}})),
        "spec.match.podSelector.matchExpressions[0].values: must have at least one",
    );
    only(
        injection(json!({"match": {"serviceAccountSelector": {"matchLabels": {"team": "a b"}}}})),
        "spec.match.serviceAccountSelector.matchLabels[team]: \"a b\" is no value of a label",
    );
    let pod = |pod: Value| injection(json!({"add": {"pod": pod}}));
    only(pod(json!({"labels": {"a": "b c"}})), "spec.add.pod.labels[a]: \"b c\" is no value of a label");
    only(pod(json!({"annotations": {"a": "b".repeat(300_000)}})), "spec.add.pod.annotations: have 300001 bytes");
    only(
        pod(json!({"annotations": {"kubernetes.io/config.mirror": ""}})),
        "spec.add.pod.annotations[kubernetes.io/config.mirror]: is refused",
    );
    only(pod(json!({"imagePullSecrets": ["A B"]})), "spec.add.pod.imagePullSecrets[0]: \"A B\" is no name of a Secret");
}

#[test]
fn parts_of_revisions_and_edits_are_looked_at_too() {
    let mistyped = json!({"mount": {"name": "v", "mountpath": "/a"}});
    let add =
        json!({"patchContainers": [{"mounts": [mistyped], "env": [{"name": "A", "valueFrom": {"fieldRef": {}}}]}]});
    let items = json!([{"name": "a", "add": add}]);
    let path = "spec.revisions.items[0].add.patchContainers[0]";
    assert_eq!(
        flaws_of("SidecarInjection", &json!({"revisions": {"default": "a", "items": items}})),
        [
            format!("{path}.env[0].valueFrom.fieldRef.fieldPath: must be given"),
            format!("{path}.mounts[0].mount.mountpath: a VolumeMount has no such field; did you mean mountPath?"),
        ]
    );
}

#[test]
fn what_pods_are_scheduled_by_is_looked_at() {
    let scheduling =
        |scheduling: Value| beside("spec.scheduling.", flaws_of("PodDefaults", &json!({"scheduling": scheduling})));
    for (spec, flaw) in [
        (json!({"tolerations": [{"key": "a b", "operator": "Exists"}]}), "tolerations[0].key: must be a name"),
        (json!({"tolerations": [{"key": "a", "value": "x y"}]}), "tolerations[0].value: must be at most 63"),
        (
            json!({"tolerations": [{"key": "a", "operator": "Gt", "value": "x"}]}),
            "tolerations[0].value: must be a whole",
        ),
        (
            json!({"tolerations": [{"kye": "a"}]}),
            "tolerations[0].kye: a Toleration has no such field; did you mean key?",
        ),
        (
            json!({"requiredNodeAffinity": [{"key": "a", "operator": "Is"}]}),
            "requiredNodeAffinity[0].operator: must be one of",
        ),
        (
            json!({"requiredNodeAffinity": [{"key": "a", "operator": "In", "values": ["b c"]}]}),
            "requiredNodeAffinity[0].values[0]: must be at most 63",
        ),
        (
            json!({"topologySpread": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}]}),
            "topologySpread[0].minDomains: belongs to",
        ),
        (
            json!({"topologySpread": [{"topologyKey": "zone", "maxSkew": 1}]}),
            "topologySpread[0].whenUnsatisfiable: must be given",
        ),
    ] {
        only(scheduling(spec), flaw);
    }
}
