//! Groups B and D: patches, and edits to the pod's own containers and to the pod itself.

use serde_json::{Value, json};

use super::*;

fn env(edits: Value) -> Injection {
    adding(json!({"patchContainers": [{"env": edits}]}))
}

#[test]
fn b1_unknown_fields_stay_to_the_letter_and_no_list_is_replaced() {
    let future = json!({"a": [1], "b": null});
    let pod = pod(json!({
        "futureField": future,
        "containers": [{"name": "app", "image": "app:1", "futureField": future,
            "ports": [{"containerPort": 80, "futureField": future}], "env": [{"name": "A", "value": "1"}]}],
        "initContainers": [{"name": "migrate", "image": "m:1"}],
        "volumes": [{"name": "v", "emptyDir": {}, "futureField": future}],
    }));
    let injection = adding(json!({
        "containers": [sidecar("proxy", json!({"placement": {"kind": "Native", "order": {"before": ["*"]}}}))],
        "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}}],
        "patchContainers": [{"env": [{"name": "NODE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}, "position": "First"}]}],
    }));
    let admitted = admit(&injection, &pod);
    assert_eq!(admitted.names("initContainers"), ["proxy", "migrate"]);
    for path in ["/spec", "/spec/containers/0", "/spec/containers/0/ports/0", "/spec/volumes/0"] {
        assert_eq!(admitted.pod.pointer(path).expect("kept")["futureField"], future, "{path}");
    }
    let lists = ["/spec/containers", "/spec/initContainers", "/spec/volumes", "/spec/containers/0/env"];
    let is_replaced =
        |operation: &Value| operation["op"] == "replace" || lists.contains(&operation["path"].as_str().unwrap_or(""));
    assert!(!admitted.operations.iter().any(is_replaced), "{:#?}", admitted.operations);
}

#[test]
fn b2_missing_parents_come_once_and_present_ones_are_not_wiped() {
    let injection = adding(json!({
        "containers": [sidecar("proxy", json!({"placement": {"kind": "Native"}}))],
        "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}, "safeToEvict": true}],
        "patchContainers": [{"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}],
        "pod": {"labels": {"l": "1", "m": "2"}, "annotations": {"a": "1"}},
    }));
    let bare = admit(&injection, &app());
    let paths: Vec<_> = bare.operations.iter().map(|operation| operation["path"].as_str().expect("a path")).collect();
    for path in
        ["/metadata/labels", "/metadata/annotations", "/spec/volumes", "/spec/initContainers", "/spec/containers/0/env"]
    {
        assert_eq!(paths.iter().filter(|found| found.starts_with(path)).count(), 1, "{path} in {paths:?}");
    }
    let mut empty = app();
    merge(
        &mut empty,
        json!({"metadata": {"annotations": {}, "labels": null}, "spec": {"volumes": [], "initContainers": null}}),
    );
    let empty = admit(&injection, &empty);
    assert_eq!(empty.pod["metadata"]["labels"], json!({"l": "1", "m": "2"}));
    assert!(
        empty
            .operations
            .iter()
            .all(|operation| operation["path"] != "/metadata/annotations" && operation["path"] != "/spec/volumes")
    );
}

#[test]
fn b3_keys_and_values_of_any_kind_go_through_unharmed() {
    let mut pod = app();
    let odd = json!({"a/b": "1", "~": "2", "~1": "3", "": "4", "q": "\"\n${{}}\u{2028}ü"});
    merge(&mut pod, json!({"metadata": {"annotations": odd}}));
    let injection =
        adding(json!({"pod": {"annotations": {"x.y/z": "\"\n${{ }}\u{2028}"}, "labels": {"example.com/l": "v"}}}));
    let admitted = admit(&injection, &pod);
    assert!(admitted.operations.iter().any(|operation| operation["path"] == "/metadata/annotations/x.y~1z"));
    assert_eq!(admitted.annotation("x.y/z"), "\"\n${{ }}\u{2028}");
    for (key, value) in odd.as_object().expect("a map") {
        assert_eq!(admitted.pod["metadata"]["annotations"][key], *value);
    }
}

#[test]
fn b4_ports_of_one_number_and_two_protocols_stay_two() {
    let ports = json!([{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}, {"containerPort": 80}]);
    let mut pod = app();
    pod["spec"]["containers"][0]["ports"] = ports.clone();
    let injection = adding(json!({
        "containers": [sidecar("dns", json!({"container": {"ports": [
            {"containerPort": 5353, "protocol": "TCP"}, {"containerPort": 5353, "protocol": "UDP"}]}}))],
        "patchContainers": [{"env": [{"name": "A", "value": "1"}]}],
    }));
    let admitted = admit(&injection, &pod);
    assert_eq!(admitted.container("app")["ports"], ports);
    assert_eq!(admitted.container("dns")["ports"].as_array().map(Vec::len), Some(2));
}

#[test]
fn b5_a_variable_that_is_there_has_the_declared_outcome() {
    let mut pod = app();
    pod["spec"]["containers"][0]["env"] = json!([{"name": "FOO", "value": "user"}, {"name": "BAR", "value": "b"}]);
    let outcome = |how: &str| admit(&env(json!([{"name": "FOO", "value": "inj", "onExisting": how}])), &pod).env("app");
    assert_eq!(outcome("Keep"), pairs(&[("FOO", "user"), ("BAR", "b")]));
    assert_eq!(outcome("Replace"), pairs(&[("FOO", "inj"), ("BAR", "b")]));
    assert_eq!(outcome("Append"), pairs(&[("FOO", "user inj"), ("BAR", "b")]));
    let refused = conflict(&env(json!([{"name": "FOO", "value": "inj", "onExisting": "Fail"}])), &pod);
    assert_eq!((refused.reason, refused.weight), (Reason::EnvironmentTaken, Weight::Denied));
    assert_eq!(refused.about, "variable \"FOO\" of container \"app\"");
}

#[test]
fn b5_nothing_is_appended_to_a_value_from_elsewhere_or_twice() {
    let mut pod = app();
    pod["spec"]["containers"][0]["env"] =
        json!([{"name": "FOO", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]);
    let append = env(json!([{"name": "FOO", "value": "inj", "onExisting": "Append"}]));
    let admitted = admit(&append, &pod);
    assert_eq!(admitted.reasons(), [(Reason::EnvironmentFromElsewhere, Weight::Warning)]);
    assert!(admitted.container("app")["env"][0]["value"].is_null());
    let path = env(
        json!([{"name": "P", "value": "/agent", "onExisting": "Append", "separator": ":", "unlessContains": "agent"}]),
    );
    pod["spec"]["containers"][0]["env"] = json!([{"name": "P", "value": "/bin:/my-agent"}]);
    assert_eq!(admit(&path, &pod).env("app"), pairs(&[("P", "/bin:/my-agent")]));
    pod["spec"]["containers"][0]["env"] = json!([{"name": "P", "value": "/bin"}]);
    assert_eq!(admit(&path, &pod).env("app"), pairs(&[("P", "/bin:/agent")]));
}

#[test]
fn b6_variables_that_others_refer_to_come_first_and_stay_there() {
    let mut pod = app();
    let duplicates = json!([{"name": "A", "value": "$(NODE_IP)/x"}, {"name": "C", "value": "1"}]);
    pod["spec"]["containers"][0]["env"] = duplicates;
    let injection = env(json!([
        {"name": "NODE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}, "position": "First"},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}, "position": "First"},
        {"name": "B", "value": "$(A)"},
    ]));
    let names = |admitted: &Admitted| admitted.env("app").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let admitted = admit(&injection, &pod);
    assert_eq!(names(&admitted), ["NODE_IP", "POD_IP", "A", "C", "B"]);
    pod["spec"]["containers"][0]["env"] = json!([{"name": "NODE_IP", "value": "1"}, {"name": "A", "value": "$(NODE_IP)"}, {"name": "NODE_IP", "value": "2"}]);
    let kept = admit(&injection, &pod);
    assert_eq!(names(&kept), ["POD_IP", "NODE_IP", "A", "NODE_IP", "B"]);
}

#[test]
fn b7_a_mount_path_is_the_same_however_it_is_written() {
    let mount = |path: &str, how: &str| {
        adding(json!({
            "volumes": [{"volume": {"name": "agent", "emptyDir": {}}}],
            "patchContainers": [{"mounts": [{"mount": {"name": "agent", "mountPath": path}, "onExisting": how}]}],
        }))
    };
    let mut pod = app();
    merge(&mut pod, json!({"spec": {"volumes": [{"name": "mine", "emptyDir": {}}]}}));
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "mine", "mountPath": "/tmp/"}]);
    let refused = conflict(&mount("/tmp", "Fail"), &pod);
    assert_eq!((refused.reason, refused.about.as_str()), (Reason::MountPathTaken, "/tmp in container \"app\""));
    assert_eq!(refused.weight, Weight::Denied);
    let kept = admit(&mount("/./tmp", "Keep"), &pod);
    assert_eq!(kept.reasons(), [(Reason::MountPathTaken, Weight::Warning)]);
    let within = admit(&mount("/tmp/run", "Fail"), &pod);
    let paths: Vec<_> =
        within.container("app")["volumeMounts"].as_array().expect("mounts").iter().map(|m| &m["mountPath"]).collect();
    assert_eq!(paths, ["/tmp/", "/tmp/run"]);
}

#[test]
fn b7_nothing_is_mounted_where_no_directory_can_be_made_or_a_device_is() {
    let injection = adding(json!({
        "volumes": [{"volume": {"name": "agent", "emptyDir": {}}}],
        "patchContainers": [{"mounts": [{"mount": {"name": "agent", "mountPath": "/etc/app/run"}}]}],
    }));
    let with = |mounts: Value, volume: Value| {
        let mut pod = app();
        merge(&mut pod, json!({"spec": {"volumes": [volume]}}));
        merge(&mut pod["spec"]["containers"][0], mounts);
        admit(&injection, &pod)
    };
    let directory = json!({"name": "mine", "emptyDir": {}});
    let config = json!({"name": "mine", "configMap": {"name": "app"}});
    let mounted = |path: &str, read_only: bool| json!({"volumeMounts": [{"name": "mine", "mountPath": path, "readOnly": read_only}]});
    let device = json!({"volumeDevices": [{"name": "mine", "devicePath": "/etc/app/run"}]});
    for (mounts, volume, about) in [
        (
            mounted("/etc/app", true),
            directory.clone(),
            "/etc/app/run in container \"app\", below /etc/app, which is read-only",
        ),
        (mounted("/etc/", false), config.clone(), "/etc/app/run in container \"app\", below /etc, which is read-only"),
        (
            device,
            json!({"name": "mine", "persistentVolumeClaim": {"claimName": "c"}}),
            "/etc/app/run in container \"app\", where a device is",
        ),
    ] {
        let admitted = with(mounts.clone(), volume);
        assert_eq!(admitted.container("app")["volumeMounts"], mounts["volumeMounts"]);
        let notes: Vec<_> = admitted.notes.iter().map(|note| (note.reason, note.about.as_str())).collect();
        assert_eq!(notes, [(Reason::MountPathTaken, about)]);
    }
    let read_only = adding(json!({
        "volumes": [{"volume": {"name": "agent", "emptyDir": {}}}],
        "patchContainers": [{"mounts": [{"mount": {"name": "agent", "mountPath": "/etc", "readOnly": true}}]}],
    }));
    let mut pod = app();
    pod["spec"]["volumes"] = json!([directory]);
    merge(&mut pod["spec"]["containers"][0], mounted("/etc/app", false));
    assert_eq!(admit(&read_only, &pod).reasons(), [(Reason::MountPathTaken, Weight::Warning)]);
    for (mounts, volume) in [(mounted("/etc", false), directory), (mounted("/etc/application", true), config)] {
        assert_eq!(with(mounts, volume).container("app")["volumeMounts"][1]["mountPath"], "/etc/app/run");
    }
}

#[test]
fn an_edit_that_fails_has_the_outcome_that_the_document_says() {
    let failing = |how: &str| {
        let edits = json!([{"env": [{"name": "A", "value": "ours", "onExisting": "Fail"}],
            "mounts": [{"mount": {"name": "agent", "mountPath": "/tmp"}, "onExisting": "Fail"}]}]);
        let add = json!({"volumes": [{"volume": {"name": "agent", "emptyDir": {}}}], "patchContainers": edits});
        with_conflicts(add, json!({"other": how}))
    };
    let with = |field: &str, value: Value| {
        let mut pod = app();
        merge(&mut pod, json!({"spec": {"volumes": [{"name": "mine", "emptyDir": {}}]}}));
        pod["spec"]["containers"][0][field] = value;
        pod
    };
    let taken = [
        (Reason::EnvironmentTaken, with("env", json!([{"name": "A", "value": "theirs"}]))),
        (Reason::MountPathTaken, with("volumeMounts", json!([{"name": "mine", "mountPath": "/tmp"}]))),
    ];
    for (reason, pod) in taken {
        let weight = |how| conflict(&failing(how), &pod).weight;
        assert_eq!((weight("Deny"), weight("Skip")), (Weight::Denied, Weight::Skipped));
        assert_eq!(admit(&failing("Warn"), &pod).reasons(), [(reason, Weight::Warning)]);
    }
}

#[test]
fn edits_reach_containers_of_ours_where_the_document_says_so() {
    let injection = adding(json!({
        "containers": [sidecar("proxy", json!({}))],
        "volumes": [{"volume": {"name": "shared", "emptyDir": {}}}],
        "patchContainers": [{"select": {"injected": true, "initContainers": true},
            "env": [{"name": "ALL", "value": "1"}], "mounts": [{"mount": {"name": "shared", "mountPath": "/shared/"}}]}],
    }));
    let admitted = admit(&injection, &app());
    for name in ["app", "proxy"] {
        assert_eq!(admitted.env(name), pairs(&[("ALL", "1")]));
        assert_eq!(admitted.container(name)["volumeMounts"][0]["mountPath"], "/shared/");
    }
}

#[test]
fn b11_the_annotation_is_left_out_where_there_is_no_room_for_it() {
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"annotations": {"big": "x".repeat(256 * 1024 - 100)}}}));
    let admitted = admit(&adding(json!({"containers": [sidecar("proxy", json!({}))]})), &pod);
    assert_eq!(admitted.names("initContainers"), ["proxy"]);
    assert_eq!(admitted.annotation("portcullis.dev/applied"), "");
    assert!(admitted.notes.iter().any(|note| note.reason == Reason::AnnotationsFull));
}

#[test]
fn d6_kubectl_goes_to_the_users_container() {
    let injection = adding(json!({
        "containers": [sidecar("proxy", json!({"placement": {"kind": "Container", "order": {"first": true}}}))],
        "pod": {"defaultContainer": true},
    }));
    let admitted = admit(&injection, &app());
    assert_eq!(admitted.names("containers"), ["proxy", "app"]);
    assert_eq!(admitted.annotation("kubectl.kubernetes.io/default-container"), "app");
    let mut chosen = app();
    merge(&mut chosen, json!({"metadata": {"annotations": {"kubectl.kubernetes.io/default-container": "other"}}}));
    assert_eq!(admit(&injection, &chosen).annotation("kubectl.kubernetes.io/default-container"), "other");
}

#[test]
fn d7_the_grace_period_is_raised_but_never_lowered() {
    let injection = adding(json!({"pod": {"terminationGracePeriodAtLeast": 45}}));
    let grace = |seconds: i64| {
        let mut pod = app();
        pod["spec"]["terminationGracePeriodSeconds"] = json!(seconds);
        let admitted = admit(&injection, &pod);
        (admitted.pod["spec"]["terminationGracePeriodSeconds"].as_i64(), admitted.reasons())
    };
    assert_eq!(grace(10), (Some(45), Vec::new()));
    assert_eq!(grace(600), (Some(600), Vec::new()));
    assert_eq!(grace(0), (Some(0), vec![(Reason::GracePeriodIsZero, Weight::Warning)]));
}

#[test]
fn f6_volumes_are_appended_to_those_that_are_safe_to_evict() {
    const KEY: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";
    let injection = adding(
        json!({"volumes": [{"volume": {"name": "buffer", "emptyDir": {"sizeLimit": "0.5Gi"}}, "safeToEvict": true}]}),
    );
    let mut pod = app();
    merge(&mut pod, json!({"metadata": {"annotations": {KEY: "cache"}}}));
    assert_eq!(admit(&injection, &pod).annotation(KEY), "cache,buffer");
    assert_eq!(admit(&injection, &app()).annotation(KEY), "buffer");
}

#[test]
fn g5_pull_secrets_are_appended_by_name_and_never_to_a_template() {
    let injection = adding(json!({"pod": {"imagePullSecrets": ["mesh", "second"]}}));
    let mut pod = app();
    pod["spec"]["imagePullSecrets"] = json!([{"name": "of-the-account"}, {"name": "second"}]);
    let admitted = admit(&injection, &pod);
    assert_eq!(admitted.names("imagePullSecrets"), ["of-the-account", "second", "mesh"]);
    let offline = Cluster { is_template: true, ..Cluster::default() };
    let template = offline.admit(&[&injection], &app());
    assert_eq!(template.pod["spec"]["imagePullSecrets"], Value::Null);
    assert_eq!(template.reasons(), [(Reason::ImagePullSecretsInTemplate, Weight::Warning); 2]);
}

#[test]
fn b2_a_document_that_adds_nothing_leaves_no_trace() {
    assert_eq!(admit(&adding(json!({})), &app()).operations, Vec::<Value>::new());
}
