//! `capabilities_restricted`: containers drop `ALL` capabilities and add at most `NET_BIND_SERVICE`.

use super::{Check, Findings, Level, Pod, Value, since, join_quoted};
use crate::engine::object::Capabilities;

const OVERRIDES: &[&str] = &["capabilities_baseline"];

pub(super) const CHECK: Check = Check {
    id: "capabilities_restricted",
    level: Level::Restricted,
    variants: &[
        since(22, find).overriding(OVERRIDES),
        since(25, find).unless(|pod| pod.is_windows()).overriding(OVERRIDES),
    ],
    reason: |_| "unrestricted capabilities",
    detail: |sites| {
        let mut details = Vec::new();
        let missing = sites.missing();
        if !missing.is_empty() {
            details.push(format!(r#"{} must set securityContext.capabilities.drop=["ALL"]"#, missing.containers()));
        }
        let added = sites.explicit();
        if !added.is_empty() {
            let capabilities = join_quoted(&added.value_set());
            let containers = added.containers();
            details.push(format!("{containers} must not include {capabilities} in securityContext.capabilities.add"));
        }
        details.join("; ")
    },
    page: include_str!("../../../../docs/checks/capabilities_restricted.md"),
};

fn find(pod: &Pod<'_>, findings: &mut Findings) {
    for container in pod.containers() {
        let context = container.security_context.as_ref();
        let capabilities = context.and_then(|context| context.capabilities.as_ref());
        if !capabilities.is_some_and(drops_all) {
            let fix = "set capabilities.drop to [ALL], in upper case, in this container: the pod cannot say it for all";
            findings.container(&container, "securityContext.capabilities.drop", Value::Missing, fix);
        }
        let added = capabilities.map(|capabilities| &*capabilities.add).unwrap_or_default();
        for (index, capability) in added.iter().enumerate().filter(|(_, capability)| &***capability != "NET_BIND_SERVICE") {
            let fix = "remove it: NET_BIND_SERVICE is the only capability that may be added";
            let element = ("securityContext.capabilities.add", index, "");
            findings.container_element(&container, element, Value::from(&**capability), fix);
        }
    }
}

fn drops_all(capabilities: &Capabilities<'_>) -> bool {
    capabilities.drop.iter().any(|capability| &**capability == "ALL")
}
