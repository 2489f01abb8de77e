//! The structure of a pod: the rules of `k8s.io/kubernetes/pkg/apis/core/validation` that an addition can break.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::fmt;

use super::super::ending::Ending;
use super::super::plan::Reason;
use super::super::selection::containers;
use super::{Change, Extent, Fault, Harmless, Node};

/// The most bytes of all annotations (`apimachinery/pkg/api/validation`, `TotalAnnotationSizeLimitB`).
const MOST_ANNOTATIONS: usize = 256 << 10;

/// So many names are held against each other faster than they are sorted.
const FEW: usize = 16;

/// What the API server's validation would refuse.
pub(super) fn structure(pod: &Node<'_>, extent: Extent, harmless: &Harmless) -> Vec<Fault> {
    let mut flaws = Vec::new();
    let Some(seen) = Seen::of(pod, extent) else { return flaws };
    let mounts_any = || seen.mounting(pod).any(|container| container.glance("volumeMounts").is_some());
    let volumes: Vec<Cow<'_, str>> = if seen.volumes || mounts_any() {
        let volumes = pod.get("spec").into_iter().flat_map(|spec| spec.list("volumes"));
        volumes.map(|volume| volume.string_at("name").unwrap_or_default()).collect()
    } else {
        Vec::new()
    };
    if seen.volumes {
        names(&volumes, "volume", &mut flaws);
    }
    if seen.containers().next().is_some() {
        let all: Vec<_> = containers(pod).map(|container| container.string_at("name").unwrap_or_default()).collect();
        names(&all, "container", &mut flaws);
    }
    seen.mounting(pod).for_each(|container| mounts(container, &volumes, &mut flaws));
    let is_in_doubt = |one: &&Node<'_>| extent == Extent::Whole || !harmless.is_sound(one);
    seen.containers().filter(is_in_doubt).for_each(|one| container(one, &mut flaws));
    let ending = LazyCell::new(|| Ending::of(pod));
    let concerned = seen.ending(pod).filter(|container| Ending::concerns(container));
    flaws.extend(concerned.flat_map(|container| ending.flaws(container)).map(broken));
    seen.init_containers.iter().for_each(|container| plain_init_container(container, &mut flaws));
    if seen.annotations {
        annotations(pod, &mut flaws);
    }
    flaws
}

/// Whether a container has no flaw of its own, whatever pod it is in.
pub(super) fn is_sound(one: &Node<'_>) -> bool {
    let mut flaws = Vec::new();
    container(one, &mut flaws);
    flaws.is_empty()
}

/// What is to be looked at.
#[derive(Default)]
struct Seen<'n, 'a> {
    /// All volumes.
    volumes: bool,
    containers: Vec<&'n Node<'a>>,
    init_containers: Vec<&'n Node<'a>>,
    /// Whether the mounts of all containers may have lost their volumes, not only those of these.
    all_mounts: bool,
    /// Whether any container may do what the pod's end forbids, not only these.
    all_ends: bool,
    annotations: bool,
}

impl<'n, 'a> Seen<'n, 'a> {
    /// None if there is nothing to look at.
    fn of(pod: &'n Node<'a>, extent: Extent) -> Option<Self> {
        match extent {
            Extent::Whole => Some(Self::whole(pod)),
            Extent::Changes => Self::changes(pod),
        }
    }

    fn whole(pod: &'n Node<'a>) -> Self {
        let list = |field| pod.get("spec").into_iter().flat_map(move |spec| spec.list(field)).collect();
        Self {
            volumes: true,
            containers: list("containers"),
            init_containers: list("initContainers"),
            all_mounts: true,
            all_ends: true,
            annotations: true,
        }
    }

    fn changes(pod: &'n Node<'a>) -> Option<Self> {
        if !pod.is_edited() {
            return None;
        }
        let mut seen = Self::default();
        for (key, change) in pod.changes() {
            let Change::Within(part) = change else { return Some(Self::whole(pod)) };
            for (field, change) in part.changes() {
                match (key, field) {
                    ("metadata", "annotations") => seen.annotations = true,
                    ("spec", "volumes") => {
                        seen.volumes = true;
                        seen.all_mounts |= matches!(change, Change::New(_) | Change::Gone)
                            || matches!(change, Change::Within(list) if list.item_changes().any(|change| !is_new(change)));
                    }
                    ("spec", "terminationGracePeriodSeconds" | "restartPolicy") => seen.all_ends = true,
                    ("spec", "containers") => seen.containers.extend(change.items(|_| true)),
                    ("spec", "initContainers") => seen.init_containers.extend(change.items(|_| true)),
                    _ => {}
                }
            }
        }
        Some(seen)
    }

    fn containers(&self) -> impl Iterator<Item = &'n Node<'a>> {
        self.init_containers.iter().chain(&self.containers).copied()
    }

    /// Containers whose mounts may have lost their volumes.
    fn mounting(&self, pod: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
        self.these_or_all(self.all_mounts, pod)
    }

    /// Containers that may do what the pod's end forbids.
    fn ending(&self, pod: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
        self.these_or_all(self.all_ends, pod)
    }

    fn these_or_all(&self, are_all: bool, pod: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
        let all = are_all.then(|| containers(pod)).into_iter().flatten();
        all.chain((!are_all).then(|| self.containers()).into_iter().flatten())
    }
}

fn is_new(change: Change<'_, '_>) -> bool {
    matches!(change, Change::New(_))
}

fn broken(about: String) -> Fault {
    Fault { reason: Reason::SelfCheckFailed, about }
}

/// What a list's names are, and that none is there twice.
fn names(names: &[Cow<'_, str>], what: &str, flaws: &mut Vec<Fault>) {
    // There are few, and mostly none of them twice.
    let is_there_before = |(place, name)| names.iter().take(place).any(|earlier: &Cow<'_, str>| earlier == name);
    if names.len() > FEW || names.iter().enumerate().any(is_there_before) {
        twice(names.iter().map(Cow::as_ref), format_args!("{what}"), flaws);
    }
    for name in names.iter().filter(|name| !is_dns_label(name)) {
        flaws.push(broken(format!("{name:?} is no name of a container or a volume")));
    }
}

fn mounts(container: &Node<'_>, volumes: &[Cow<'_, str>], flaws: &mut Vec<Fault>) {
    let name = container.string_at("name").unwrap_or_default();
    for mount in container.list("volumeMounts") {
        let volume = mount.string_at("name").unwrap_or_default();
        if !volumes.contains(&volume) {
            flaws.push(broken(format!("container {name:?} mounts the volume {volume:?}, which is not there")));
        }
    }
}

fn container(container: &Node<'_>, flaws: &mut Vec<Fault>) {
    let name = container.string_at("name").unwrap_or_default();
    let paths: Vec<_> = container.list("volumeMounts").filter_map(|mount| mount.string_at("mountPath")).collect();
    twice(paths.iter().map(Cow::as_ref), format_args!("mount of container {name:?} at"), flaws);
    if container.list("env").any(|variable| variable.string_at("name").is_none_or(|name| name.is_empty())) {
        flaws.push(broken(format!("container {name:?} has a variable without a name")));
    }
    let security = container.get("securityContext");
    let is = |field: &str, wanted: bool| {
        security.and_then(|security| security.get(field)).and_then(Node::boolean) == Some(wanted)
    };
    let adds_sys_admin = || {
        let added = security.and_then(|security| security.at(&["capabilities", "add"]));
        let is_sys_admin = |name: Cow<'_, str>| name == "SYS_ADMIN" || name == "CAP_SYS_ADMIN";
        added.is_some_and(|added| added.items().any(|name| name.string().is_some_and(is_sys_admin)))
    };
    if is("allowPrivilegeEscalation", false) && (is("privileged", true) || adds_sys_admin()) {
        flaws.push(broken(format!("container {name:?} forbids the privileges that it asks for")));
    }
}

/// Only native sidecars among the init containers may have probes and hooks.
fn plain_init_container(container: &Node<'_>, flaws: &mut Vec<Fault>) {
    if container.string_at("restartPolicy").is_some_and(|policy| policy == "Always") {
        return;
    }
    for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
        if container.get(field).is_some() {
            let name = container.string_at("name").unwrap_or_default();
            flaws.push(broken(format!(
                "the init container {name:?} has a {field}, which only a native sidecar may have"
            )));
        }
    }
}

fn annotations(pod: &Node<'_>, flaws: &mut Vec<Fault>) {
    let Some(annotations) = pod.at(&["metadata", "annotations"]) else { return };
    // No text is longer than its JSON, which is there already.
    let written: usize = annotations.members().map(|(key, value)| key.len() + value.to_json().len()).sum();
    if written <= MOST_ANNOTATIONS {
        return;
    }
    let text = |(key, value): (&str, &Node<'_>)| key.len() + value.string().map_or(0, |value| value.len());
    let size: usize = annotations.members().map(text).sum();
    if size > MOST_ANNOTATIONS {
        // The rest of a pod's annotations is its author's; everything else that is broken is our fault.
        let about = "the annotations have more than 256 KiB".to_owned();
        flaws.push(Fault { reason: Reason::AnnotationsFull, about });
    }
}

fn twice<'n>(names: impl Iterator<Item = &'n str>, what: fmt::Arguments<'_>, flaws: &mut Vec<Fault>) {
    let mut sorted: Vec<&str> = names.collect();
    sorted.sort_unstable();
    for (name, _) in sorted.iter().zip(sorted.iter().skip(1)).filter(|(one, next)| one == next) {
        flaws.push(broken(format!("there are two of {what} {name:?}")));
    }
}

/// RFC 1123.
fn is_dns_label(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len()) && name.bytes().all(is_inner) && !name.starts_with('-') && !name.ends_with('-')
}
