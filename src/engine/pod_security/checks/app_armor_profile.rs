//! `appArmorProfile`: nobody switches AppArmor off, by field or by annotation.

use super::{Check, Findings, Level, Pod, Sites, Value, join_quoted, plural, since};
use crate::engine::object::{Profile, SecurityContext};

pub(super) const CHECK: Check = Check {
    id: "appArmorProfile",
    level: Level::Baseline,
    variants: &[since(0, find)],
    reason: |sites| plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values(sites).len()),
    detail: |sites| {
        let mut setters = sites.setter_list();
        let annotations = sites.annotations().len();
        if annotations > 0 {
            setters.push(plural("annotation", "annotations", annotations).to_owned());
        }
        format!("{} must not set AppArmor profile type to {}", setters.join(" and "), join_quoted(&values(sites)))
    },
    page: include_str!("../../../../docs/checks/appArmorProfile.md"),
};

const FIELD: &str = "securityContext.appArmorProfile.type";
const ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The types, then the annotations.
fn values(sites: &Sites<'_>) -> Vec<String> {
    let mut values = sites.value_set();
    values.extend(sites.annotations());
    values
}

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    let fix = "set the type to RuntimeDefault or Localhost, or remove the profile";
    if let Some(profile) = forbidden(&pod.spec.security_context) {
        findings.pod(FIELD, Value::from(&*profile.kind), fix);
    }
    for container in pod.containers() {
        if let Some(profile) = forbidden(&container.security_context) {
            findings.container(&container, FIELD, Value::from(&*profile.kind), fix);
        }
    }
    // Any key with the prefix counts, also for containers that the pod does not have.
    for (key, value) in pod.metadata.annotations.iter().filter(|(key, _)| key.starts_with(ANNOTATION)) {
        if !is_allowed_annotation(value) {
            findings.annotation(key, value, "set the annotation to runtime/default, or remove it");
        }
    }
}

fn forbidden<'o>(context: &'o Option<SecurityContext<'o>>) -> Option<&'o Profile<'o>> {
    let profile = context.as_ref().and_then(|context| context.app_armor_profile.as_ref())?;
    (!matches!(&*profile.kind, "RuntimeDefault" | "Localhost")).then_some(profile)
}

fn is_allowed_annotation(value: &str) -> bool {
    value.is_empty() || value == "runtime/default" || value.starts_with("localhost/")
}
