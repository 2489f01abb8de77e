//! `seccompProfile_restricted`: every container has a seccomp profile, its own or the pod's, and none switches it off.

use super::seccomp_profile_baseline::{FIELD, is_allowed, must_not_set, profile_of};
use super::{Check, Findings, Level, Pod, Value, since};

const OVERRIDES: &[&str] = &["seccompProfile_baseline"];

pub(super) const CHECK: Check = Check {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    variants: &[
        since(19, find).overriding(OVERRIDES),
        since(25, find).unless(|pod| pod.is_windows()).overriding(OVERRIDES),
    ],
    reason: |_| "seccompProfile",
    detail: |sites| {
        let explicit = sites.explicit();
        if explicit.is_empty() {
            let containers = sites.containers();
            format!(r#"pod or {containers} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost""#)
        } else {
            must_not_set(&explicit)
        }
    },
    page: include_str!("../../../../docs/checks/seccompProfile_restricted.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    let inherited = profile_of(&pod.spec.security_context);
    let is_inherited = inherited.is_some_and(is_allowed);
    if let Some(profile) = inherited.filter(|profile| !is_allowed(profile)) {
        findings.pod(FIELD, Value::from(&*profile.kind), "set the type to RuntimeDefault or Localhost");
    }
    for container in pod.containers() {
        match profile_of(&container.security_context) {
            Some(profile) if is_allowed(profile) => {}
            Some(profile) => {
                let fix = "set the type to RuntimeDefault or Localhost, or remove it where the pod's own profile is allowed";
                findings.container(&container, FIELD, Value::from(&*profile.kind), fix);
            }
            None if is_inherited => {}
            None => {
                let fix = "set seccompProfile: {type: RuntimeDefault} in the pod's securityContext, or in this container's";
                findings.container(&container, FIELD, Value::Missing, fix);
            }
        }
    }
}
