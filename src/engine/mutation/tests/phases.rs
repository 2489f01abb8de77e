//! Through `decide`: what is answered of edits in audit mode, what the validate phase proves again, and what it refuses of documents.

use std::sync::Arc;

use serde_json::{Value, json};

use super::driver::{container_and_label, document, injection};
use crate::engine::mutation::document::GROUP;
use crate::engine::mutation::{Active, Documents, Reason, Surroundings};
use crate::engine::object::StringMap;
use crate::engine::pod_security::{Configuration, LevelVersion};
use crate::engine::{
    Annotation, Carried, Facts, Mode, ObjectKind, Operation, Phase, Request, Resource, Snapshot, Unlisted, Verdict,
    decide, json as decoder,
};

fn snapshot(documents: Vec<Arc<Active>>, mode: Mode) -> Snapshot {
    let snapshot = Snapshot::new(Configuration::uniform(LevelVersion::PRIVILEGED), Unlisted::Unknown);
    let mut snapshot = snapshot.with_documents(Arc::new(Documents::new(documents)));
    snapshot.mode = mode;
    snapshot.surroundings = Arc::new(Surroundings { has_native_sidecars: true, ..Surroundings::default() });
    snapshot.insert_namespace("shop", &StringMap::default());
    snapshot
}

/// Decides the creation of this object, a pod or a document.
fn decided(snapshot: &Snapshot, phase: Phase, object: &Value) -> Verdict {
    let text: &'static str = object.to_string().leak();
    let kind = object["kind"].as_str().expect("a kind");
    let (group, resource) = match kind {
        "Pod" => ("", "pods"),
        "PodDefaults" => (GROUP, "poddefaults"),
        _ => (GROUP, "sidecarinjections"),
    };
    let object = match phase {
        Phase::Mutate => Carried::Unread(crate::engine::Unread::of(text)),
        Phase::Validate => Carried::Object(Box::new(decoder::from_slice(text.as_bytes()).expect("an object"))),
    };
    let review = format!(r#"{{"request":{{"object":{text}}}}}"#);
    let request = Request {
        phase,
        uid: "u".into(),
        operation: Operation::Create,
        kind: ObjectKind { group: group.into(), kind: kind.into() },
        resource: Resource { group: group.into(), resource: resource.into() },
        subresource: "".into(),
        name: "web".into(),
        namespace: if group.is_empty() { "shop".into() } else { "".into() },
        username: "somebody".into(),
        dry_run: false,
        object,
        old_object: Carried::Absent,
        review: review.as_bytes(),
    };
    decide(&request, snapshot, &Facts::default())
}

fn pod(containers: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}})
}

fn app() -> Value {
    pod(json!([{"name": "app", "image": "app:1"}]))
}

fn annotation(verdict: &Verdict, key: &str) -> Option<String> {
    let found = verdict.annotations().iter().find(|annotation| annotation.key() == key);
    found.map(|annotation| annotation.value().into_owned())
}

#[test]
fn audit_mode_proposes_nothing_and_says_what_it_would() {
    let documents = || vec![injection("mesh", &container_and_label("proxy"), json!({}))];
    let enforced = decided(&snapshot(documents(), Mode::Enforce), Phase::Mutate, &app());
    let operations = enforced.patch().expect("a patch").operations();
    let audited = decided(&snapshot(documents(), Mode::Audit), Phase::Mutate, &app());
    assert_eq!((audited.is_allowed(), audited.patch()), (true, None));
    assert!(audited.annotations().contains(&Annotation::WouldPatch(operations)), "{:?}", audited.annotations());
    assert_eq!(annotation(&enforced, "would-patch"), None);
    assert_eq!(annotation(&audited, "mutation"), annotation(&enforced, "mutation"));
}

#[test]
fn audit_mode_refuses_nothing_over_a_conflict_and_says_what_it_would() {
    let documents = || vec![injection("mesh", &container_and_label("app"), json!({}))];
    let enforced = decided(&snapshot(documents(), Mode::Enforce), Phase::Mutate, &app());
    let denial = enforced.denial().expect("a denial");
    assert_eq!((denial.code, denial.reason, enforced.patch()), (403, "Forbidden", None));
    assert!(denial.message.contains("SidecarInjection/mesh: ") && denial.message.contains("container_name_taken"));
    let audited = decided(&snapshot(documents(), Mode::Audit), Phase::Mutate, &app());
    assert_eq!((audited.is_allowed(), audited.patch()), (true, None));
    assert_eq!(annotation(&audited, "would-deny").as_ref(), Some(&denial.message));
}

#[test]
fn i3_a_pod_that_arrives_without_what_it_must_have_is_refused_or_warned_of() {
    let verified = |verify: &str, object: &Value| {
        let document = injection("mesh", &container_and_label("proxy"), json!({"failure": {"verify": verify}}));
        decided(&snapshot(vec![document], Mode::Enforce), Phase::Validate, object)
    };
    let denied = verified("Deny", &app());
    let denial = denied.denial().expect("a denial");
    assert_eq!(denial.code, 403);
    assert!(denial.message.starts_with("pods \"web\" is forbidden: SidecarInjection/mesh: container \"proxy\": "));
    assert!(denial.message.ends_with("(item_missing)"), "{}", denial.message);
    let warned = verified("Warn", &app());
    assert_eq!((warned.is_allowed(), warned.warnings().len()), (true, 1));
    assert!(warned.warnings()[0].contains("item_missing"), "{:?}", warned.warnings());
    for verdict in [&denied, &warned] {
        let said = Annotation::Mutation("SidecarInjection/mesh item_missing container \"proxy\"".to_owned());
        assert!(verdict.annotations().contains(&said), "{:?}", verdict.annotations());
        let reasons: Vec<Reason> = verdict.notes().iter().map(|note| note.reason).collect();
        assert_eq!(reasons, [Reason::ItemMissing]);
    }
    let passed = verified("Off", &app());
    assert_eq!((passed.is_allowed(), passed.warnings().len()), (true, 0));
}

#[test]
fn i3_a_choice_that_is_none_is_no_way_round_while_nobody_asks_us() {
    let key = "mesh/inject";
    let verified = |verify: &str, value: &str| {
        let further = json!({"failure": {"verify": verify}, "enablement": {"podLabels": [key]}});
        let mut spec = further;
        spec["mode"] = json!("OptOut");
        spec["add"] = container_and_label("proxy");
        let mut pod = app();
        pod["metadata"]["labels"] = json!({key: value});
        decided(&snapshot(vec![document("SidecarInjection", "mesh", &spec)], Mode::Enforce), Phase::Validate, &pod)
    };
    let denied = verified("Deny", "nonsense");
    assert!(denied.denial().expect("a denial").message.ends_with("(invalid_choice)"));
    assert!(verified("Warn", "nonsense").warnings()[0].ends_with("(invalid_choice)"));
    let out = verified("Deny", "false");
    assert_eq!((out.is_allowed(), out.warnings().len()), (true, 0));
}

#[test]
fn b11_what_the_audit_log_is_told_is_bounded_however_much_there_is_to_say() {
    let spec = json!({"security": {"runAsNonRoot": "WhenUserIsKnown"}});
    let snapshot = snapshot(vec![document("PodDefaults", "users", &spec)], Mode::Enforce);
    let mut pod = app();
    let container = |number| json!({"name": format!("container-{number:03}"), "image": "i:1"});
    pod["spec"]["containers"] = (0..200).map(container).collect();
    let verdict = decided(&snapshot, Phase::Mutate, &pod);
    let [Annotation::Mutation(said)] = verdict.annotations() else { panic!("{:?}", verdict.annotations()) };
    assert!(said.len() <= 4096 && said.ends_with("; …"), "{} bytes: {said}", said.len());
    assert!(said.starts_with("PodDefaults/users in_by_default pod; PodDefaults/users user_unknown "), "{said}");
    assert_eq!(verdict.notes().len(), 201);
}

#[test]
fn i3_a_pod_that_arrives_with_what_it_must_have_passes_and_a_lookalike_does_not() {
    let document = injection("mesh", &container_and_label("proxy"), json!({"failure": {"verify": "Deny"}}));
    let snapshot = snapshot(vec![document], Mode::Enforce);
    let with = |image: &str| {
        let proxy = json!({"name": "proxy", "image": image, "restartPolicy": "Always"});
        let mut pod = app();
        pod["spec"]["initContainers"] = json!([proxy]);
        decided(&snapshot, Phase::Validate, &pod).is_allowed()
    };
    assert!(with("proxy:1"));
    assert!(!with("pause:3"));
}

/// A mesh that pods of every namespace have unless they say no, and must have unless they say no.
fn mandatory(mode: &str) -> Arc<Active> {
    let spec = json!({"mode": mode, "failure": {"verify": "Deny"}, "add": container_and_label("proxy"),
        "enablement": {"podLabels": ["mesh/inject"], "podAnnotations": ["mesh/inject"]}});
    document("SidecarInjection", "mesh", &spec)
}

/// The pod as the mutate phase makes it; what it is if nobody is asked in that phase is the pod itself.
fn mutated(snapshot: &Snapshot, pod: &Value) -> Value {
    let verdict = decided(snapshot, Phase::Mutate, pod);
    let operations = verdict.patch().expect("a patch").json().to_owned();
    let operations: json_patch::Patch = serde_json::from_str(&operations).expect("operations");
    let mut pod = pod.clone();
    json_patch::patch(&mut pod, &operations).expect("a patch that applies");
    pod
}

#[test]
fn i3_whoever_says_no_is_not_missed_where_he_may_say_so() {
    let choices = [json!({"labels": {"mesh/inject": "false"}}), json!({"annotations": {"mesh/inject": "false"}})];
    for choice in choices {
        let mut pod = app();
        pod["metadata"] = choice;
        pod["metadata"]["name"] = json!("web");
        let verified = |mode: &str| decided(&snapshot(vec![mandatory(mode)], Mode::Enforce), Phase::Validate, &pod);
        assert!(verified("OptOut").is_allowed(), "{pod}");
        assert!(!verified("Always").is_allowed(), "{pod}");
    }
    let mut on_host = app();
    on_host["spec"]["hostNetwork"] = json!(true);
    assert!(decided(&snapshot(vec![mandatory("Always")], Mode::Enforce), Phase::Validate, &on_host).is_allowed());
}

#[test]
fn i3_a_pod_that_the_mutate_phase_never_saw_is_refused_and_one_that_somebody_stripped_too() {
    let snapshot = snapshot(vec![mandatory("OptOut")], Mode::Enforce);
    let is_allowed = |pod: &Value| decided(&snapshot, Phase::Validate, pod).is_allowed();
    assert!(!is_allowed(&app()), "as if the webhook had been down, and its failure ignored");
    let complete = mutated(&snapshot, &app());
    assert!(is_allowed(&complete));
    let stripped = |change: fn(&mut Value)| {
        let mut pod = complete.clone();
        change(&mut pod["spec"]);
        is_allowed(&pod)
    };
    assert!(!stripped(|spec| spec["initContainers"] = json!([])));
    assert!(!stripped(|spec| spec["initContainers"][0]["image"] = json!("evil.example/proxy:1")));
    assert!(!stripped(|spec| spec["initContainers"][0]["command"] = json!(["sleep"])));
    assert!(!stripped(|spec| spec["initContainers"][0]["name"] = json!("proxy-2")));
    assert!(!stripped(|spec| drop(
        spec["initContainers"][0].as_object_mut().and_then(|proxy| proxy.remove("restartPolicy"))
    )));
    assert!(stripped(|spec| spec["initContainers"][0]["resources"] = json!({"requests": {"cpu": "1"}})));
}

fn judged(documents: Vec<Arc<Active>>, kind: &str, spec: Value) -> Verdict {
    let object = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "web"}, "spec": spec});
    decided(&snapshot(documents, Mode::Enforce), Phase::Validate, &object)
}

#[test]
fn a_document_with_flaws_is_refused_with_each_at_its_field() {
    let containers = json!([
        {"container": {"name": "Not A Name", "image": "a"}},
        {"container": {"name": "twice", "image": "a", "volumeMounts": [{"name": "absent", "mountPath": "/a"}]}},
        {"container": {"name": "twice", "image": "a"}},
    ]);
    let verdict = judged(Vec::new(), "SidecarInjection", json!({"add": {"containers": containers}}));
    let denial = verdict.denial().expect("a denial");
    assert_eq!((denial.code, denial.reason, &*denial.details.group), (422, "Invalid", GROUP));
    let fields: Vec<&str> = denial.details.causes.iter().map(|cause| cause.field.as_str()).collect();
    assert!(fields.len() >= 3, "{fields:?}");
    assert!(fields.iter().all(|field| field.starts_with("spec.add.containers[")), "{fields:?}");
    assert!(denial.details.causes.iter().all(|cause| cause.reason == "FieldValueInvalid"));
}

#[test]
fn a_document_with_an_unknown_field_or_type_is_refused_with_its_path() {
    for (kind, spec, path) in [
        ("SidecarInjection", json!({"add": {"pod": {"label": {}}}}), "spec.add.pod.label"),
        ("SidecarInjection", json!({"precedence": "high"}), "spec.precedence"),
        ("PodDefaults", json!({"cel": "true"}), "spec.cel"),
    ] {
        let verdict = judged(Vec::new(), kind, spec);
        let denial = verdict.denial().expect("a denial");
        assert_eq!((denial.code, denial.details.causes[0].field.as_str()), (422, path));
        assert!(denial.message.starts_with(&format!("{kind}.{GROUP} \"web\" is invalid: ")), "{}", denial.message);
    }
}

#[test]
fn a_document_that_has_all_pods_of_another_refused_is_refused_with_the_place() {
    let adding = |name: &str, image: &str, port: u16| {
        json!({"containers": [{"container": {"name": name, "image": image, "ports": [{"containerPort": port}]}}],
            "volumes": [{"volume": {"name": "buffer", "emptyDir": {}}}]})
    };
    let mesh = || vec![injection("mesh", &adding("proxy", "proxy:1", 9000), json!({"mode": "Always"}))];
    let fields = |spec: Value| {
        let verdict = judged(mesh(), "SidecarInjection", spec);
        let causes = verdict.denial().map(|denial| denial.details.causes.clone()).unwrap_or_default();
        causes.into_iter().map(|cause| cause.field).collect::<Vec<_>>()
    };
    let other = adding("proxy", "proxy:2", 9001);
    for spec in [
        json!({"mode": "Always", "add": other}),
        json!({"mode": "OptOut", "match": {"podSelector": {"matchLabels": {"a": "b"}}}, "add": other}),
        json!({"enablement": {"podLabels": ["example.com/inject"]}, "add": other}),
    ] {
        assert_eq!(fields(spec), ["spec.add.containers[0].container.name"]);
    }
    let port = json!({"mode": "Always", "add": adding("other", "other:1", 9000)});
    assert_eq!(fields(port), ["spec.add.containers[0]"]);
    let volume = json!({"mode": "Always", "add": {"volumes": [{"volume": {"name": "buffer", "emptyDir": {"medium": "Memory"}}}]}});
    assert_eq!(fields(volume), ["spec.add.volumes"]);
    // What is the same, is for no pod, is left out by its own word, or may never meet, is nobody's harm.
    for spec in [
        json!({"mode": "Always", "add": adding("proxy", "proxy:1", 9000)}),
        json!({"mode": "Disabled", "add": other}),
        json!({"mode": "Always", "conflicts": {"containerName": "Skip"}, "add": other}),
        json!({"mode": "Always", "match": {"os": ["windows"]}, "add": other}),
    ] {
        assert_eq!(fields(spec), Vec::<String>::new());
    }
}

#[test]
fn a_document_that_adds_a_container_of_another_document_is_warned_of() {
    let others = || vec![injection("mesh", &container_and_label("proxy"), json!({}))];
    let same = judged(others(), "SidecarInjection", json!({"add": container_and_label("proxy")}));
    assert!(same.is_allowed());
    assert!(same.warnings()[0].starts_with("SidecarInjection/mesh adds a container \"proxy\" too"));
    let other = judged(others(), "SidecarInjection", json!({"add": container_and_label("other")}));
    assert_eq!((other.is_allowed(), other.warnings().len()), (true, 0));
}
