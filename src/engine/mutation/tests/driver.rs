//! The driver: documents carried out whole or not at all, each with the outcome that it declares, and the self-check that finds whose
//! fault it is.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::engine::Unread;
use crate::engine::mutation::document::Document;
use crate::engine::mutation::{Active, Documents, Note, Reason, Rules, Weight, World, mutate, passed_over};
use crate::engine::pod_security::{Level, LevelVersion};

pub(super) fn document(kind: &str, name: &str, spec: &Value) -> Arc<Active> {
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    Arc::new(Active::compile(&Document::read(&json.to_string()).expect("a document")).expect("no flaws"))
}

/// A SidecarInjection for every pod, with further fields.
pub(super) fn injection(name: &str, add: &Value, further: Value) -> Arc<Active> {
    let mut spec = further;
    spec["mode"] = json!("Always");
    spec["add"] = add.clone();
    document("SidecarInjection", name, &spec)
}

/// A container of this name, and a label `NAME: added`.
pub(super) fn container_and_label(name: &str) -> Value {
    json!({"containers": [{"container": {"name": name, "image": format!("{name}:1")}}], "pod": {"labels": {name: "added"}}})
}

pub(super) struct Outcome {
    pub(super) pod: Value,
    pub(super) has_patch: bool,
    notes: Vec<Note>,
    /// The documents of which the notes say nothing, and why they are not for the pod.
    passed_over: Vec<(String, Reason)>,
}

impl Outcome {
    pub(super) fn labels(&self) -> Vec<&str> {
        self.pod["metadata"]["labels"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
    }

    pub(super) fn containers(&self) -> Vec<&str> {
        let lists = ["initContainers", "containers"].into_iter();
        let all = lists.flat_map(|list| self.pod["spec"][list].as_array().into_iter().flatten());
        all.map(|container| container["name"].as_str().expect("a name")).collect()
    }

    /// What is said beside the details: by which document, why and how.
    pub(super) fn said(&self) -> Vec<(&str, Reason, Weight)> {
        let notes = self.notes.iter().filter(|note| note.weight > Weight::Detail);
        notes.map(|note| (note.document.as_str(), note.reason, note.weight)).collect()
    }
}

pub(super) fn carried_out(documents: Vec<Arc<Active>>, pod: &Value, level: Level) -> Outcome {
    let documents = Documents::new(documents);
    let candidates = documents.candidates(|_| None);
    let world = World { namespace: "shop", has_native_sidecars: true, ..World::default() };
    let enforced = LevelVersion { level, ..LevelVersion::default() };
    let text = pod.to_string();
    let rules = Rules { documents: &documents, candidates: &candidates, world: &world, enforced };
    let mutated = mutate(Unread::of(&text), rules);
    let passed_over =
        passed_over(Unread::of(&text), rules).into_iter().map(|note| (note.document, note.reason)).collect();
    let pod = serde_json::from_str(&mutated.pod.to_json()).expect("JSON");
    Outcome { pod, has_patch: mutated.patch.is_some(), notes: mutated.notes, passed_over }
}

fn pod() -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}})
}

/// Adds a label and the container `app`, whose name is taken.
fn colliding(conflicts: &Value) -> Arc<Active> {
    let mut add = container_and_label("app");
    add["patchContainers"] = json!([{"env": [{"name": "A", "value": "1"}]}]);
    injection("colliding", &add, json!({"conflicts": conflicts}))
}

#[test]
fn a_conflict_takes_back_the_whole_document_and_no_other() {
    let documents = vec![
        injection("a", &container_and_label("first"), json!({})),
        colliding(&json!({"containerName": "Skip"})),
        injection("z", &container_and_label("last"), json!({})),
    ];
    let outcome = carried_out(documents, &pod(), Level::Privileged);
    assert_eq!(outcome.labels(), ["first", "last"]);
    assert_eq!(outcome.containers(), ["first", "last", "app"]);
    assert!(outcome.pod["spec"]["containers"][0].get("env").is_none());
    assert_eq!(outcome.said(), [("SidecarInjection/colliding", Reason::ContainerNameTaken, Weight::Skipped)]);
}

#[test]
fn a_conflict_that_denies_leaves_no_patch() {
    let documents = vec![injection("a", &container_and_label("first"), json!({})), colliding(&json!({}))];
    let outcome = carried_out(documents, &pod(), Level::Privileged);
    assert_eq!(outcome.said(), [("SidecarInjection/colliding", Reason::ContainerNameTaken, Weight::Denied)]);
    assert!(!outcome.has_patch);
}

#[test]
fn a_conflict_that_warns_is_gone_through_with() {
    let mut add = container_and_label("side");
    add["containers"][0]["reserves"] = json!({"ports": [80]});
    let mut listening = pod();
    listening["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    let documents = vec![injection("a", &add, json!({"conflicts": {"port": "Warn"}}))];
    let outcome = carried_out(documents, &listening, Level::Privileged);
    assert_eq!(outcome.said(), [("SidecarInjection/a", Reason::PortTaken, Weight::Warning)]);
    assert_eq!((outcome.containers(), outcome.labels()), (vec!["side", "app"], vec!["side"]));
}

#[test]
fn b10_b11_a_document_for_whose_annotations_there_is_no_room_is_left_out_or_refuses_as_it_says() {
    let mut full = pod();
    full["metadata"]["annotations"] = json!({"user": "x".repeat((256 << 10) - 100)});
    for (on_self_check, weight) in [("Admit", Weight::Skipped), ("Deny", Weight::Denied)] {
        let mut add = container_and_label("side");
        add["pod"]["annotations"] = json!({"ours": "y".repeat(200)});
        let too_much = injection("b", &add, json!({"failure": {"onSelfCheck": on_self_check}}));
        let little = injection("a", &container_and_label("first"), json!({}));
        let outcome = carried_out(vec![little, too_much], &full, Level::Privileged);
        assert_eq!(outcome.said(), [("SidecarInjection/b", Reason::AnnotationsFull, weight)]);
        assert_eq!((outcome.labels(), outcome.containers()), (vec!["first"], vec!["first", "app"]));
        assert_eq!(outcome.has_patch, weight == Weight::Skipped);
    }
}

#[test]
fn a_document_that_another_one_makes_apply_applies_in_the_same_pass() {
    let selected = |name: &str, label: &str, value: Value| {
        let matched = json!({"podSelector": {"matchLabels": {label: "added"}}});
        document("PodDefaults", name, &json!({"match": matched, "mode": "Always", "pod": value}))
    };
    let documents = vec![
        injection("z", &container_and_label("mesh"), json!({})),
        selected("defaults", "mesh", json!({"labels": {"next": "added"}})),
        selected("after-next", "next", json!({"labels": {"third": "added"}})),
        selected("never", "absent", json!({"labels": {"never": "added"}})),
    ];
    let outcome = carried_out(documents, &pod(), Level::Privileged);
    assert_eq!(outcome.labels(), ["mesh", "next", "third"], "{:?}", outcome.notes);
    let why = |name: &str| -> Vec<Reason> {
        let notes = outcome.notes.iter().filter(|note| note.document == format!("PodDefaults/{name}"));
        notes.map(|note| note.reason).collect()
    };
    assert_eq!((why("defaults"), why("after-next")), (vec![Reason::Always], vec![Reason::Always]));
    assert_eq!(outcome.passed_over, [("PodDefaults/never".to_owned(), Reason::NoMatch)]);
}

#[test]
fn a_document_that_is_passed_over_is_explained_from_what_the_pod_has_become() {
    let choosing = json!({"enablement": {"podLabels": ["mesh", "other"]}, "mode": "OptIn"});
    let declining =
        json!({"containers": [{"container": {"name": "m", "image": "m:1"}}], "pod": {"labels": {"mesh": "false"}}});
    let documents = vec![injection("a", &declining, json!({})), document("PodDefaults", "choosing", &choosing)];
    let outcome = carried_out(documents, &pod(), Level::Privileged);
    assert_eq!(outcome.passed_over, [("PodDefaults/choosing".to_owned(), Reason::PodOptOut)]);
}

/// Adds a volume that the baseline standard forbids.
fn violating(further: Value) -> Arc<Active> {
    let mut add = container_and_label("violating");
    add["volumes"] = json!([{"volume": {"name": "host", "hostPath": {"path": "/"}}}]);
    add["containers"][0]["container"]["volumeMounts"] = json!([{"name": "host", "mountPath": "/host"}]);
    injection("m", &add, further)
}

fn held_against_baseline(further: Value, pod: &Value) -> Outcome {
    let good = |name: &str| injection(name, &container_and_label(name), json!({}));
    carried_out(vec![good("a"), violating(further), good("z")], pod, Level::Baseline)
}

#[test]
fn a_result_that_violates_the_namespace_s_standard_is_blamed_on_the_document_at_fault() {
    let reason = Reason::WouldViolatePodSecurity;
    let denied = held_against_baseline(json!({}), &pod());
    assert_eq!(denied.said(), [("SidecarInjection/m", reason, Weight::Denied)]);
    assert!(!denied.has_patch);
    let skipped = held_against_baseline(json!({"conflicts": {"other": "Skip"}}), &pod());
    assert_eq!(skipped.said(), [("SidecarInjection/m", reason, Weight::Skipped)]);
    assert_eq!((skipped.containers(), skipped.labels()), (vec!["a", "z", "app"], vec!["a", "z"]));
    assert!(skipped.pod["spec"].get("volumes").is_none());
    let warned = held_against_baseline(json!({"conflicts": {"other": "Warn"}}), &pod());
    assert_eq!(warned.said(), [("SidecarInjection/m", reason, Weight::Warning)]);
    assert_eq!(warned.labels(), ["a", "violating", "z"]);
}

#[test]
fn a_document_that_may_violate_the_standard_leaves_the_judgement_to_it() {
    let outcome = held_against_baseline(json!({"safety": {"podSecurity": "Allow"}}), &pod());
    assert_eq!((outcome.said(), outcome.labels()), (vec![], vec!["a", "violating", "z"]));
    let details: Vec<Reason> = outcome.notes.iter().map(|note| note.reason).collect();
    assert!(details.contains(&Reason::WouldViolatePodSecurity), "{details:?}");
}

#[test]
fn a_pod_that_violates_the_standard_itself_gets_its_sidecars_and_no_blame() {
    let mut privileged = pod();
    privileged["spec"]["hostPID"] = json!(true);
    let good = injection("a", &container_and_label("a"), json!({}));
    let outcome = carried_out(vec![good], &privileged, Level::Restricted);
    assert_eq!((outcome.said(), outcome.labels()), (vec![], vec!["a"]));
}

#[test]
fn a_pod_without_room_for_an_addition_goes_without_it() {
    let of_size = |bytes: usize| {
        let mut pod = pod();
        pod["spec"]["containers"][0]["args"] = json!(["x".repeat(bytes)]);
        pod
    };
    let adding = |further: Value| vec![injection("a", &container_and_label("ours"), further)];
    let fits = carried_out(adding(json!({})), &of_size(1400 << 10), Level::Privileged);
    assert_eq!((fits.containers().len(), fits.said()), (2, Vec::new()));
    for size in [(1520 << 10) - 200, 1536 << 10, 2 << 20] {
        let full = carried_out(adding(json!({})), &of_size(size), Level::Privileged);
        assert_eq!(full.said(), [("SidecarInjection/a", Reason::TooLarge, Weight::Skipped)], "{size}");
        assert_eq!((full.containers(), full.has_patch), (vec!["app"], false), "{size}");
        let deny = json!({"failure": {"onSelfCheck": "Deny"}});
        let denied = carried_out(adding(deny), &of_size(size), Level::Privileged);
        assert_eq!(denied.said(), [("SidecarInjection/a", Reason::TooLarge, Weight::Denied)], "{size}");
    }
}
