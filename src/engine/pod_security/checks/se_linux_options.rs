//! `seLinuxOptions`: nobody sets an SELinux user or role, or a type other than those of containers.

use super::{Check, Findings, Level, Pod, Sites, Value, counted, since};
use crate::engine::object::{SeLinuxOptions, SecurityContext};

pub(super) const CHECK: Check = Check {
    id: "seLinuxOptions",
    level: Level::Baseline,
    variants: &[since(0, |pod, findings| find(pod, findings, &TYPES)), since(31, |pod, findings| find(pod, findings, &TYPES_31))],
    reason: |_| "seLinuxOptions",
    detail,
    page: include_str!("../../../../docs/checks/seLinuxOptions.md"),
};

const TYPES: [&str; 4] = ["", "container_t", "container_init_t", "container_kvm_t"];
const TYPES_31: [&str; 5] = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

const TYPE: &str = "securityContext.seLinuxOptions.type";
const USER: &str = "securityContext.seLinuxOptions.user";
const ROLE: &str = "securityContext.seLinuxOptions.role";

fn detail(sites: &Sites<'_>) -> String {
    let types = sites.of_field(TYPE);
    let mut data = Vec::new();
    if !types.is_empty() {
        data.push(counted("type", "types", &types.value_set()));
    }
    for (field, text) in [(USER, "user may not be set"), (ROLE, "role may not be set")] {
        if !sites.of_field(field).is_empty() {
            data.push(text.to_owned());
        }
    }
    format!("{} set forbidden securityContext.seLinuxOptions: {}", sites.setters(), data.join("; "))
}

fn find(pod: &Pod<'_>, findings: &mut Findings, types: &[&str]) {
    for (field, value, fix) in forbidden(&pod.spec.security_context, types) {
        findings.pod(field, value, fix);
    }
    for container in pod.containers() {
        for (field, value, fix) in forbidden(&container.security_context, types) {
            findings.container(&container, field, value, fix);
        }
    }
}

fn forbidden(
    context: &Option<SecurityContext<'_>>,
    types: &[&str],
) -> impl Iterator<Item = (&'static str, Value, &'static str)> {
    let options = context.as_ref().and_then(|context| context.se_linux_options.as_ref());
    options.into_iter().flat_map(|options| fields(options, types)).flatten()
}

type Forbidden = Option<(&'static str, Value, &'static str)>;

fn fields(options: &SeLinuxOptions<'_>, types: &[&str]) -> [Forbidden; 3] {
    let kind = &*options.kind;
    let fix = "remove the type, or use one of container_t, container_init_t, container_kvm_t (container_engine_t since 1.31)";
    [
        (!types.contains(&kind)).then(|| (TYPE, kind.into(), fix)),
        (!options.user.is_empty()).then(|| (USER, (&*options.user).into(), "remove the user")),
        (!options.role.is_empty()).then(|| (ROLE, (&*options.role).into(), "remove the role")),
    ]
}
