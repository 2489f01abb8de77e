//! The self-check: whether a result is a pod that the API server takes and its namespace allows, as far as the original was.
//!
//! A patch that breaks the pod would be an error of the whole request, whatever the failure policy. So the rules of
//! `k8s.io/kubernetes/pkg/apis/core/validation` that an addition can break are looked at here, on the result; what was wrong
//! before is for the API server to say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::ending;
use super::plan::Reason;
use super::selection::containers;
use super::tree::Node;
use crate::engine::json;
use crate::engine::object::{Object, Pod};
use crate::engine::pod_security::{Level, LevelVersion, Site, registry};

/// The most bytes of all annotations (`apimachinery/pkg/api/validation`, `TotalAnnotationSizeLimitB`).
const MOST_ANNOTATIONS: usize = 256 << 10;

/// What is wrong with a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: Reason,
    pub(super) about: String,
}

/// What a namespace enforces, and which violations are nothing new.
#[derive(Debug)]
pub(super) struct Standard {
    enforced: LevelVersion,
    /// Those of the original, if none were accepted since.
    accepted: Option<BTreeSet<String>>,
}

impl Standard {
    /// The violations that the original has are nothing new.
    pub(super) fn new(enforced: LevelVersion) -> Self {
        Self { enforced, accepted: None }
    }

    /// Those that this pod has are nothing new.
    pub(super) fn accepting(pod: &Node<'_>, enforced: LevelVersion) -> Self {
        Self { enforced, accepted: violations(pod, enforced) }
    }
}

/// What is wrong with the result that was not wrong with the original. A result without a flaw is the rule: the original is only looked at
/// where there is one.
pub(super) fn fault(original: &Node<'_>, result: &Node<'_>, standard: &Standard) -> Option<Fault> {
    let broken = |about| Fault { reason: Reason::SelfCheckFailed, about };
    let flaws = structure(result);
    if !flaws.is_empty() {
        let before = structure(original);
        if let Some(flaw) = flaws.into_iter().find(|flaw| !before.contains(flaw)) {
            return Some(broken(flaw));
        }
    }
    let Some(after) = violations(result, standard.enforced) else {
        // If the original does not decode either, the API server will say so.
        let was_good = violations(original, standard.enforced).is_some();
        return was_good.then(|| broken("the result does not decode".to_owned()));
    };
    if after.is_empty() {
        return None;
    }
    let before = standard.accepted.clone().or_else(|| violations(original, standard.enforced))?;
    let about = after.difference(&before).next()?.clone();
    Some(Fault { reason: Reason::WouldViolatePodSecurity, about })
}

/// Every violation of the policy by its check and its place; none if the pod does not decode.
fn violations(pod: &Node<'_>, enforced: LevelVersion) -> Option<BTreeSet<String>> {
    if enforced.level == Level::Privileged {
        return Some(BTreeSet::new());
    }
    let text = pod.to_json();
    let object: Object<'_> = json::from_slice(text.as_bytes()).ok()?;
    let evaluation = registry().evaluate(enforced, &Pod::of(&object));
    let found = evaluation.findings.iter().flat_map(|finding| {
        finding.violations.iter().map(|violation| format!("{}, {}", place(&violation.site), finding.check.id))
    });
    Some(found.collect())
}

/// Where a violation is, in words. An addition moves what stands behind it, so the place in a list is none of them.
fn place(site: &Site) -> String {
    match site {
        Site::Pod => "pod".to_owned(),
        Site::Container { name, .. } => format!("container {name:?}"),
        Site::Volume { name } => format!("volume {name:?}"),
        Site::Annotation { key } => format!("annotation {key:?}"),
    }
}

/// What the API server's validation would refuse.
fn structure(pod: &Node<'_>) -> Vec<String> {
    let mut flaws = Vec::new();
    let spec = pod.get("spec");
    let volumes: Vec<Cow<'_, str>> = spec
        .into_iter()
        .flat_map(|spec| spec.list("volumes"))
        .map(|volume| volume.string_at("name").unwrap_or_default())
        .collect();
    twice(volumes.iter().map(Cow::as_ref), "volume", &mut flaws);
    let names: Vec<Cow<'_, str>> =
        containers(pod).map(|container| container.string_at("name").unwrap_or_default()).collect();
    twice(names.iter().map(Cow::as_ref), "container", &mut flaws);
    for name in volumes.iter().chain(&names).filter(|name| !is_dns_label(name)) {
        flaws.push(format!("{name:?} is no name of a container or a volume"));
    }
    for container in containers(pod) {
        self::container(container, &volumes, &mut flaws);
    }
    for container in spec.into_iter().flat_map(|spec| spec.list("initContainers")) {
        plain_init_container(container, &mut flaws);
    }
    flaws.extend(ending::flaws(pod));
    let annotations = pod.at(&["metadata", "annotations"]).into_iter().flat_map(Node::members);
    let size: usize = annotations.map(|(key, value)| key.len() + value.string().map_or(0, |value| value.len())).sum();
    if size > MOST_ANNOTATIONS {
        flaws.push(format!("the annotations have more than {MOST_ANNOTATIONS} bytes"));
    }
    flaws
}

fn container(container: &Node<'_>, volumes: &[Cow<'_, str>], flaws: &mut Vec<String>) {
    let name = container.string_at("name").unwrap_or_default();
    for mount in container.list("volumeMounts") {
        let volume = mount.string_at("name").unwrap_or_default();
        if !volumes.contains(&volume) {
            flaws.push(format!("container {name:?} mounts the volume {volume:?}, which is not there"));
        }
    }
    let paths: Vec<_> = container.list("volumeMounts").filter_map(|mount| mount.string_at("mountPath")).collect();
    twice(paths.iter().map(Cow::as_ref), &format!("mount of container {name:?} at"), flaws);
    if container.list("env").any(|variable| variable.string_at("name").is_none_or(|name| name.is_empty())) {
        flaws.push(format!("container {name:?} has a variable without a name"));
    }
    let security = container.get("securityContext");
    let is = |field: &str, wanted: bool| {
        security.and_then(|security| security.get(field)).and_then(Node::boolean) == Some(wanted)
    };
    let adds_sys_admin = security.and_then(|security| security.at(&["capabilities", "add"])).is_some_and(|added| {
        added.items().any(|name| name.string().is_some_and(|name| name == "SYS_ADMIN" || name == "CAP_SYS_ADMIN"))
    });
    if is("allowPrivilegeEscalation", false) && (is("privileged", true) || adds_sys_admin) {
        flaws.push(format!("container {name:?} forbids the privileges that it asks for"));
    }
}

/// Only native sidecars among the init containers may have probes and hooks.
fn plain_init_container(container: &Node<'_>, flaws: &mut Vec<String>) {
    if container.string_at("restartPolicy").is_some_and(|policy| policy == "Always") {
        return;
    }
    for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
        if container.get(field).is_some() {
            let name = container.string_at("name").unwrap_or_default();
            flaws.push(format!("the init container {name:?} has a {field}, which only a native sidecar may have"));
        }
    }
}

fn twice<'n>(names: impl Iterator<Item = &'n str>, what: &str, flaws: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    for name in names.filter(|name| !seen.insert(*name)) {
        flaws.push(format!("there are two of {what} {name:?}"));
    }
}

/// RFC 1123.
fn is_dns_label(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    //! What was wrong before is not blamed on an addition, wherever it stands now.

    use super::*;
    use crate::engine::pod_security::Version;

    const OURS: &str = r#"{"name":"ours","image":"i"}"#;
    const THEIRS: &str = r#"{"name":"theirs","image":"i","securityContext":{"privileged":true}}"#;

    fn judged(before: &str, after: &str) -> Option<Fault> {
        let pod = |containers: &str| Node::new(format!(r#"{{"spec":{{"containers":[{containers}]}}}}"#));
        let (before, after) = (pod(before), pod(after));
        let enforced = LevelVersion { level: Level::Baseline, version: Version::Latest };
        fault(&before, &after, &Standard::accepting(&before, enforced))
    }

    #[test]
    fn a_violation_that_an_addition_moves_stays_the_same() {
        assert_eq!(judged(THEIRS, &format!("{OURS},{THEIRS}")), None);
    }

    #[test]
    fn a_violation_that_is_added_is_told_in_words() {
        let fault = judged(OURS, &format!("{OURS},{THEIRS}")).expect("a fault");
        assert_eq!(fault.reason, Reason::WouldViolatePodSecurity);
        assert_eq!(fault.about, "container \"theirs\", privileged");
    }
}
