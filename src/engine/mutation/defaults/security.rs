//! Security contexts: what is not said, in the container or in the pod, is said as safely as can be.
//!
//! Kept true: what a container says for itself or inherits from the pod stays; nothing is set that the API forbids beside what is there, or
//! that would keep a container from starting, unless the document asks for it. A Windows pod gets none of it: the API forbids it there.

use super::automount::Automount;
use super::writable::ReadOnlyRoot;
use super::{Conflict, Flaw, Part, Reason, Target, Weight, flaw};
use crate::engine::mutation::document::{self, Names, RunAsNonRoot};
use crate::engine::mutation::others::is_meant;
use crate::engine::mutation::{Node, containers, quoted};

/// The annotations that seccomp had before its fields. Kubelets ignore them, and the API refuses a field that says something else.
const POD_SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
const CONTAINER_SECCOMP: &str = "container.seccomp.security.alpha.kubernetes.io/";

#[derive(Debug)]
pub(super) struct SecurityDefaults {
    containers: Names,
    has_seccomp: bool,
    run_as_non_root: Option<RunAsNonRoot>,
    denies_escalation: bool,
    /// Capabilities that are dropped; `ALL` alone if it is among them.
    drop: Vec<String>,
    read_only_root: Option<ReadOnlyRoot>,
    automount: Option<Automount>,
}

impl SecurityDefaults {
    pub(super) fn compile(document: &document::SecurityDefaults, flaws: &mut Vec<Flaw>) -> Self {
        Self {
            containers: document.containers.clone(),
            has_seccomp: document.seccomp_profile.is_some(),
            run_as_non_root: document.run_as_non_root,
            denies_escalation: document.deny_privilege_escalation,
            drop: document.capabilities.as_ref().map(|wanted| dropped(wanted, flaws)).unwrap_or_default(),
            read_only_root: document
                .read_only_root_filesystem
                .as_ref()
                .map(|wanted| ReadOnlyRoot::compile(wanted, flaws)),
            automount: document
                .automount_service_account_token
                .as_ref()
                .map(|wanted| Automount::new(&wanted.unless_service_account)),
        }
    }

    /// See [`Automount::service_account_labels`].
    pub(super) fn service_account_labels(&self) -> impl Iterator<Item = &str> {
        self.automount.iter().flat_map(Automount::service_account_labels)
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) -> Result<(), Conflict> {
        if let Some(automount) = &self.automount {
            automount.apply(part)?;
        }
        if part.is_windows() {
            return Ok(());
        }
        let targets = part.all_targets(&self.containers);
        if self.has_seccomp {
            self.confine(part, &targets);
        }
        if let Some(when) = self.run_as_non_root {
            self.forbid_root(part, &targets, when)?;
        }
        for target in &targets {
            if self.denies_escalation {
                deny_escalation(part, target);
            }
            drop_capabilities(part, target, &self.drop);
            // Where the containers of other injectors write is for these to know.
            if let Some(read_only_root) = &self.read_only_root
                && is_meant(&self.containers, &target.name)
            {
                read_only_root.apply(part, target)?;
            }
        }
        Ok(())
    }

    /// Sets the seccomp profile for the pod, or for the containers alone that the document names.
    fn confine(&self, part: &mut Part<'_, '_>, targets: &[Target]) {
        let is_said = part.pod().at(&["spec", "securityContext", "seccompProfile"]).is_some();
        if is_said || is_annotated_otherwise(part, POD_SECCOMP) {
            return;
        }
        let unset: Vec<&Target> =
            targets.iter().filter(|target| setting(part, target, "seccompProfile").is_none()).collect();
        if unset.is_empty() {
            return;
        }
        let profile = r#"{"type":"RuntimeDefault"}"#;
        if self.containers.is_empty() {
            part.within(&["spec", "securityContext"]).map(|context| context.set("seccompProfile", profile));
            return;
        }
        for target in unset {
            if !is_annotated_otherwise(part, &format!("{CONTAINER_SECCOMP}{}", target.name)) {
                set(part, target, "seccompProfile", profile);
            }
        }
    }

    fn forbid_root(&self, part: &mut Part<'_, '_>, targets: &[Target], when: RunAsNonRoot) -> Result<(), Conflict> {
        if part.pod().at(&["spec", "securityContext", "runAsNonRoot"]).is_some() {
            return Ok(());
        }
        let mut allowed = Vec::new();
        let unset: Vec<&Target> =
            targets.iter().filter(|target| setting(part, target, "runAsNonRoot").is_none()).collect();
        for target in &unset {
            match (user(part, part.container(target)), when) {
                (Some(0), _) => part.conflict(Reason::RunsAsRoot, target.about())?,
                (None, RunAsNonRoot::WhenUserIsKnown) => {
                    part.note(Reason::UserUnknown, Weight::Warning, target.about());
                }
                _ => allowed.push(*target),
            }
        }
        // The pod says who runs; so the pod says that it is not root, unless that would hit others.
        let names_user = user(part, None).is_some_and(|user| user != 0);
        let is_everybodys = allowed.len() == unset.len()
            && containers(part.pod()).all(|container| user(part, Some(container)) != Some(0));
        if names_user && is_everybodys && self.containers.is_empty() && !allowed.is_empty() {
            part.within(&["spec", "securityContext"]).map(|context| context.set("runAsNonRoot", "true"));
            return Ok(());
        }
        for target in allowed {
            set(part, target, "runAsNonRoot", "true");
        }
        Ok(())
    }
}

/// Whether an annotation names another profile than the runtime's own.
fn is_annotated_otherwise(part: &Part<'_, '_>, key: &str) -> bool {
    let said = part.pod().at(&["metadata", "annotations", key]).and_then(Node::string);
    said.is_some_and(|profile| !matches!(&*profile, "runtime/default" | "docker/default"))
}

/// The user that a container runs as, or the pod's; none if only the image knows.
fn user(part: &Part<'_, '_>, container: Option<&Node<'_>>) -> Option<i64> {
    let own = container.and_then(|container| container.at(&["securityContext", "runAsUser"])?.integer());
    own.or_else(|| part.pod().at(&["spec", "securityContext", "runAsUser"])?.integer())
}

fn setting<'p, 'a>(part: &'p Part<'_, 'a>, target: &Target, field: &str) -> Option<&'p Node<'a>> {
    part.container(target)?.at(&["securityContext", field])
}

fn set(part: &mut Part<'_, '_>, target: &Target, field: &str, json: &'static str) {
    if let Some(context) = part.edit(target).and_then(|container| container.member("securityContext")) {
        context.set(field.to_owned(), json);
    }
}

pub(super) fn is_privileged(part: &Part<'_, '_>, target: &Target) -> bool {
    setting(part, target, "privileged").and_then(Node::boolean) == Some(true)
}

fn adds(part: &Part<'_, '_>, target: &Target, is_meant: impl Fn(&str) -> bool) -> bool {
    let added = setting(part, target, "capabilities").into_iter().flat_map(|capabilities| capabilities.list("add"));
    added.into_iter().any(|name| name.string().is_some_and(|name| is_meant(&name)))
}

fn deny_escalation(part: &mut Part<'_, '_>, target: &Target) {
    let is_sys_admin = |name: &str| matches!(name, "SYS_ADMIN" | "CAP_SYS_ADMIN" | "ALL");
    if setting(part, target, "allowPrivilegeEscalation").is_none()
        && !is_privileged(part, target)
        && !adds(part, target, is_sys_admin)
    {
        set(part, target, "allowPrivilegeEscalation", "false");
    }
}

/// Appends what is to be dropped, but for what the container adds. Capabilities mean nothing to a privileged container.
fn drop_capabilities(part: &mut Part<'_, '_>, target: &Target, drop: &[String]) {
    if is_privileged(part, target) || adds(part, target, |name| name == "ALL") {
        return;
    }
    for capability in drop {
        let dropped = setting(part, target, "capabilities").into_iter().flat_map(|found| found.list("drop"));
        let is_dropped = dropped
            .into_iter()
            .any(|name| name.string().is_some_and(|name| name == "ALL" || name == capability.as_str()));
        if is_dropped || adds(part, target, |name| name == capability) {
            continue;
        }
        let list =
            part.edit(target).and_then(|container| container.within(&["securityContext", "capabilities", "drop"]));
        if let Some(list) = list {
            list.push(quoted(capability));
        }
    }
}

fn dropped(document: &document::CapabilityDefaults, flaws: &mut Vec<Flaw>) -> Vec<String> {
    for (index, name) in document.drop.iter().enumerate() {
        let path = format!("spec.security.capabilities.drop[{index}]");
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        };
        if let Some(rest) = name.strip_prefix("CAP_") {
            flaws.push(flaw(path, format!("must be without the prefix CAP_: {rest:?}")));
        } else if !is_name(name) {
            flaws.push(flaw(path, format!("{name:?} is no capability; they are in capitals, such as NET_RAW")));
        }
    }
    if document.drop_all || document.drop.iter().any(|name| name == "ALL") {
        return vec!["ALL".to_owned()];
    }
    document.drop.clone()
}
