//! Rules about several fields at a time, and about several parts of a document.
//!
//! Source: `k8s.io/kubernetes/pkg/apis/core/validation/validation.go`, by the names beside them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::grammar::Grammar;
use super::rules::quantity;
use super::{Inspection, at};
use crate::engine::mutation::document::{LabelSelector, Parts, Sidecar};
use crate::engine::object::Quantity;

type Members = Map<String, Value>;

fn text<'v>(members: &'v Members, path: &str) -> &'v str {
    at(members, path).and_then(Value::as_str).unwrap_or_default()
}

fn is(members: &Members, path: &str, wanted: bool) -> bool {
    at(members, path).and_then(Value::as_bool) == Some(wanted)
}

fn list<'v>(members: &'v Members, path: &str) -> impl Iterator<Item = &'v Value> {
    at(members, path).and_then(Value::as_array).into_iter().flatten()
}

/// `ValidateVolumeMounts`, `ValidateVolumeDevices`.
pub(super) fn container(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    for (index, mount) in list(members, "volumeMounts").enumerate() {
        if mount.get("mountPropagation").is_some_and(|mode| mode == "Bidirectional")
            && !is(members, "securityContext.privileged", true)
        {
            let at = format!("{path}.volumeMounts[{index}].mountPropagation");
            inspection.add(at, "Bidirectional is for privileged containers alone");
        }
        for device in list(members, "volumeDevices") {
            for (ours, theirs) in [("name", "name"), ("mountPath", "devicePath")] {
                if mount.get(ours) == device.get(theirs) {
                    let at = format!("{path}.volumeMounts[{index}].{ours}");
                    inspection.add(at, "is there among volumeDevices too; a volume is mounted or is a device");
                }
            }
        }
    }
}

/// `ValidateSecurityContext`.
pub(super) fn security_context(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let adds_everything = list(members, "capabilities.add").any(|name| name == "CAP_SYS_ADMIN");
    if is(members, "allowPrivilegeEscalation", false) && adds_everything {
        let problem = "cannot be false where CAP_SYS_ADMIN is added";
        inspection.add(format!("{path}.allowPrivilegeEscalation"), problem);
    }
    if text(members, "procMount") == "Unmasked" {
        let problem = "Unmasked is refused in pods without `hostUsers: false`, which most are; leave it out";
        inspection.add(format!("{path}.procMount"), problem);
    }
}

/// `validateSeccompProfileField`, `ValidateAppArmorProfileField`.
pub(super) fn profile(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let at = format!("{path}.localhostProfile");
    match (text(members, "type"), members.get("localhostProfile")) {
        ("Localhost", None) => inspection.add(at, "must be given where the type is Localhost"),
        ("Localhost", Some(Value::String(profile))) if profile.is_empty() || profile.trim() != profile => {
            inspection.add(at, "must be the name of a profile, without blanks around it");
        }
        ("Localhost", _) | (_, None) => {}
        (_, Some(_)) => inspection.add(at, "belongs to the type Localhost"),
    }
}

/// `validateMountRecursiveReadOnly`.
pub(super) fn mount(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let at = format!("{path}.recursiveReadOnly");
    if !["Enabled", "IfPossible"].contains(&text(members, "recursiveReadOnly")) {
        return;
    }
    if !is(members, "readOnly", true) {
        inspection.add(&*at, "needs `readOnly: true`");
    }
    if !["", "None"].contains(&text(members, "mountPropagation")) {
        inspection.add(at, "goes with no mountPropagation but None");
    }
}

/// A mount that containers of the pod get, whatever they may do.
pub(super) fn mount_is_for_everybody(inspection: &mut Inspection<'_>, mount: &Value, path: &str) {
    if mount.get("mountPropagation").is_some_and(|mode| mode == "Bidirectional") {
        let problem = "Bidirectional is refused in containers that are not privileged, which most are";
        inspection.add(format!("{path}.mountPropagation"), problem);
    }
}

/// `validateContainerResourceDivisor`.
pub(super) fn divisor(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    const OF_CPU: [&str; 2] = ["1", "1m"];
    const OF_BYTES: [&str; 13] = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let Some(divisor) = members.get("divisor").and_then(quantity).filter(|divisor| !divisor.is_zero()) else { return };
    let allowed: &[&str] = if text(members, "resource").ends_with(".cpu") { &OF_CPU } else { &OF_BYTES };
    if !allowed.iter().any(|text| Quantity::parse(text) == Ok(divisor)) {
        inspection.add(format!("{path}.divisor"), format!("must be one of {}", allowed.join(", ")));
    }
}

/// `validateHTTPGetAction`.
pub(super) fn http(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    if text(members, "protocol") != "HTTP2" {
        return;
    }
    if text(members, "scheme") == "HTTPS" {
        inspection.add(format!("{path}.protocol"), "HTTP2 goes with the scheme HTTP alone");
    }
    if !text(members, "host").is_empty() {
        inspection.add(format!("{path}.host"), "must be left out where the protocol is HTTP2");
    }
}

/// `ValidateTolerations`.
pub(super) fn toleration(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let operator = text(members, "operator");
    if text(members, "key").is_empty() && operator != "Exists" {
        let problem = "must be Exists where there is no key, which tolerates everything";
        inspection.add(format!("{path}.operator"), problem);
    }
    if operator == "Exists" && !text(members, "value").is_empty() {
        inspection.add(format!("{path}.value"), "must be left out under the operator Exists");
    }
    if members.contains_key("tolerationSeconds") && text(members, "effect") != "NoExecute" {
        inspection.add(format!("{path}.effect"), "must be NoExecute where tolerationSeconds is given");
    }
    let is_number = ["Lt", "Gt"].contains(&operator);
    if is_number && !Grammar::Integer.accepts(text(members, "value")) {
        inspection.add(format!("{path}.value"), "must be a whole number, in quotes, under this operator");
    }
    if let Some(value) = members.get("value").filter(|_| !is_number) {
        inspection.text(value, Grammar::LabelValue, &format!("{path}.value"));
    }
}

/// `ValidateNodeSelectorRequirement`; and the scheduler compares nothing but numbers.
pub(super) fn requirement(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let operator = text(members, "operator");
    let count = list(members, "values").count();
    let problem = match (operator, count) {
        ("In" | "NotIn", 0) => "must have at least one value",
        ("Exists" | "DoesNotExist", 1..) => "must be left out under this operator",
        ("Gt" | "Lt", 0 | 2..) => "must be one number",
        _ => "",
    };
    if !problem.is_empty() {
        inspection.add(format!("{path}.values"), problem);
    }
    for (index, value) in list(members, "values").enumerate() {
        let grammar = if ["Gt", "Lt"].contains(&operator) { Grammar::Integer } else { Grammar::LabelValue };
        inspection.text(value, grammar, &format!("{path}.values[{index}]"));
    }
}

/// `validateMinDomains`.
pub(super) fn spread(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    if members.contains_key("minDomains") && text(members, "whenUnsatisfiable") != "DoNotSchedule" {
        inspection.add(format!("{path}.minDomains"), "belongs to `whenUnsatisfiable: DoNotSchedule`");
    }
}

/// `validateVolumeSource`.
pub(super) fn volume(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let given: Vec<&String> = members.keys().filter(|key| *key != "name").collect();
    match given.as_slice() {
        [_] => {}
        [] => inspection.add(path, "must have a name and one source, such as `emptyDir: {}`"),
        [first, second, ..] => {
            inspection.add(super::member(path, second), format!("cannot be beside {first}; a volume has one source"));
        }
    }
}

/// `validateProjectionSources`: no two sources put a file at the same path. Those that are named by nobody are not known.
pub(super) fn projections(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let mut taken = BTreeSet::new();
    for (index, source) in list(members, "sources").enumerate() {
        for (kind, fields) in source.as_object().into_iter().flatten() {
            let items = fields.get("items").and_then(Value::as_array).into_iter().flatten();
            let items = items.enumerate().map(|(item, value)| (format!("items[{item}].path"), value.get("path")));
            // What a token is put over is known, and accepted.
            let others = ["path", "credentialBundlePath", "keyPath", "certificateChainPath"];
            let others = others.iter().filter(|_| kind != "serviceAccountToken");
            let others = others.map(|field| ((*field).to_owned(), fields.get(*field)));
            for (field, file) in items.chain(others) {
                let Some(file) = file.and_then(Value::as_str).filter(|file| !file.is_empty()) else { continue };
                if !taken.insert(file.to_owned()) {
                    let at = format!("{path}.sources[{index}].{kind}.{field}");
                    inspection.add(at, format!("{file:?} is there twice; a path holds one file"));
                }
            }
        }
    }
}

/// `ValidateLabelSelector`.
pub(super) fn selector(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    match serde_json::from_value::<LabelSelector>(Value::Object(members.clone())) {
        Ok(selector) => inspection.selector(&selector, path),
        Err(error) => inspection.add(path, format!("is no selector: {error}")),
    }
}

/// `validateContainerResourceFieldSelector`, which wants to know of which container.
pub(super) fn file_of_resources(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    if members.contains_key("resourceFieldRef") && text(members, "resourceFieldRef.containerName").is_empty() {
        inspection
            .add(format!("{path}.resourceFieldRef.containerName"), "must be given, as a file is no container's own");
    }
}

/// `ValidateTemplateObjectMeta`.
pub(super) fn metadata_of_claim(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let texts = |field: &str| -> BTreeMap<String, String> {
        let entries = at(members, field).and_then(Value::as_object).into_iter().flatten();
        entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
    };
    let (labels, annotations) = (texts("metadata.labels"), texts("metadata.annotations"));
    inspection.metadata((&labels, &annotations), &[], &format!("{path}.metadata"));
    let metadata = members.get("metadata").and_then(Value::as_object).into_iter().flatten();
    for (field, _) in metadata.filter(|(field, _)| !["annotations", "labels"].contains(&field.as_str())) {
        inspection
            .add(format!("{path}.metadata.{field}"), "must be left out: only labels and annotations can be given");
    }
}

/// `ValidatePersistentVolumeClaimSpec`.
pub(super) fn claim(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let storage = at(members, "resources.requests.storage").and_then(quantity);
    if storage.is_none_or(|storage| storage.is_zero() || storage.is_negative()) {
        inspection.add(format!("{path}.resources.requests.storage"), "must be given, and above zero");
    }
    let modes: Vec<&Value> = list(members, "accessModes").collect();
    if modes.len() > 1 && modes.iter().any(|mode| *mode == "ReadWriteOncePod") {
        inspection.add(format!("{path}.accessModes"), "ReadWriteOncePod goes with no other mode");
    }
}

/// What the parts of a document demand of each other.
pub(super) fn parts_fit(inspection: &mut Inspection<'_>, parts: &Parts, path: &str) {
    host_ports_differ(inspection, parts, path);
    for (list, sidecars) in [("initContainers", &parts.init_containers), ("containers", &parts.containers)] {
        for (index, sidecar) in sidecars.iter().enumerate() {
            let path = format!("{path}.{list}[{index}].container");
            devices_are_claims(inspection, parts, sidecar, &path);
            files_are_in_empty_folders(inspection, parts, sidecar, &path);
            sleep_is_within_the_grace_period(inspection, parts, sidecar, &path);
        }
    }
}

/// `checkHostPortConflicts`: of the containers that run side by side.
fn host_ports_differ(inspection: &mut Inspection<'_>, parts: &Parts, path: &str) {
    let mut taken = BTreeSet::new();
    for (list, sidecars) in [("initContainers", &parts.init_containers), ("containers", &parts.containers)] {
        for (index, sidecar) in sidecars.iter().enumerate() {
            if list == "initContainers" {
                taken.clear();
            }
            let ports = sidecar.container.get("ports").and_then(Value::as_array).into_iter().flatten();
            for (number, port) in ports.enumerate() {
                let of = |field: &str| port.get(field).filter(|value| *value != "").map(ToString::to_string);
                let Some(host_port) = of("hostPort").filter(|port| port != "0") else { continue };
                if !taken.insert((host_port, of("protocol").filter(|protocol| protocol != "\"TCP\""), of("hostIP"))) {
                    let at = format!("{path}.{list}[{index}].container.ports[{number}].hostPort");
                    inspection.add(at, "is taken by another port of these containers");
                }
            }
        }
        taken.clear();
    }
}

fn volume_named<'p>(parts: &'p Parts, name: &str) -> Option<&'p Value> {
    parts.volumes.iter().map(|added| &added.volume).find(|volume| volume.get("name").is_some_and(|found| found == name))
}

/// `ValidateVolumeDevices`: what a volume of the pod is nobody knows, so it has to be one of ours.
fn devices_are_claims(inspection: &mut Inspection<'_>, parts: &Parts, sidecar: &Sidecar, path: &str) {
    let devices = sidecar.container.get("volumeDevices").and_then(Value::as_array).into_iter().flatten();
    for (index, device) in devices.enumerate() {
        let name = device.get("name").and_then(Value::as_str).unwrap_or_default();
        let is_claim = |volume: &Value| volume.get("persistentVolumeClaim").or(volume.get("ephemeral")).is_some();
        if !name.is_empty() && !volume_named(parts, name).is_some_and(is_claim) {
            let problem = "must be a volume of `add.volumes` with `persistentVolumeClaim` or `ephemeral`";
            inspection.add(format!("{path}.volumeDevices[{index}].name"), problem);
        }
    }
}

/// `validateFileKeyRefVolumes`.
fn files_are_in_empty_folders(inspection: &mut Inspection<'_>, parts: &Parts, sidecar: &Sidecar, path: &str) {
    let variables = sidecar.container.get("env").and_then(Value::as_array).into_iter().flatten();
    for (index, variable) in variables.enumerate() {
        let Some(reference) = variable.get("valueFrom").and_then(|source| source.get("fileKeyRef")) else { continue };
        let name = reference.get("volumeName").and_then(Value::as_str).unwrap_or_default();
        if !name.is_empty() && volume_named(parts, name).is_none_or(|volume| volume.get("emptyDir").is_none()) {
            let at = format!("{path}.env[{index}].valueFrom.fileKeyRef.volumeName");
            inspection.add(at, "must be a volume of `add.volumes` with `emptyDir`");
        }
    }
}

/// The grace period of a pod that names none, in seconds.
const DEFAULT_GRACE_PERIOD: u32 = 30;

/// `validateSleepAction`. A pod that has less time than others is for the self-check to find.
fn sleep_is_within_the_grace_period(inspection: &mut Inspection<'_>, parts: &Parts, sidecar: &Sidecar, path: &str) {
    let least = i64::from(parts.pod.termination_grace_period_at_least.unwrap_or(DEFAULT_GRACE_PERIOD));
    for hook in ["postStart", "preStop"] {
        let seconds =
            sidecar.container.get("lifecycle").and_then(|lifecycle| lifecycle.get(hook)?.get("sleep")?.get("seconds"));
        if seconds.and_then(Value::as_i64).is_some_and(|seconds| seconds > least) {
            let problem = format!(
                "is more than the {least} seconds that pods have to end in; raise `add.pod.terminationGracePeriodAtLeast`"
            );
            inspection.add(format!("{path}.lifecycle.{hook}.sleep.seconds"), problem);
        }
    }
}
