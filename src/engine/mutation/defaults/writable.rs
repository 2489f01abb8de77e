//! A root file system that cannot be written to, with places beside it that can.
//!
//! Kept true: a container that says whether its root file system is read-only keeps its word and its mounts; each container has places of
//! its own, as it had with its own root file system.

use std::fmt::Write;

use super::{Conflict, Flaw, Part, Reason, Target, flaw};
use crate::engine::mutation::{Node, document, is_named, quoted};
use crate::engine::object::Quantity;

/// The volumes that do not keep a node from being scaled down, separated by commas.
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";

#[derive(Debug)]
pub(super) struct ReadOnlyRoot {
    writable: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    path: String,
    size_limit: Option<String>,
    is_safe_to_evict: bool,
}

impl ReadOnlyRoot {
    pub(super) fn compile(document: &document::ReadOnlyRootFilesystem, flaws: &mut Vec<Flaw>) -> Self {
        let mut writable: Vec<Place> = Vec::new();
        for (index, wanted) in document.writable.iter().enumerate() {
            let at = format!("spec.security.readOnlyRootFilesystem.writable[{index}]");
            let path = clean(&wanted.path);
            if !wanted.path.starts_with('/') || path == "/" || wanted.path.contains([':', '\0']) || path.contains("/..")
            {
                let problem =
                    format!("{:?} is no place to mount at: write an absolute path below /, such as /tmp", wanted.path);
                flaws.push(flaw(format!("{at}.path"), problem));
            }
            if writable.iter().any(|other| other.path == path) {
                flaws.push(flaw(format!("{at}.path"), format!("{path:?} is here twice")));
            }
            let limit = wanted.size_limit.as_ref().map(|text| Quantity::parse(&text.0));
            match &limit {
                Some(Err(error)) => flaws.push(flaw(format!("{at}.sizeLimit"), error.to_string())),
                Some(Ok(limit)) if *limit <= Quantity::ZERO => {
                    flaws.push(flaw(format!("{at}.sizeLimit"), "must be above zero"));
                }
                _ => {}
            }
            let size_limit = limit.and_then(Result::ok).map(|limit| limit.written_for("memory"));
            writable.push(Place { path, size_limit, is_safe_to_evict: wanted.safe_to_evict });
        }
        Self { writable }
    }

    pub(super) fn apply(&self, part: &mut Part<'_, '_>, target: &Target) -> Result<(), Conflict> {
        let Some(container) = part.container(target) else { return Ok(()) };
        if container.at(&["securityContext", "readOnlyRootFilesystem"]).is_some() {
            return Ok(());
        }
        let mounted: Vec<String> =
            container.list("volumeMounts").filter_map(|mount| Some(clean(&mount.string_at("mountPath")?))).collect();
        let missing: Vec<&Place> =
            self.writable.iter().filter(|place| !mounted.iter().any(|path| is_within(&place.path, path))).collect();
        let taken =
            missing.iter().map(|place| place.volume_name(&target.name)).find(|name| is_other_volume(part, name));
        if let Some(name) = taken {
            return part.conflict(Reason::VolumeNameTaken, format!("volume {name:?}"));
        }
        for place in missing {
            place.mount(part, target);
        }
        if let Some(context) = part.edit(target).and_then(|container| container.member("securityContext")) {
            context.set("readOnlyRootFilesystem", "true");
        }
        Ok(())
    }
}

impl Place {
    fn mount(&self, part: &mut Part<'_, '_>, target: &Target) {
        let name = self.volume_name(&target.name);
        let mount = format!(r#"{{"name":{},"mountPath":{}}}"#, quoted(&name), quoted(&self.path));
        if let Some(mounts) = part.edit(target).and_then(|container| container.member("volumeMounts")) {
            mounts.push(mount);
        }
        let is_there = part.spec().is_some_and(|spec| spec.list("volumes").any(|volume| is_named(volume, &name)));
        if !is_there && let Some(volumes) = part.within(&["spec", "volumes"]) {
            let limit = self.size_limit.as_ref().map(|limit| format!(r#""sizeLimit":{}"#, quoted(limit)));
            volumes.push(format!(r#"{{"name":{},"emptyDir":{{{}}}}}"#, quoted(&name), limit.unwrap_or_default()));
        }
        if self.is_safe_to_evict {
            list_as_safe(part, &name);
        }
    }

    /// The name of the volume: of the path and the container where that makes a readable one, else of their hash.
    fn volume_name(&self, container: &str) -> String {
        let segments: Vec<&str> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let is_plain = |segment: &&str| segment.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let name = format!("writable-{}--{container}", segments.join("-"));
        if segments.iter().all(is_plain) && name.len() <= 63 {
            return name;
        }
        let bytes = self.path.bytes().chain([0]).chain(container.bytes());
        let hash =
            bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut name = String::from("writable-");
        // Writing to a string does not fail.
        let _ = write!(name, "{hash:016x}");
        name
    }
}

/// Whether a volume of this name is there that is not a directory of the pod's own.
fn is_other_volume(part: &Part<'_, '_>, name: &str) -> bool {
    let volume = part.spec().and_then(|spec| spec.list("volumes").find(|volume| is_named(volume, name)));
    volume.is_some_and(|volume| volume.get("emptyDir").is_none())
}

fn list_as_safe(part: &mut Part<'_, '_>, volume: &str) {
    let listed = part.pod().at(&["metadata", "annotations", SAFE_TO_EVICT]).and_then(Node::string);
    let listed = listed.unwrap_or_default().into_owned();
    if listed.split(',').any(|name| name.trim() == volume) {
        return;
    }
    let list = if listed.is_empty() { volume.to_owned() } else { format!("{listed},{volume}") };
    if let Some(annotations) = part.within(&["metadata", "annotations"]) {
        annotations.set(SAFE_TO_EVICT, quoted(&list));
    }
}

/// The path without empty segments, `.` and a slash at its end.
fn clean(path: &str) -> String {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    format!("/{}", segments.join("/"))
}

/// Whether a path is another or below it.
fn is_within(path: &str, above: &str) -> bool {
    above == "/" || path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
