//! `seccompProfile_baseline`: nobody switches seccomp off; up to 1.18 by annotation, since 1.19 by field.

use std::collections::HashMap;

use super::{Check, Findings, Level, Pod, Sites, Value, join_quoted, plural, since};
use crate::engine::object::{Profile, SecurityContext};

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_baseline",
    level: Level::Baseline,
    variants: &[since(0, find_annotations), since(19, find)],
    reason: |_| "seccompProfile",
    detail: |sites| {
        let annotations = sites.annotations();
        if annotations.is_empty() {
            must_not_set(sites)
        } else {
            format!("forbidden {} {}", plural("annotation", "annotations", annotations.len()), annotations.join(", "))
        }
    },
    page: include_str!("../../../../docs/checks/seccompProfile_baseline.md"),
};

pub(super) const FIELD: &str = "securityContext.seccompProfile.type";

/// The wording for profiles that are set and not allowed.
pub(super) fn must_not_set(sites: &Sites<'_>) -> String {
    format!("{} must not set securityContext.seccompProfile.type to {}", sites.setters(), join_quoted(&sites.value_set()))
}

pub(super) fn is_allowed(profile: &Profile<'_>) -> bool {
    matches!(&*profile.kind, "RuntimeDefault" | "Localhost")
}

pub(super) fn profile_of<'o>(context: &'o Option<SecurityContext<'o>>) -> Option<&'o Profile<'o>> {
    context.as_ref().and_then(|context| context.seccomp_profile.as_ref())
}

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    let fix = "set the type to RuntimeDefault or Localhost, or remove the profile";
    if let Some(profile) = profile_of(&pod.spec.security_context).filter(|profile| !is_allowed(profile)) {
        findings.pod(FIELD, Value::from(&*profile.kind), fix);
    }
    for container in pod.containers() {
        if let Some(profile) = profile_of(&container.security_context).filter(|profile| !is_allowed(profile)) {
            findings.container(&container, FIELD, Value::from(&*profile.kind), fix);
        }
    }
}

const POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_ANNOTATION: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// Only annotations for containers that the pod has are looked at, and unlike AppArmor's an empty value is refused. The pod's
/// annotations are gone through once, however many containers there are.
fn find_annotations(pod: &Pod<'_>, findings: &mut Findings) {
    let named = |key: &str| key == POD_ANNOTATION || key.starts_with(CONTAINER_ANNOTATION);
    let annotations: HashMap<&str, &str> = pod.metadata.annotations.iter().filter(|(key, _)| named(key)).collect();
    if annotations.is_empty() {
        return;
    }
    let of_containers = pod.containers().map(|container| format!("{CONTAINER_ANNOTATION}{}", &*container.name));
    for key in std::iter::once(POD_ANNOTATION.to_owned()).chain(of_containers) {
        if let Some(value) = annotations.get(&*key).filter(|value| !is_allowed_annotation(value)) {
            findings.annotation(&key, value, "set it to runtime/default, or remove it");
        }
    }
}

fn is_allowed_annotation(value: &str) -> bool {
    matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
}
