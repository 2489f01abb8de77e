//! No token of the service account where nobody asked for one.
//!
//! When a pod comes by, the ServiceAccount plugin has mounted the token already; a pod that then says no would keep it. So what the plugin
//! added goes with it: the volume by its name and source, and its mounts at the one place where the plugin puts them.

use super::{CONTAINERS, Conflict, INIT_CONTAINERS, Part, Reason};
use crate::engine::mutation::document::LabelSelector;
use crate::engine::mutation::{Node, containers, is_named};

/// Where the plugin mounts, and how it names what it mounts (plugin/pkg/admission/serviceaccount/admission.go).
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";

#[derive(Debug)]
pub(super) struct Automount {
    /// The service accounts whose pods keep their token; none if it is empty.
    unless: LabelSelector,
}

impl Automount {
    pub(super) fn new(unless: &LabelSelector) -> Self {
        Self { unless: unless.clone() }
    }

    /// The keys of the labels of service accounts that it asks for.
    pub(super) fn service_account_labels(&self) -> impl Iterator<Item = &str> {
        self.unless.keys()
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>) -> Result<(), Conflict> {
        if part.pod().at(&["spec", "automountServiceAccountToken"]).is_some() {
            return Ok(());
        }
        if self.unless != LabelSelector::default() {
            let Some(labels) = &part.plan.world.service_account_labels else {
                return part.conflict(Reason::ServiceAccountUnknown, "spec.automountServiceAccountToken");
            };
            if self.unless.matches(|key| labels.get(key).map(Into::into)) {
                return Ok(());
            }
        }
        if let Some(spec) = part.within(&["spec"]) {
            spec.set("automountServiceAccountToken", "false");
        }
        take_back(part);
        Ok(())
    }
}

/// Takes back what the plugin added.
fn take_back(part: &mut Part<'_, '_>) {
    let Some(name) = part.spec().and_then(|spec| spec.list("volumes").find_map(tokens_name)) else { return };
    for list in [INIT_CONTAINERS, CONTAINERS] {
        let count = part.spec().map_or(0, |spec| spec.list(list).count());
        for index in 0..count {
            unmount(part, list, index, &name);
        }
    }
    let is_used =
        containers(part.pod()).any(|container| container.list("volumeMounts").any(|mount| is_named(mount, &name)));
    let place = part.spec().and_then(|spec| spec.list("volumes").position(|volume| is_named(volume, &name)));
    if let (false, Some(place), Some(volumes)) = (is_used, place, part.within(&["spec", "volumes"])) {
        volumes.take_item(place);
    }
}

fn unmount(part: &mut Part<'_, '_>, list: &'static str, index: usize, volume: &str) {
    let is_plugins = |mount: &Node<'_>| {
        is_named(mount, volume) && mount.string_at("mountPath").is_some_and(|path| path == MOUNT_PATH)
    };
    let container = part.spec().and_then(|spec| spec.list(list).nth(index));
    let Some(place) = container.and_then(|container| container.list("volumeMounts").position(is_plugins)) else {
        return;
    };
    let mounts = part.within(&["spec", list]).and_then(|containers| containers.item(index)?.member("volumeMounts"));
    if let Some(mounts) = mounts {
        mounts.take_item(place);
    }
}

/// The name of a volume if it is the plugin's: by its name, and a projection with a token in it.
fn tokens_name(volume: &Node<'_>) -> Option<String> {
    let name = volume.string_at("name").filter(|name| name.starts_with(VOLUME_PREFIX))?;
    let mut sources = volume.get("projected")?.list("sources");
    sources.any(|source| source.get("serviceAccountToken").is_some()).then(|| name.into_owned())
}
