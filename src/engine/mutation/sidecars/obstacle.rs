//! Where nothing can be mounted though nothing is: the container would not start, or the API server would refuse the pod.

use serde_json::Value;

use super::super::tree::Node;
use super::parts::{Mount, normalised};

/// Sources of volumes that kubelets mount read-only, whatever the mount says.
const READ_ONLY: [&str; 5] = ["configMap", "downwardAPI", "image", "projected", "secret"];

/// What keeps a volume from being mounted at a free path: a device, or that a directory would have to be made where nothing can be
/// written.
pub(super) fn obstacle(pod: &Node<'_>, container: &Node<'_>, mount: &Mount) -> Option<String> {
    let path = mount.path.as_str();
    let is_device = |device: &Node<'_>| normalised(&device.string_at("devicePath").unwrap_or_default()) == path;
    if container.list("volumeDevices").any(is_device) {
        return Some("where a device is".to_owned());
    }
    let path_of = |mount: &Node<'_>| normalised(&mount.string_at("mountPath").unwrap_or_default());
    let others = || container.list("volumeMounts").map(|other| (path_of(other), other));
    let is_ours_read_only =
        mount.value.get("readOnly") == Some(&Value::Bool(true)) || is_never_written(pod, &mount.volume);
    if is_ours_read_only && let Some((below, _)) = others().find(|(below, _)| is_within(below, path)) {
        return Some(format!("above {below}, which could not be mounted in it"));
    }
    // The nearest one is the one that it would be mounted in.
    let (above, other) = others().filter(|(above, _)| is_within(path, above)).max_by_key(|(above, _)| above.len())?;
    let is_read_only = other.get("readOnly").and_then(Node::boolean) == Some(true);
    let volume = other.string_at("name").unwrap_or_default();
    (is_read_only || is_never_written(pod, &volume)).then(|| format!("below {above}, which is read-only"))
}

fn is_within(path: &str, above: &str) -> bool {
    above != "/" && path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

fn is_never_written(pod: &Node<'_>, volume: &str) -> bool {
    let mut volumes = pod.get("spec").into_iter().flat_map(|spec| spec.list("volumes"));
    let found = volumes.find(|found| found.string_at("name").is_some_and(|name| name == volume));
    found.is_some_and(|found| READ_ONLY.iter().any(|source| found.get(source).is_some()))
}
