//! Whom a pod belongs to, as far as it tells by itself: pods are asked about before they have a name or a uid.

use std::borrow::Cow;

use super::super::plan::World;
use super::super::selection::{Controller, owner, owner_kind};
use super::super::tree::Node;

/// The workload's name: the controller's, without what a Deployment or a CronJob puts behind its own. Without a controller, the
/// pod's name or what its name is generated from.
pub(super) fn owner_name(pod: &Node<'_>) -> Option<String> {
    let Some(owner) = owner(pod) else { return pod_name(pod).map(|name| name.trim_end_matches('-').to_owned()) };
    let hash = pod.at(&["metadata", "labels", "pod-template-hash"]).and_then(Node::string);
    let name = owner.name();
    (!name.is_empty()).then(|| workload_of(&owner.kind(), &name, hash.as_deref()).to_owned())
}

fn workload_of<'n>(kind: &str, name: &'n str, hash: Option<&str>) -> &'n str {
    let Some((stem, end)) = name.rsplit_once('-') else { return name };
    let is_made = match (kind, hash) {
        ("ReplicaSet", Some(hash)) => end == hash,
        ("ReplicaSet", None) => is_template_hash(end),
        ("Job", _) => end.len() >= 8 && end.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if is_made && !stem.is_empty() { stem } else { name }
}

/// Whether it is written as `rand.SafeEncodeString` of k8s.io/apimachinery writes hashes.
fn is_template_hash(text: &str) -> bool {
    (8..=10).contains(&text.len()) && text.bytes().all(|byte| b"bcdfghjklmnpqrstvwxz2456789".contains(&byte))
}

fn pod_name<'p>(pod: &'p Node<'_>) -> Option<Cow<'p, str>> {
    let metadata = pod.get("metadata")?;
    let filled = |key| metadata.string_at(key).filter(|text| !text.is_empty());
    filled("name").or_else(|| filled("generateName"))
}

/// What stays the same for all pods of one workload: namespace, kind and name.
pub(super) fn workload(pod: &Node<'_>, world: &World<'_>) -> [String; 3] {
    [world.namespace.to_owned(), owner_kind(pod).into_owned(), owner_name(pod).unwrap_or_default()]
}

/// What stays the same for one pod while it is being admitted, and is another for a copy of it that a user makes.
pub(super) fn identity<'p>(pod: &'p Node<'_>, world: &World<'p>) -> [Cow<'p, str>; 4] {
    let metadata = |key: &str| pod.get("metadata").and_then(|metadata| metadata.string_at(key)).unwrap_or_default();
    let uid = owner(pod).map(Controller::uid).unwrap_or_default();
    [Cow::Borrowed(world.namespace), metadata("name"), metadata("generateName"), uid]
}
