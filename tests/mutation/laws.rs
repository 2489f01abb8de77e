//! What is promised of every pod, whatever the documents.

use std::collections::{BTreeMap, BTreeSet};

use json_patch::PatchOperation;
use portcullis::engine::json;
use portcullis::engine::mutation::resources::{QosClass, Requirements, class_of};
use portcullis::engine::mutation::{Node, Reason, Weight};
use portcullis::engine::object::{Object, Pod};
use portcullis::engine::pod_security::{Level, Site, registry};
use serde::Deserialize;
use serde_json::Value;

use crate::case::UNKNOWN;
use crate::outcome::{Pass, Setting};

/// A promise that was broken, and how.
#[derive(Debug)]
pub struct Broken {
    pub law: &'static str,
    pub about: String,
}

/// What became of a pod for which every promise was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Unchanged,
    Changed { operations: usize },
    Denied,
}

type Held = Result<(), Broken>;

/// Holds a case against every law.
pub fn hold(case: &Value, setting: &Setting) -> Result<Kept, Broken> {
    let arrived = setting.arrived(&case["pod"].to_string());
    let before: Value = serde_json::from_str(&arrived).unwrap_or_default();
    let first = setting.pass(&arrived);
    if first.denial.is_some() {
        law("a pod that is refused gets no patch", first.patch.is_none(), || format!("{:?}", first.patch))?;
        return Ok(Kept::Denied);
    }
    if arrived.len().is_multiple_of(8) {
        let again = setting.pass(&arrived).patch;
        law("the same pod gives the same bytes", again == first.patch, || {
            format!("{:?}, then {again:?}", first.patch)
        })?;
    }
    the_patch_gives_the_pod(&before, &first)?;
    let back = nothing_changes_again(setting, &first)?;
    unknown_fields_are_kept(&before, &first)?;
    others_are_left_alone(setting, case, &before, &first)?;
    containers_stand_where_they_should(setting, case, &before, &first)?;
    let [was, is] = match setting.is_template {
        true => [setting.completed(&arrived), setting.completed(&back)],
        false => [arrived, back],
    };
    the_pod_is_sound(&before, &first, [&was, &is])?;
    the_standard_is_kept(case, setting, &before, &first)?;
    Ok(match first.operations.len() {
        0 => Kept::Unchanged,
        operations => Kept::Changed { operations },
    })
}

fn law(law: &'static str, holds: bool, about: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(Broken { law, about: about() }) }
}

const MANY: usize = 16;

/// Read by an independent implementation of RFC 6902, the patch gives the pod, and every operation is needed for that.
fn the_patch_gives_the_pod(before: &Value, pass: &Pass) -> Held {
    let operations: Vec<PatchOperation> =
        pass.operations.iter().filter_map(|found| Deserialize::deserialize(found).ok()).collect();
    let is_read = operations.len() == pass.operations.len();
    let is_given = |operations: &[PatchOperation]| {
        let mut pod = before.clone();
        json_patch::patch(&mut pod, operations).is_ok() && pod == pass.pod
    };
    law("the patch gives the pod", is_read && is_given(&operations), || format!("{:?}", pass.patch))?;
    // Of long patches a quarter: they cost by the square.
    let is_left_out = operations.len() > MANY && !pass.text.len().is_multiple_of(4);
    for left_out in (0..operations.len()).filter(|_| !is_left_out) {
        let mut others = operations.clone();
        others.remove(left_out);
        law("the patch is minimal", !is_given(&others), || pass.operations[left_out].to_string())?;
    }
    Ok(())
}

/// The pod comes back: at once, as when a file is injected twice, or after the API server has completed it again. Gives it as it is then.
fn nothing_changes_again(setting: &Setting, first: &Pass) -> Result<String, Broken> {
    let back = setting.arrived(&first.text);
    let second = setting.pass(&back);
    law("a pod that comes back is left as it is", second.patch.is_none() && second.denial.is_none(), || said(&second))?;
    if !setting.is_template && back.len().is_multiple_of(4) {
        let third = setting.pass(&first.text);
        law("a second pass changes nothing", third.patch.is_none() && third.denial.is_none(), || said(&third))?;
    }
    let verified = setting.verified(&back);
    let missing = verified.iter().find(|note| note.weight == Weight::Denied);
    law("what must be there is there", missing.is_none(), || format!("{missing:?}"))?;
    Ok(back)
}

fn said(pass: &Pass) -> String {
    format!("{:?} {:?}", pass.patch, pass.denial)
}

fn unknown_fields_are_kept(before: &Value, pass: &Pass) -> Held {
    let (mut one, mut other) = (BTreeSet::new(), BTreeSet::new());
    unknown_fields(before, &mut one);
    unknown_fields(&pass.pod, &mut other);
    law("unknown fields are kept", one.is_subset(&other), || format!("{:?}", one.difference(&other).next()))
}

fn unknown_fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get(UNKNOWN).map(Value::to_string));
            members.values().for_each(|member| unknown_fields(member, found));
        }
        Value::Array(elements) => elements.iter().for_each(|element| unknown_fields(element, found)),
        _ => {}
    }
}

fn containers<'p>(pod: &'p Value, list: &str) -> impl Iterator<Item = &'p Value> {
    pod["spec"][list].as_array().into_iter().flatten()
}

fn name(item: &Value) -> &str {
    item["name"].as_str().unwrap_or_default()
}

const LISTS: [&str; 2] = ["initContainers", "containers"];

/// Containers and volumes that are not ours keep their order and what they are.
fn others_are_left_alone(setting: &Setting, case: &Value, before: &Value, pass: &Pass) -> Held {
    for list in LISTS {
        let others = |pod| containers(pod, list).map(name).filter(|name| !setting.is_own(name)).collect::<Vec<_>>();
        let (was, is) = (others(before), others(&pass.pod));
        law("others keep their order", was == is, || format!("{list}: {was:?}, then {is:?}"))?;
        let after: BTreeMap<&str, &Value> = containers(&pass.pod, list).map(|found| (name(found), found)).collect();
        for was in containers(before, list).filter(|container| !setting.is_own(name(container))) {
            let is = after.get(name(was)).copied().unwrap_or(&Value::Null);
            for field in
                ["image", "command", "args", "ports", "workingDir", "restartPolicy", "imagePullPolicy", "stdin"]
            {
                law("others are left as they are", was[field] == is[field], || {
                    format!("{}: {field}: {}", name(was), is[field])
                })?;
            }
            let names = |container: &Value, list: &str| {
                container[list]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|item| item["name"].to_string())
                    .collect::<Vec<_>>()
            };
            let (was, is) = (names(was, "env"), names(is, "env"));
            let mut rest = is.iter();
            let is_kept = was.iter().all(|name| rest.any(|found| found == name));
            law("variables keep their order", is_kept, || format!("{was:?}, then {is:?}"))?;
        }
    }
    // The token's volume goes where automount is denied.
    let is_tokens = |volume: &&Value| name(volume).starts_with("kube-api-access-");
    // One that another revision adds, to the letter, is taken for that revision's.
    let documents = case["documents"].as_array().into_iter().flatten();
    let revisions: Vec<&Value> =
        documents.flat_map(|document| document["spec"]["revisions"]["items"].as_array()).flatten().collect();
    let may_be_former = |volume: &&Value| {
        let mut added = revisions.iter().flat_map(|revision| revision["add"]["volumes"].as_array()).flatten();
        added.any(|added| name(&added["volume"]) == name(volume))
    };
    let volumes = |pod: &Value| -> Vec<Value> {
        let all = pod["spec"]["volumes"].as_array().into_iter().flatten();
        all.filter(|volume| !is_tokens(volume) && !may_be_former(volume)).cloned().collect()
    };
    let (was, is) = (volumes(before), volumes(&pass.pod));
    let mut rest = is.iter();
    let is_kept = was.iter().all(|volume| rest.any(|found| found == volume));
    let takes_old = before["metadata"]["annotations"]["portcullis.dev/applied"].is_string();
    law("volumes are left as they are", is_kept || takes_old, || format!("{was:?}, then {is:?}"))
}

/// What a document says of its containers' places among the others holds, unless it was told that it could not be had.
fn containers_stand_where_they_should(setting: &Setting, case: &Value, before: &Value, pass: &Pass) -> Held {
    let is_told = |note: &&portcullis::engine::mutation::Note| {
        matches!(note.reason, Reason::OrderConflict | Reason::OrderContested)
    };
    if pass.notes.iter().any(|note| is_told(&note)) {
        return Ok(());
    }
    let documents = case["documents"].as_array().into_iter().flatten();
    let added = documents.flat_map(|document| {
        ["containers", "initContainers"]
            .into_iter()
            .flat_map(|list| document["spec"]["add"][list].as_array().into_iter().flatten())
    });
    for sidecar in added.clone() {
        let order = &sidecar["placement"]["order"];
        let own = name(&sidecar["container"]);
        let was_there = LISTS.into_iter().any(|list| containers(before, list).any(|container| name(container) == own));
        if was_there || setting.owners(own) > 1 {
            continue;
        }
        for list in LISTS {
            let names: Vec<&str> = containers(&pass.pod, list).map(name).collect();
            let Some(place) = names.iter().position(|found| *found == own) else { continue };
            for (side, is_right) in [("before", |at, place| at > place), ("after", |at, place| at < place)]
                as [(&str, fn(usize, usize) -> bool); 2]
            {
                for pattern in order[side].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    let is_meant = |other: &str| match pattern.strip_suffix('*') {
                        // By `*` alone, others are meant, but for those that names speak of.
                        Some("") => !setting.is_own(other) && !other.starts_with("istio-"),
                        Some(start) => other.starts_with(start) && other != own,
                        None => other == pattern,
                    };
                    let wrong = names.iter().enumerate().find(|(at, other)| is_meant(other) && !is_right(*at, place));
                    law("containers stand where they should", wrong.is_none(), || {
                        format!("{own} {side} {pattern}: {names:?}")
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// Nothing is there twice, nothing leads nowhere, no request is above its limit, and a Guaranteed pod stays one.
fn the_pod_is_sound(before: &Value, pass: &Pass, [arrived, back]: [&str; 2]) -> Held {
    let new = |flaws: BTreeSet<String>, known: &BTreeSet<String>| flaws.difference(known).next().cloned();
    let flaw = new(flaws(&pass.pod), &flaws(before));
    law("the pod is sound", flaw.is_none(), || flaw.unwrap_or_default())?;
    let back_value: Value = serde_json::from_str(back).unwrap_or_default();
    let arrived_value: Value = serde_json::from_str(arrived).unwrap_or_default();
    let pair = new(broken_pairs(&back_value), &broken_pairs(&arrived_value));
    law("no request is above its limit", pair.is_none(), || pair.unwrap_or_default())?;
    let (was, is) = (class_of(&Node::new(arrived)), class_of(&Node::new(back)));
    let is_told = pass.notes.iter().any(|note| note.reason == Reason::QosWouldChange);
    law("a Guaranteed pod stays one", was != QosClass::Guaranteed || is == was || is_told, || format!("{is:?}"))
}

/// Whether the API could take it, as far as the names of containers go: what is not worth being shrunk to.
pub fn is_pod(pod: &Value) -> bool {
    let all: Vec<&Value> = LISTS.into_iter().flat_map(|list| containers(pod, list)).collect();
    let names: BTreeSet<&str> = all.iter().map(|container| name(container)).collect();
    let is_named = |items: &Value| items.as_array().into_iter().flatten().all(|item| !name(item).is_empty());
    containers(pod, "containers").next().is_some()
        && names.len() == all.len()
        && is_named(&pod["spec"]["volumes"])
        && all.iter().all(|container| {
            container["image"].is_string()
                && ["env", "volumeMounts"].iter().all(|list| is_named(&container[list]))
                && !name(container).is_empty()
        })
        && flaws(pod).is_empty()
}

fn flaws(pod: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let volumes: Vec<&str> = pod["spec"]["volumes"].as_array().into_iter().flatten().map(name).collect();
    twice(&volumes, "volume", &mut found);
    let all: Vec<&Value> = LISTS.into_iter().flat_map(|list| containers(pod, list)).collect();
    twice(&all.iter().map(|container| name(container)).collect::<Vec<_>>(), "container", &mut found);
    for container in all {
        let items = |list: &str| container[list].as_array().into_iter().flatten();
        let paths: Vec<&str> = items("volumeMounts").filter_map(|mount| mount["mountPath"].as_str()).collect();
        twice(&paths, &format!("mount of {}", name(container)), &mut found);
        let lost = items("volumeMounts").map(name).filter(|volume| !volumes.contains(volume));
        found.extend(lost.map(|volume| format!("{} mounts {volume}", name(container))));
        let ports: Vec<String> =
            items("ports").map(|port| format!("{} {}", port["containerPort"], port["protocol"])).collect();
        twice(
            &ports.iter().map(String::as_str).collect::<Vec<_>>(),
            &format!("port of {}", name(container)),
            &mut found,
        );
    }
    found
}

fn twice(names: &[&str], what: &str, found: &mut BTreeSet<String>) {
    let mut seen = BTreeSet::new();
    found.extend(names.iter().filter(|name| !seen.insert(**name)).map(|name| format!("{what} {name} is there twice")));
}

fn broken_pairs(pod: &Value) -> BTreeSet<String> {
    let mut broken = BTreeSet::new();
    for container in LISTS.into_iter().flat_map(|list| containers(pod, list)) {
        let found = Requirements::written_in(&Node::new(container.to_string()));
        let above = found
            .limits
            .iter()
            .filter(|(resource, limit)| found.requests.get(*resource).is_some_and(|request| request > *limit));
        broken.extend(above.map(|(resource, _)| format!("{} {resource}", name(container))));
    }
    broken
}

/// Nothing that a document adds violates what the namespace enforces, unless it says that it may.
fn the_standard_is_kept(case: &Value, setting: &Setting, before: &Value, pass: &Pass) -> Held {
    let documents = case["documents"].as_array().into_iter().flatten();
    let may_violate = |spec: &Value| {
        spec["safety"]["podSecurity"] == "Allow" || spec["conflicts"]["other"] == "Warn" || spec["onConflict"] == "Warn"
    };
    let is_warned_of = |document: &Value| {
        may_violate(&document["spec"])
            || (document["kind"] == "PodDefaults" && document["spec"]["onConflict"].is_null())
    };
    if setting.enforced.level == Level::Privileged || documents.clone().any(is_warned_of) {
        return Ok(());
    }
    let (was, is) = (violations(setting, before), violations(setting, &pass.pod));
    let new = is.difference(&was).next();
    law("the namespace's standard is kept", new.is_none(), || format!("{new:?}"))
}

fn violations(setting: &Setting, pod: &Value) -> BTreeSet<String> {
    let text = pod.to_string();
    let Ok(object) = json::from_slice::<Object<'_>>(text.as_bytes()) else { return BTreeSet::new() };
    let evaluation = registry().evaluate(setting.enforced, &Pod::of(&object));
    let violations = evaluation.findings.iter().flat_map(|finding| {
        finding.violations.iter().map(|violation| format!("{} {}", finding.check.id, place(&violation.site)))
    });
    violations.collect()
}

/// Where a violation is, by name: additions move what stands behind them.
fn place(site: &Site) -> String {
    match site {
        Site::Pod => "pod".to_owned(),
        Site::Container { name, .. } => format!("container {name}"),
        Site::Volume { name } => format!("volume {name}"),
        Site::Annotation { key } => format!("annotation {key}"),
    }
}
