//! Kinds of volumes that drivers have replaced, and that the API still takes.
//!
//! Source: `k8s.io/kubernetes/pkg/apis/core/validation/validation.go`, by the names beside them.

use serde_json::{Map, Value};

use super::Inspection;

type Members = Map<String, Value>;

fn text<'v>(members: &'v Members, field: &str) -> &'v str {
    members.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn has(members: &Members, list: &str) -> bool {
    members.get(list).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
}

/// `validateAzureDisk`.
pub(super) fn azure_disk(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let beginning = if text(members, "kind") == "Managed" { "/subscriptions/" } else { "https://" };
    if !text(members, "diskURI").starts_with(beginning) {
        inspection.add(format!("{path}.diskURI"), format!("must begin with {beginning} for a disk of this kind"));
    }
}

/// `validateFCVolumeSource`.
pub(super) fn fibre_channel(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    if has(members, "targetWWNs") == has(members, "wwids") {
        inspection.add(path, "must have one of targetWWNs and wwids");
    }
    if has(members, "targetWWNs") && !members.contains_key("lun") {
        inspection.add(format!("{path}.lun"), "must be given beside targetWWNs");
    }
}

/// `validateISCSIVolumeSource`.
pub(super) fn iscsi(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    let is = |field: &str| members.get(field) == Some(&Value::Bool(true));
    if (is("chapAuthDiscovery") || is("chapAuthSession")) && !members.contains_key("secretRef") {
        inspection.add(format!("{path}.secretRef"), "must be given where CHAP is asked for");
    }
    if members.get("initiatorName").is_some_and(|name| name == "") {
        inspection.add(format!("{path}.initiatorName"), "must be a name; or leave it out");
    }
}

/// `validateVolumeSource`, of names that go into one of the node's.
pub(super) fn name_beside_portal(inspection: &mut Inspection<'_>, volume: &Members, path: &str) {
    let Some(Value::Object(iscsi)) = volume.get("iscsi") else { return };
    let length = text(volume, "name").len() + 1 + text(iscsi, "targetPortal").len();
    if iscsi.contains_key("initiatorName") && length > 64 {
        let problem = "with the volume's name has more than 63 letters, which is the most beside initiatorName";
        inspection.add(format!("{path}.iscsi.targetPortal"), problem);
    }
}

/// `validateQuobyteVolumeSource`.
pub(super) fn tenant(inspection: &mut Inspection<'_>, members: &Members, path: &str) {
    if text(members, "tenant").len() > 64 {
        inspection.add(format!("{path}.tenant"), "must have at most 64 letters");
    }
}
