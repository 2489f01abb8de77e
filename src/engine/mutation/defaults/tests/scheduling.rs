//! Scheduling, DNS, probes, labels and pull secrets.

use serde_json::{Value, json};

use super::{Outcome, arrived, run, run_in, run_online, run_template, world};
use crate::engine::mutation::document::Document;

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

#[test]
fn g4_no_document_sets_a_runtime_class_so_that_the_overhead_stays_the_class_s() {
    let document = json!({"apiVersion": "portcullis.dev/v1", "kind": "PodDefaults", "metadata": {"name": "d"},
                          "spec": {"scheduling": {"runtimeClassName": "kata"}}});
    let flaw = Document::read(&document.to_string()).expect_err("a flaw");
    assert!(flaw.to_string().starts_with("spec.scheduling.runtimeClassName: unknown field"), "{flaw}");
    let pod = json!({"containers": containers(), "runtimeClassName": "kata", "overhead": {"cpu": "250m"}});
    let outcome = run_online(scheduling(json!({"priorityClassName": "batch"})), pod);
    assert_eq!(
        (&outcome.spec()["runtimeClassName"], &outcome.spec()["overhead"]),
        (&json!("kata"), &json!({"cpu": "250m"}))
    );
}
