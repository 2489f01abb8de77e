//! Other injectors: what they leave of pods is given to us, and we leave theirs alone.
//!
//! Every pod of `pods/`, written after what each injector produces, meets every ready-made document and those of `documents/`, one
//! by one and all together. Whatever the pair: a conflict only where two want the same thing, nothing of theirs is touched or moved,
//! fields that nobody knows survive, a second pass changes nothing, what must be there is found, and what was added can be taken back.

mod fields;
mod kept;
mod offline;
mod stage;
mod turns;

use portcullis::engine::mutation::{Reason, Weight};
use portcullis::engine::pod_security::Level;
use serde_json::{Value, json};
use stage::{Stage, documents, names, pods};

/// Where both want the same: the pod, the document, and over what. Two meshes in one pod are refused, not mixed up.
const CONFLICTS: [(&str, &str, Reason); 5] = [
    ("istio-native", "mesh-proxy", Reason::UidTaken),
    ("istio-holding", "mesh-proxy", Reason::UidTaken),
    ("istio-after-a-cni-plugin", "mesh-proxy", Reason::UidTaken),
    ("kuma", "mesh-proxy", Reason::PortTaken),
    ("consul", "mesh-proxy", Reason::PortTaken),
];

/// What there may be to tell where nothing is in the way.
const TOLD: [Reason; 5] = [
    Reason::ProbeOfAnother,
    Reason::RunsAsRoot,
    Reason::UserUnknown,
    Reason::QosBestEffortToBurstable,
    Reason::NotGuaranteed,
];

#[test]
fn there_is_a_conflict_only_where_two_want_the_same() {
    for (name, pod) in pods() {
        for document in documents() {
            let expected = CONFLICTS.iter().find(|conflict| (conflict.0, conflict.1) == (&name, &document.name));
            let expected = expected.map(|(.., reason)| (*reason, Weight::Denied));
            let notes = Stage::of(&[&document]).mutate(&pod).notes;
            let told: Vec<_> = notes.iter().filter(|note| note.weight > Weight::Detail).collect();
            let in_the_way =
                told.iter().map(|note| (note.reason, note.weight)).find(|(_, weight)| *weight > Weight::Warning);
            assert_eq!(in_the_way, expected, "{name}, {}: {told:?}", document.name);
            let is_expected = |reason: Reason| expected.is_some() || TOLD.contains(&reason);
            assert!(told.iter().all(|note| is_expected(note.reason)), "{name}, {}: {told:?}", document.name);
        }
    }
}

#[test]
fn nothing_of_theirs_is_touched_or_moved_and_fields_that_nobody_knows_survive() {
    each_together_and_apart(|title, stage, pod| {
        let pod = fields::with_unknown_ones(pod);
        let stage::Outcome { result, notes, .. } = stage.mutate(&pod);
        assert!(notes.iter().all(|note| note.weight < Weight::Skipped), "{title}: {notes:?}");
        kept::assert_kept(&pod, &result, &title);
        if !stage.has_defaults() {
            kept::assert_theirs_equal(&pod, &pod, &result, &title);
        }
    });
}

#[test]
fn a_pod_that_comes_back_complete_is_left_as_it_is_and_has_what_it_must_have() {
    each_together_and_apart(|title, stage, pod| {
        let once = stage.completed(&stage.mutate(&stage.completed(pod)).result);
        let again = stage.mutate(&once);
        assert_eq!(again.operations, json!([]), "{title}: a second pass");
        assert_eq!(stage.lacks(&once), [] as [String; 0], "{title}");
    });
}

#[test]
fn what_was_added_is_taken_back_to_the_letter() {
    each_together_and_apart(|title, stage, pod| {
        let injected = stage.mutate(pod).result;
        let (back, notes) = stage.taken_back(&injected);
        if stage.has_defaults() {
            // What an author happened to write as a default has it goes too, is told, and comes back with the document.
            assert_eq!(stage.mutate(&back).result["spec"], injected["spec"], "{title}");
            assert!(notes.iter().all(|note| note.reason == Reason::DefaultTakenBack), "{title}: {notes:?}");
            kept::assert_kept(&back, pod, &title);
        } else {
            assert_ne!(&injected, pod, "{title}");
            assert_eq!((&back, notes), (pod, Vec::new()), "{title}");
            let newer = fields::with_unknown_ones(pod);
            assert_eq!(stage.taken_back(&stage.mutate(&newer).result).0, newer, "{title}");
        }
    });
}

#[test]
fn sidecars_violate_nothing_that_is_enforced_whatever_theirs_violate() {
    let names = ["adapter", "ambassador", "gateway", "log-shipper", "plain", "wait-for"];
    for (name, pod) in pods() {
        let outcome = Stage::named(&names).enforcing(Level::Restricted).mutate(&pod);
        let told: Vec<_> = outcome.notes.iter().filter(|note| note.weight > Weight::Detail).collect();
        assert!(told.iter().all(|note| TOLD.contains(&note.reason)), "{name}: {told:?}");
        assert_ne!(outcome.operations, json!([]), "{name}");
    }
}

#[test]
fn defaults_neither_probe_nor_lock_their_containers() {
    let stage = Stage::named(&["everything"]);
    for (name, pod) in pods() {
        let result = stage.mutate(&pod).result;
        for list in ["initContainers", "containers"] {
            let was =
                |name: &Value| pod["spec"][list].as_array().and_then(|all| all.iter().find(|it| it["name"] == *name));
            for container in result["spec"][list].as_array().into_iter().flatten() {
                let before = was(&container["name"]).expect("a container that was there");
                let is_same = |pointer: &str| container.pointer(pointer) == before.pointer(pointer);
                let is_left = is_same("/readinessProbe") && is_same("/securityContext/readOnlyRootFilesystem");
                assert_eq!(is_left && is_same("/volumeMounts"), kept::is_theirs(before, &pod), "{name}: {container}");
            }
        }
    }
}

#[test]
fn what_an_injector_adds_after_us_stays_and_we_come_to_rest() {
    let names = ["adapter", "ambassador", "gateway", "log-shipper", "plain", "wait-for"];
    let stage = Stage::named(&names);
    for (name, pod) in pods() {
        let once = stage.completed(&stage.mutate(&stage.completed(&without_theirs(&pod))).result);
        let joined = stage.completed(&with_theirs(&once, &pod));
        let second = stage.mutate(&joined);
        assert!(second.notes.iter().all(|note| note.weight < Weight::Skipped), "{name}: {:?}", second.notes);
        kept::assert_theirs_equal(&pod, &joined, &second.result, &name);
        let third = stage.mutate(&stage.completed(&second.result));
        assert_eq!(third.operations, json!([]), "{name}");
        assert_eq!(stage.lacks(&second.result), [] as [String; 0], "{name}");
    }
}

/// The pod before an injector came to it, but for what that did to the app's containers.
fn without_theirs(pod: &Value) -> Value {
    let mut apps = pod.clone();
    for list in ["initContainers", "containers"] {
        if let Some(containers) = apps["spec"][list].as_array_mut() {
            containers.retain(|container| !kept::is_theirs(container, pod));
        }
    }
    apps
}

/// The pod with the injector's containers put before all others, as most do.
fn with_theirs(once: &Value, pod: &Value) -> Value {
    let mut joined = once.clone();
    for list in ["initContainers", "containers"] {
        let containers = pod["spec"][list].as_array().cloned().unwrap_or_default();
        let mut theirs: Vec<Value> =
            containers.into_iter().filter(|container| kept::is_theirs(container, pod)).collect();
        theirs.extend(joined["spec"][list].as_array().cloned().unwrap_or_default());
        if !theirs.is_empty() {
            joined["spec"][list] = json!(theirs);
        }
    }
    joined
}

/// Every pod with each document that is no conflict, with all those that add, and with all.
fn each_together_and_apart(check: impl Fn(String, &Stage, &Value)) {
    let all = documents();
    for (name, pod) in pods() {
        let is_conflict =
            |document: &str| CONFLICTS.iter().any(|conflict| (conflict.0, conflict.1) == (name.as_str(), document));
        let fitting: Vec<_> = all.iter().filter(|document| !is_conflict(&document.name)).collect();
        for document in &fitting {
            check(format!("{name}, {}", document.name), &Stage::of(&[document]), &pod);
        }
        let adding: Vec<_> = fitting.iter().copied().filter(|document| !document.is_defaults).collect();
        check(format!("{name}, all that add"), &Stage::of(&adding), &pod);
        check(format!("{name}, all"), &Stage::of(&fitting), &pod);
    }
}

#[test]
fn kubectl_is_led_to_the_app_and_not_to_a_proxy() {
    let result = Stage::named(&["gateway"]).mutate(&stage::pod("linkerd-waited-for")).result;
    assert_eq!(result["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"], "app");
}

#[test]
fn a_document_that_names_their_container_edits_it() {
    let named =
        json!({"select": {"names": {"include": ["linkerd-proxy"]}}, "env": [{"name": "LOG", "value": "debug"}]});
    let stage = Stage::of(&[&stage::injection(json!({"mode": "Always", "add": {"patchContainers": [named]}}))]);
    let result = stage.mutate(&stage::pod("linkerd-waited-for")).result;
    let edited: Vec<bool> = result["spec"]["containers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|container| container.to_string().contains("debug"))
        .collect();
    assert_eq!(edited, [true, false]);
}

#[test]
fn the_choice_for_istio_counts_for_our_mesh_and_theirs_for_nobody_else() {
    let decided = |labels: Value, annotations: Value| {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "labels": labels, "annotations": annotations},
            "spec": {"containers": [{"name": "app", "image": "app:1"}]}});
        let names = ["adapter", "ambassador", "log-shipper", "mesh-proxy", "wait-for"];
        let notes = Stage::named(&names).mutate(&pod).notes;
        let choices = [Reason::PodLabel, Reason::PodAnnotation, Reason::PodOptOut, Reason::InvalidChoice];
        let told = notes.iter().filter(|note| choices.contains(&note.reason));
        told.map(|note| format!("{} {}", note.document, note.reason.code())).collect::<Vec<_>>()
    };
    let mesh = |code: &str| vec![format!("SidecarInjection/mesh-proxy {code}")];
    let istio = "sidecar.istio.io/inject";
    assert_eq!(decided(json!({istio: "true"}), json!({})), mesh("pod_label"));
    assert_eq!(decided(json!({istio: "false"}), json!({})), mesh("pod_opt_out"));
    assert_eq!(decided(json!({}), json!({istio: "true"})), mesh("pod_annotation"));
    assert_eq!(decided(json!({istio: "on"}), json!({})), mesh("invalid_choice"));
    let others = json!({"linkerd.io/inject": "enabled", "vault.hashicorp.com/agent-inject": "true", "dapr.io/enabled": "true",
        "sidecar.opentelemetry.io/inject": "true", "sidecar.istio.io/proxyCPU": "1"});
    assert_eq!(decided(json!({}), others), [] as [String; 0]);
}

#[test]
fn a_probe_stays_only_where_somebody_answers_it() {
    let stage = Stage::named(&["gateway"]);
    let is_left = |pod: &Value| stage.mutate(pod).notes.iter().any(|note| note.reason == Reason::ProbeOfAnother);
    let left: Vec<String> = pods().into_iter().filter(|(_, pod)| is_left(pod)).map(|(name, _)| name).collect();
    assert_eq!(left, ["istio-native", "istio-holding", "kuma"]);
}

#[test]
fn sidecars_stand_behind_a_native_proxy_and_before_what_needs_them() {
    let placed = |pod: &str, documents: &[&str]| {
        let result = Stage::named(documents).mutate(&stage::pod(pod)).result;
        names(&result["spec"]["initContainers"]).join(" ")
    };
    assert_eq!(placed("istio-native", &["gateway"]), "gateway-init istio-init istio-proxy gateway migrate");
    let ours = ["log-shipper", "wait-for", "ambassador"];
    assert_eq!(placed("istio-native", &ours), "istio-init istio-proxy database-proxy log-shipper wait-for migrate");
    assert_eq!(placed("linkerd-native", &["wait-for"]), "linkerd-network-validator linkerd-proxy wait-for migrate");
    // Behind an init container that redirects traffic to a proxy that does not run yet, nothing would answer.
    assert_eq!(placed("istio-holding", &["wait-for"]), "wait-for istio-init");
    assert_eq!(placed("vault", &["wait-for"]), "wait-for vault-agent-init migrate");
}
