//! Scheduling, DNS, probes, labels and pull secrets.

use serde_json::{Value, json};

use super::{Outcome, arrived, run, run_in, run_online, run_template, world};
use crate::engine::mutation::{RuntimeClass, RuntimeClasses, Weight, World};

fn scheduling(scheduling: Value) -> Value {
    json!({"scheduling": scheduling})
}

fn containers() -> Value {
    json!([{"name": "a", "image": "a:1"}])
}

fn terms(outcome: &Outcome) -> &Value {
    &outcome.spec()["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
}

fn affine(terms: Value) -> Value {
    let required = json!({"nodeSelectorTerms": terms});
    json!({"containers": containers(), "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}})
}

#[test]
fn g1_a_requirement_goes_into_every_term_and_the_terms_stay_as_many() {
    let arch = json!({"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]});
    let defaults = || scheduling(json!({"requiredNodeAffinity": [arch]}));
    let pinned = json!({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]});
    let zone = json!({"key": "zone", "operator": "Exists"});
    let outcome = run_online(defaults(), affine(json!([pinned, {"matchExpressions": [zone]}, {}])));
    assert_eq!(
        terms(&outcome),
        &json!([
            {"matchFields": pinned["matchFields"], "matchExpressions": [arch]},
            {"matchExpressions": [zone, arch]},
            {},
        ])
    );
    let none = run_online(defaults(), json!({"containers": containers()}));
    assert_eq!(terms(&none), &json!([{"matchExpressions": [arch]}]));
    let chosen =
        affine(json!([{"matchExpressions": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}]));
    assert_eq!(run(defaults(), chosen.clone()).spec(), &chosen);
    let selected = json!({"containers": containers(), "nodeSelector": {"kubernetes.io/arch": "arm64"}});
    assert_eq!(run(defaults(), selected.clone()).spec(), &selected);
}

#[test]
fn g2_tolerations_are_appended_unless_they_are_there() {
    let spot = json!({"key": "spot", "operator": "Exists", "effect": "NoSchedule"});
    let defaults = || scheduling(json!({"tolerations": [spot]}));
    let count = |tolerations: Value| {
        let pod = json!({"containers": containers(), "tolerations": tolerations});
        run_online(defaults(), pod).spec()["tolerations"].as_array().expect("a list").len()
    };
    assert_eq!(count(json!([])), 3, "not-ready and unreachable have come before");
    assert_eq!(count(json!([{"operator": "Exists"}])), 1);
    assert_eq!(count(json!([{"key": "spot", "operator": "Exists"}])), 3, "any effect");
    assert_eq!(
        count(json!([{"key": "spot", "effect": "NoSchedule"}])),
        4,
        "the operator is Equal, and the value empty"
    );
    assert_eq!(count(json!([{"key": "spot", "operator": "Exists", "effect": "NoExecute"}])), 4);
    let timed = scheduling(
        json!({"tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}]}),
    );
    let outcome = run_online(timed, json!({"containers": containers()}));
    assert_eq!(
        outcome.spec()["tolerations"].as_array().expect("a list").len(),
        2,
        "it says so already, for another time"
    );
}

#[test]
fn g3_the_class_its_number_and_its_policy_change_together() {
    let defaults = |name: &str| scheduling(json!({"priorityClassName": name}));
    let outcome = run_online(defaults("batch"), json!({"containers": containers(), "priorityClassName": ""}));
    let trio = |outcome: &Outcome| {
        ["priorityClassName", "priority", "preemptionPolicy"].map(|field| outcome.spec()[field].clone())
    };
    assert_eq!(trio(&outcome), [json!("batch"), json!(-10), json!("Never")]);
    let chosen = run_online(defaults("batch"), json!({"containers": containers(), "priorityClassName": "high"}));
    assert_eq!(trio(&chosen), [json!("high"), json!(100), json!("PreemptLowerPriority")]);
    let missing = run_online(defaults("none"), json!({"containers": containers()}));
    assert_eq!((missing.codes(), &missing.spec()["priority"]), (vec!["priority_class_missing"], &json!(0)));
    let denying = json!({"scheduling": {"priorityClassName": "none"}, "onConflict": "Deny"});
    assert!(run_in(&denying, &json!({"spec": {"containers": []}}), &world(), &[]).is_err());
    let template = run_template(defaults("batch"), json!({"spec": {"containers": containers()}}));
    assert_eq!(trio(&template), [json!("batch"), Value::Null, Value::Null]);
}

#[test]
fn g5_pull_secrets_are_appended_by_name_and_keep_those_of_the_account() {
    let defaults = || json!({"pod": {"imagePullSecrets": ["mesh"]}});
    let secrets = |found: Value| {
        run(defaults(), json!({"containers": containers(), "imagePullSecrets": found})).spec()["imagePullSecrets"]
            .clone()
    };
    assert_eq!(secrets(json!([{"name": "account"}])), json!([{"name": "account"}, {"name": "mesh"}]));
    assert_eq!(secrets(json!([{"name": "mesh"}])), json!([{"name": "mesh"}]));
    assert_eq!(secrets(json!([])), json!([{"name": "mesh"}]));
    let template = json!({"spec": {"containers": containers()}});
    let outcome = run_template(defaults(), template.clone());
    assert_eq!((outcome.pod == template, outcome.codes()), (true, vec!["image_pull_secrets_in_template"]));
    let own = json!({"spec": {"containers": containers(), "imagePullSecrets": [{"name": "own"}]}});
    assert_eq!(run_template(defaults(), own).spec()["imagePullSecrets"].as_array().expect("a list").len(), 2);
}

#[test]
fn g6_resolver_options_are_added_by_name() {
    let defaults = || json!({"dns": {"options": {"ndots": "2", "edns0": ""}}});
    let options = |found: Value| {
        run(defaults(), json!({"containers": containers(), "dnsConfig": found})).spec()["dnsConfig"].clone()
    };
    assert_eq!(
        options(
            json!({"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"], "options": [{"name": "ndots", "value": "5"}]})
        ),
        json!({"nameservers": ["1.1.1.1", "2.2.2.2", "3.3.3.3"], "options": [{"name": "ndots", "value": "5"}, {"name": "edns0"}]})
    );
    let outcome = run_online(defaults(), json!({"containers": containers()}));
    assert_eq!(outcome.spec()["dnsConfig"], json!({"options": [{"name": "edns0"}, {"name": "ndots", "value": "2"}]}));
    assert_eq!(outcome.spec()["dnsPolicy"], "ClusterFirst", "the policy is nobody's business here");
}

#[test]
fn g7_spreading_selects_the_pods_of_the_same_controller() {
    let spread = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"});
    let defaults = || scheduling(json!({"topologySpread": [spread]}));
    let owner = json!([{"kind": "ReplicaSet", "name": "web-5d", "controller": true}]);
    let pod = |labels: Value| json!({"metadata": {"labels": labels, "ownerReferences": owner}, "spec": {"containers": containers()}});
    let run = |pod: &Value| run_in(&defaults(), pod, &world(), &[]).expect("no conflict");
    let outcome = run(&pod(json!({"app": "web", "pod-template-hash": "5d"})));
    let mut expected = spread.clone();
    expected["labelSelector"] = json!({"matchLabels": {"pod-template-hash": "5d"}});
    assert_eq!(outcome.spec()["topologySpreadConstraints"], json!([expected]));
    let unknown = run(&pod(json!({"app": "web"})));
    assert_eq!((unknown.spec().get("topologySpreadConstraints"), unknown.codes()), (None, vec!["selector_unknown"]));
    let mut has_one = pod(json!({"pod-template-hash": "5d"}));
    has_one["spec"]["topologySpreadConstraints"] =
        json!([{"maxSkew": 3, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]);
    assert_eq!(run(&has_one).pod, has_one);
    let bare = json!({"metadata": {"labels": {"pod-template-hash": "5d"}}, "spec": {"containers": containers()}});
    assert_eq!(run(&bare).pod, bare);
    let daemon = json!({"metadata": {"labels": {"controller-revision-hash": "5d"}, "ownerReferences": [{"kind": "DaemonSet", "controller": true}]},
                        "spec": {"containers": containers()}});
    assert_eq!(run(&daemon).pod, daemon, "each of its pods has a node that it has to be on");
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers()}});
    let outcome = run_template(defaults(), template);
    assert_eq!(outcome.spec()["topologySpreadConstraints"][0]["labelSelector"], json!({"matchLabels": {"app": "web"}}));
}

#[test]
fn g8_readiness_is_copied_and_liveness_never_invented() {
    let defaults = || json!({"probes": {"readinessFromLiveness": true}});
    let probe =
        json!({"httpGet": {"port": "web", "path": "/x"}, "terminationGracePeriodSeconds": 5, "failureThreshold": 9});
    let copied = json!({"httpGet": {"port": "web", "path": "/x"}, "failureThreshold": 9});
    let ready = json!({"exec": {"command": ["true"]}});
    let pod = json!({
        "containers": [{"name": "a", "livenessProbe": probe}, {"name": "b"}, {"name": "c", "livenessProbe": probe, "readinessProbe": ready}],
        "initContainers": [{"name": "n", "restartPolicy": "Always", "livenessProbe": probe}],
    });
    let outcome = run(defaults(), pod.clone());
    assert_eq!(outcome.container(0)["readinessProbe"], copied);
    assert_eq!(outcome.container(0)["livenessProbe"], probe);
    assert_eq!(outcome.container(1), &json!({"name": "b"}));
    assert_eq!(
        (outcome.container(2), &outcome.spec()["initContainers"]),
        (&pod["containers"][2], &pod["initContainers"])
    );
}

#[test]
fn labels_and_annotations_are_set_where_there_are_none_of_the_name() {
    let defaults =
        json!({"pod": {"labels": {"team": "x", "tier": "web"}, "annotations": {"example.com/a": "v\n\"w\""}}});
    let pod = json!({"metadata": {"labels": {"team": "mine"}}, "spec": {"containers": containers()}});
    let outcome = run_in(&defaults, &arrived(&pod, &world()), &world(), &[]).expect("no conflict");
    assert_eq!(outcome.pod["metadata"]["labels"], json!({"team": "mine", "tier": "web"}));
    assert_eq!(outcome.pod["metadata"]["annotations"], json!({"example.com/a": "v\n\"w\""}));
}

/// A world with a class of micro virtual machines.
fn with_runtime_classes(classes: &RuntimeClasses) -> World<'_> {
    World { runtime_classes: Some(classes), ..world() }
}

fn runtime_classes() -> RuntimeClasses {
    let kata = RuntimeClass {
        overhead: Some(r#"{"cpu":"250m","memory":"120Mi"}"#.into()),
        node_selector: [("runtime".into(), "kata".into())].into(),
    };
    [("kata".into(), kata), ("runc".into(), RuntimeClass::default())].into()
}

#[test]
fn g4_the_overhead_of_a_runtime_class_is_left_to_the_plugin_and_told() {
    let classes = runtime_classes();
    let world = with_runtime_classes(&classes);
    let pod = arrived(&json!({"spec": {"containers": containers()}}), &world);
    let outcome = run_in(&scheduling(json!({"runtimeClassName": "kata"})), &pod, &world, &[]).expect("no conflict");
    let mut expected = pod.clone();
    expected["spec"]["runtimeClassName"] = json!("kata");
    assert_eq!(outcome.pod, expected);
    let [told] = outcome.notes.as_slice() else { panic!("{:?}", outcome.notes) };
    assert_eq!(told.reason.code(), "effective_requests");
    assert_eq!(told.about, r#"runtime class "kata", cpu +250m, memory +120Mi"#);

    let plain = run_in(&scheduling(json!({"runtimeClassName": "runc"})), &pod, &world, &[]).expect("no conflict");
    assert_eq!((&plain.spec()["runtimeClassName"], plain.codes()), (&json!("runc"), vec![]));
}

#[test]
fn g4_a_runtime_class_that_somebody_chose_stays_with_its_overhead() {
    let classes = runtime_classes();
    let world = with_runtime_classes(&classes);
    let spec = json!({"containers": containers(), "runtimeClassName": "kata"});
    let pod = arrived(&json!({"spec": spec}), &world);
    assert_eq!(pod["spec"]["overhead"]["cpu"], "250m");
    let defaults = scheduling(json!({"runtimeClassName": "runc"}));
    assert_eq!(run_in(&defaults, &pod, &world, &[]).expect("no conflict").pod, pod);
    let odd = json!({"spec": {"containers": containers(), "overhead": {"cpu": "1"}}});
    assert_eq!(run_in(&defaults, &odd, &world, &[]).expect("no conflict").pod, odd);
}

#[test]
fn g4_a_runtime_class_that_the_api_server_would_refuse_is_left_out() {
    let classes = runtime_classes();
    let world = with_runtime_classes(&classes);
    let run = |class: &str, spec: Value| {
        let pod = arrived(&json!({"spec": spec}), &world);
        let defaults = scheduling(json!({"runtimeClassName": class}));
        let outcome = run_in(&defaults, &pod, &world, &[]).expect("no conflict");
        assert_eq!(outcome.pod, pod);
        outcome.codes()
    };
    let elsewhere = json!({"containers": containers(), "nodeSelector": {"runtime": "gvisor"}});
    assert_eq!(run("kata", elsewhere.clone()), ["runtime_class_unfit"]);
    assert_eq!(run("firecracker", elsewhere), ["runtime_class_missing"]);
    let denying = json!({"scheduling": {"runtimeClassName": "firecracker"}, "onConflict": "Deny"});
    let conflict =
        run_in(&denying, &json!({"spec": {"containers": containers()}}), &world, &[]).expect_err("a conflict");
    assert_eq!((conflict.reason.code(), conflict.weight), ("runtime_class_missing", Weight::Denied));
}

#[test]
fn g4_a_class_for_windows_is_not_for_a_pod_of_linux() {
    let windows = RuntimeClass {
        node_selector: [("kubernetes.io/os".into(), "windows".into())].into(),
        ..RuntimeClass::default()
    };
    let classes = [("windows-2025".into(), windows)].into();
    let defaults = scheduling(json!({"runtimeClassName": "windows-2025"}));
    let pod = json!({"spec": {"containers": containers()}});
    let outcome = run_in(&defaults, &pod, &with_runtime_classes(&classes), &[]).expect("no conflict");
    assert_eq!((outcome.pod.clone(), outcome.codes()), (pod, vec!["runtime_class_unfit"]));
    let windows = json!({"spec": {"containers": containers(), "os": {"name": "windows"}}});
    let outcome = run_in(&defaults, &windows, &with_runtime_classes(&classes), &[]).expect("no conflict");
    assert_eq!(outcome.spec()["runtimeClassName"], "windows-2025");
}

#[test]
fn g4_a_template_gets_the_class_although_offline_nobody_knows_it() {
    let template = json!({"spec": {"containers": containers()}});
    let defaults = || scheduling(json!({"runtimeClassName": "kata"}));
    assert_eq!(run_template(defaults(), template.clone()).spec()["runtimeClassName"], "kata");
    let alone = run_in(&defaults(), &template, &world(), &[]).expect("no conflict");
    assert_eq!((alone.pod.clone(), alone.codes()), (template, vec!["runtime_class_missing"]));
}
