//! Documents that want the same name or port of a pod, where one of them is left out of that pod: the first pass and the API server's
//! second one come to the same, and nobody is refused for what we did ourselves.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{Outcome, carried_out, injection};
use crate::engine::mutation::{Active, Reason, Weight};
use crate::engine::pod_security::Level;

/// A container `shipper` of this image that reads a volume `logs` from this source, with further fields of the document.
fn shipper(name: &str, source: &Value, further: Value) -> Arc<Active> {
    let mut volume = json!({"name": "logs"});
    volume.as_object_mut().expect("an object").extend(source.as_object().cloned().expect("a source"));
    let mount = json!({"name": "logs", "mountPath": "/logs"});
    let container = json!({"name": "shipper", "image": format!("{name}:1"), "volumeMounts": [mount]});
    let add = json!({"containers": [{"container": container, "reserves": {"ports": [2020]}}], "volumes": [{"volume": volume}],
        "pod": {"labels": {name: "added"}}});
    injection(name, &add, further)
}

/// What the baseline standard forbids.
fn from_the_host(name: &str, conflicts: &Value) -> Arc<Active> {
    shipper(name, &json!({"hostPath": {"path": "/var/log"}}), json!({"conflicts": conflicts}))
}

fn from_a_volume(name: &str) -> Arc<Active> {
    shipper(name, &json!({"emptyDir": {}}), json!({}))
}

fn pod() -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}})
}

/// What the first pass comes to; the second changes nothing and leaves out the same. Of what is there already nobody is warned again.
fn in_two_passes(documents: &[Arc<Active>], level: Level) -> Outcome {
    let first = carried_out(documents.to_vec(), &pod(), level);
    let second = carried_out(documents.to_vec(), &first.pod, level);
    let left_out = |outcome: &Outcome| -> Vec<String> {
        let said = outcome.said().into_iter().filter(|(.., weight)| *weight > Weight::Warning);
        said.map(|said| format!("{said:?}")).collect()
    };
    assert_eq!(left_out(&second), left_out(&first));
    assert_eq!(second.pod, first.pod);
    assert!(!second.has_patch);
    first
}

const VIOLATES: Reason = Reason::WouldViolatePodSecurity;

#[test]
fn whoever_is_left_out_by_pod_security_takes_no_name_from_another_whatever_the_order() {
    for name in ["a-host", "z-host"] {
        let documents = [from_the_host(name, &json!({"other": "Skip"})), from_a_volume("logs")];
        let outcome = in_two_passes(&documents, Level::Baseline);
        let title = format!("SidecarInjection/{name}");
        assert_eq!(outcome.said(), [(title.as_str(), VIOLATES, Weight::Skipped)], "{name}");
        assert_eq!((outcome.containers(), outcome.labels()), (vec!["shipper", "app"], vec!["logs"]), "{name}");
        assert_eq!(outcome.pod["spec"]["volumes"], json!([{"name": "logs", "emptyDir": {}}]), "{name}");
    }
}

#[test]
fn two_that_violate_are_both_left_out() {
    let skip = json!({"other": "Skip"});
    let outcome = in_two_passes(&[from_the_host("a", &skip), from_the_host("b", &skip)], Level::Baseline);
    let left_out = |name| (name, VIOLATES, Weight::Skipped);
    assert_eq!(outcome.said(), [left_out("SidecarInjection/a"), left_out("SidecarInjection/b")]);
    assert!(!outcome.has_patch);
}

#[test]
fn where_both_may_have_it_the_name_is_taken_at_once() {
    let documents = [from_the_host("a", &json!({"other": "Skip"})), from_a_volume("b")];
    let outcome = carried_out(documents.to_vec(), &pod(), Level::Privileged);
    let reasons: Vec<_> = outcome.said().into_iter().map(|(document, _, weight)| (document, weight)).collect();
    assert_eq!(reasons, [("SidecarInjection/b", Weight::Denied)]);
    // And who has to be there, or nobody, is refused at once.
    let outcome = carried_out(vec![from_the_host("a", &json!({})), from_a_volume("b")], &pod(), Level::Baseline);
    assert_eq!(outcome.said(), [("SidecarInjection/a", VIOLATES, Weight::Denied)]);
}

#[test]
fn a_name_that_the_pod_itself_has_taken_stays_a_conflict() {
    let mut taken = pod();
    taken["spec"]["containers"][0]["name"] = json!("shipper");
    let fine = from_a_volume("b");
    let documents = vec![injection("z", &json!({"pod": {"labels": {"z": "added"}}}), json!({})), fine];
    let outcome = carried_out(documents, &taken, Level::Baseline);
    assert_eq!(outcome.said(), [("SidecarInjection/b", Reason::ContainerNameTaken, Weight::Denied)]);
}

/// Every outcome that the two may declare for a name, a volume, a port and the rest.
fn declared() -> Vec<Value> {
    let mut all = Vec::new();
    for name in ["Deny", "Skip"] {
        for volume in ["Deny", "Skip", "Rename"] {
            for port in ["Deny", "Skip", "Remap"] {
                for other in ["Deny", "Skip", "Warn"] {
                    all.push(json!({"containerName": name, "volumeName": volume, "port": port, "other": other}));
                }
            }
        }
    }
    all
}

#[test]
fn nobody_whom_the_first_pass_let_in_is_refused_by_the_second_whatever_is_declared() {
    let with = |name: &str, source: Value, conflicts: &Value| shipper(name, &source, json!({"conflicts": conflicts}));
    let mut is_let_in = 0;
    for conflicts in declared() {
        for further in [json!({}), json!({"containerName": "Skip", "volumeName": "Rename", "port": "Remap"})] {
            for name in ["a-host", "z-host"] {
                let host = with(name, json!({"hostPath": {"path": "/var/log"}}), &conflicts);
                let documents = [host, with("logs", json!({"emptyDir": {}}), &further)];
                let first = carried_out(documents.to_vec(), &pod(), Level::Baseline);
                if first.said().iter().all(|(.., weight)| *weight < Weight::Denied) {
                    is_let_in += 1;
                    in_two_passes(&documents, Level::Baseline);
                }
            }
        }
    }
    assert!(is_let_in > 100, "{is_let_in}");
}
