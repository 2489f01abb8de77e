//! Groups C and D, where they are about places: first, last, before, after, and in which list.

use serde_json::json;

use super::*;

fn inits(names: &[&str]) -> Value {
    let mut pod = app();
    pod["spec"]["initContainers"] = names.iter().map(|name| json!({"name": name, "image": "i:1"})).collect();
    pod
}

fn native(name: &str, order: Value) -> Value {
    sidecar(name, json!({"placement": {"kind": "Native", "order": order}}))
}

#[test]
fn d1_init_then_native_then_the_users_own() {
    let injection = adding(json!({
        "initContainers": [sidecar("mesh-init", json!({"placement": {"order": {"first": true}}}))],
        "containers": [native("mesh-proxy", json!({"after": ["mesh-init"], "before": ["*"]}))],
    }));
    let admitted = admit(&injection, &inits(&["migrate"]));
    assert_eq!(admitted.names("initContainers"), ["mesh-init", "mesh-proxy", "migrate"]);
    assert_eq!(admitted.container("mesh-proxy")["restartPolicy"], "Always");
    assert!(admitted.container("mesh-init")["restartPolicy"].is_null());
    assert!(admitted.container("migrate")["restartPolicy"].is_null());
}

#[test]
fn d2_without_native_sidecars_the_fallback_says_what_happens() {
    let old = Cluster { has_native_sidecars: false, ..Cluster::default() };
    let with = |placement: Value| adding(json!({"containers": [sidecar("proxy", json!({"placement": placement}))]}));
    let plain = old.admit(&[&with(json!({"fallback": "Container"}))], &app());
    assert_eq!(plain.names("containers"), ["app", "proxy"]);
    assert!(plain.container("proxy")["restartPolicy"].is_null());
    let refused = |placement: Value| {
        let conflict = old.conflict(&with(placement), &app());
        (conflict.reason, conflict.weight)
    };
    assert_eq!(refused(json!({"fallback": "Skip"})), (Reason::NativeUnsupported, Weight::Skipped));
    assert_eq!(refused(json!({"fallback": "Deny"})), (Reason::NativeUnsupported, Weight::Denied));
    let mut job = app();
    merge(
        &mut job,
        json!({"metadata": {"ownerReferences": [{"kind": "Job", "name": "j", "uid": "u", "controller": true}]},
        "spec": {"restartPolicy": "OnFailure"}}),
    );
    let blocked = old.conflict(&with(json!({"fallback": "Container"})), &job);
    assert_eq!((blocked.reason, blocked.weight), (Reason::BlocksJob, Weight::Skipped));
    let allowed = old.admit(&[&with(json!({"fallback": "Container", "allowBlockingJob": true}))], &job);
    assert_eq!(allowed.names("containers"), ["app", "proxy"]);
}

#[test]
fn d4_a_job_gets_no_container_that_keeps_it_from_completing() {
    let mut job = app();
    merge(
        &mut job,
        json!({"metadata": {"ownerReferences": [{"kind": "Job", "name": "j", "uid": "u", "controller": true}]},
        "spec": {"restartPolicy": "Never"}}),
    );
    let admitted = admit(&adding(json!({"containers": [sidecar("proxy", json!({}))]})), &job);
    assert_eq!((admitted.names("containers"), admitted.names("initContainers")), (vec!["app"], vec!["proxy"]));
    assert_eq!(admitted.container("proxy")["restartPolicy"], "Always");
    let plain = adding(json!({"containers": [sidecar("proxy", json!({"placement": {"kind": "Container"}}))]}));
    assert_eq!(conflict(&plain, &job).reason, Reason::BlocksJob);
    let offline = Cluster { is_template: true, ..Cluster::default() };
    job["metadata"] = json!({});
    assert_eq!(offline.conflict(&plain, &job).reason, Reason::BlocksJob);
}

#[test]
fn d4_what_ends_is_the_pod_whoever_owns_it() {
    let plain = |placement: Value| adding(json!({"containers": [sidecar("proxy", json!({"placement": placement}))]}));
    let (chosen, fallback) = (plain(json!({"kind": "Container"})), plain(json!({"fallback": "Container"})));
    let workflow = json!([{"kind": "Workflow", "name": "w", "uid": "u", "controller": true}]);
    let job = json!([{"kind": "Job", "name": "j", "uid": "u", "controller": true}]);
    let old = Cluster { has_native_sidecars: false, ..Cluster::default() };
    let is_left_out = |owner: &Value, policy: Value, of_container: Value| {
        let mut pod = app();
        pod["metadata"]["ownerReferences"] = owner.clone();
        pod["spec"]["restartPolicy"] = policy;
        pod["spec"]["containers"][0]["restartPolicy"] = of_container;
        let pod: Value = without_nulls(pod);
        let outcomes = [&chosen, &fallback].map(|injection| old.pass(&[injection], &pod));
        let outcomes = outcomes.map(|outcome| outcome.map_err(|conflict| (conflict.reason, conflict.weight)));
        let allowed = plain(json!({"kind": "Container", "allowBlockingJob": true}));
        assert_eq!(old.admit(&[&allowed], &pod).names("containers"), ["app", "proxy"]);
        outcomes.map(|outcome| match outcome {
            Ok(admitted) => {
                assert_eq!(admitted.names("containers"), ["app", "proxy"]);
                false
            }
            Err(conflict) => {
                assert_eq!(conflict, (Reason::BlocksJob, Weight::Skipped));
                true
            }
        })
    };
    let (nobody, null) = (json!(null), json!(null));
    for owner in [&nobody, &workflow, &job] {
        for policy in ["Never", "OnFailure"] {
            assert_eq!(is_left_out(owner, json!(policy), null.clone()), [true, true], "{owner} {policy}");
        }
        assert_eq!(is_left_out(owner, json!("Always"), null.clone()), [false, false], "{owner}");
        // A container's own policy is stronger than the pod's.
        assert_eq!(is_left_out(owner, json!("Always"), json!("Never")), [true, true], "{owner}");
        assert_eq!(is_left_out(owner, json!("Never"), json!("Always")), [false, false], "{owner}");
    }
    assert_eq!(is_left_out(&nobody, null.clone(), null.clone()), [false, false]);
    assert_eq!(is_left_out(&workflow, null.clone(), null.clone()), [false, false]);
    assert_eq!(is_left_out(&job, null.clone(), null), [true, true], "the pods of a Job end, or there is no such Job");
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

#[test]
fn d5_the_users_order_is_kept_and_names_are_honoured() {
    let mut pod = inits(&["one", "vault", "two"]);
    pod["spec"]["initContainers"][1]["restartPolicy"] = json!("Always");
    let place = |order: Value| {
        let admitted = admit(&adding(json!({"containers": [native("proxy", order)]})), &pod);
        admitted.names("initContainers").join(" ")
    };
    assert_eq!(place(json!({"after": ["vault"]})), "one vault proxy two");
    assert_eq!(place(json!({"before": ["vault"]})), "one proxy vault two");
    assert_eq!(place(json!({"before": ["t*"], "after": ["v*"]})), "one vault proxy two");
    assert_eq!(place(json!({"before": ["*"], "after": ["vault"]})), "one vault proxy two");
    assert_eq!(place(json!({"before": ["*"]})), "proxy one vault two");
    assert_eq!(place(json!({"after": ["*"]})), "one vault two proxy");
    assert_eq!(place(json!({"after": ["*"], "before": ["two"]})), "one vault proxy two");
    assert_eq!(place(json!({"last": true})), "one vault two proxy");
    assert_eq!(place(json!({})), "one vault two proxy");
}

#[test]
fn c1_whoever_follows_moves_along() {
    let injection = adding(json!({
        "initContainers": [sidecar("setup", json!({"placement": {"order": {"after": ["istio-proxy"]}}}))],
        "containers": [native("proxy", json!({"after": ["setup"], "before": ["*"]}))],
    }));
    let mut first = admit(&injection, &inits(&["migrate"])).pod;
    first["spec"]["initContainers"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"name": "istio-proxy", "image": "i:1"}));
    let moved = readmit(&injection, &first);
    assert_eq!(moved.names("initContainers"), ["migrate", "istio-proxy", "setup", "proxy"]);
    assert_eq!(moved.reasons(), []);
}

#[test]
fn d5_who_is_placed_first_is_found_in_its_place_when_the_others_come() {
    let injection = adding(json!({
        "initContainers": [sidecar("setup", json!({"placement": {"order": {"before": ["proxy"]}}}))],
        "containers": [native("proxy", json!({"after": ["vault"]})), native("late", json!({"after": ["*"]}))],
    }));
    let admitted = admit(&injection, &inits(&["vault", "warm", "migrate"]));
    let names = admitted.names("initContainers");
    let place = |name: &str| names.iter().position(|found| *found == name).expect("there");
    assert!(
        place("vault") < place("proxy") && place("setup") < place("proxy") && place("proxy") < place("late"),
        "{names:?}"
    );
}

#[test]
fn c3_of_two_documents_that_are_first_the_earlier_one_is() {
    let one =
        named_document("one", &json!({"add": {"containers": [native("a", json!({"first": true}))]}})).expect("one");
    let two =
        named_document("two", &json!({"add": {"containers": [native("b", json!({"first": true}))]}})).expect("two");
    let admitted = Cluster::default().admit(&[&one, &two], &inits(&["migrate"]));
    assert_eq!(admitted.names("initContainers"), ["a", "b", "migrate"]);
    let last = |name, container| {
        let spec = json!({"add": {"containers": [native(container, json!({"last": true}))]}});
        named_document(name, &spec).expect("a document")
    };
    let admitted = Cluster::default().admit(&[&last("one", "a"), &last("two", "b")], &inits(&["migrate"]));
    assert_eq!(admitted.names("initContainers"), ["migrate", "b", "a"]);
}

#[test]
fn c3_what_this_pods_names_make_impossible_is_a_conflict_with_one_result() {
    let add = json!({"containers": [native("proxy", json!({"after": ["z*"], "before": ["a*"]}))]});
    let pod = inits(&["a-first", "z-last"]);
    let admitted = admit(&adding(add.clone()), &pod);
    assert_eq!(admitted.reasons(), [(Reason::OrderConflict, Weight::Warning)]);
    assert_eq!(admitted.names("initContainers"), ["a-first", "z-last", "proxy"]);
    let refused = conflict(&with_conflicts(add, json!({"order": "Deny"})), &pod);
    assert_eq!((refused.reason, refused.about.as_str()), (Reason::OrderConflict, "container \"proxy\""));
}

#[test]
fn c1_a_container_is_moved_once_and_then_the_contest_is_told_of() {
    let injection = adding(json!({"containers": [native("proxy", json!({"first": true}))]}));
    let first = admit(&injection, &inits(&["migrate"]));
    let push_in = |pod: &Value, name: &str| {
        let mut pod = pod.clone();
        let inits = pod["spec"]["initContainers"].as_array_mut().expect("a list");
        inits.insert(0, json!({"name": name, "image": "i:1"}));
        pod
    };
    let moved = readmit(&injection, &push_in(&first.pod, "istio-init"));
    assert_eq!(moved.names("initContainers"), ["proxy", "istio-init", "migrate"]);
    assert_eq!(
        moved
            .operations
            .iter()
            .filter(|operation| operation["path"].as_str().is_some_and(|p| p.contains("initContainers")))
            .count(),
        2
    );
    let contested = readmit(&injection, &push_in(&moved.pod, "vault-init"));
    assert_eq!(contested.names("initContainers"), ["vault-init", "proxy", "istio-init", "migrate"]);
    assert_eq!(contested.reasons(), [(Reason::OrderContested, Weight::Warning)]);
}
