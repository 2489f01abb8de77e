//! Makes of a document what is carried out on pods: everything about it that can be wrong is found here, with its place.
//!
//! What compiles gives no pod that the API server would refuse because of the document alone.

mod container;
mod edits;
mod flaws;
mod order;
mod overrides;
mod restricted;

use std::collections::BTreeSet;

use flaws::Flaws;
pub(super) use order::may_meet;

use super::image::{Mirrors, is_mirror};
use super::parts::{Item, Parts, Port, Volume};
use super::{Injection, Revision, Revisions, digest};
use crate::engine::mutation::document::{
    Conflicts, Flaw, NameConflict, Parts as Written, Revisions as WrittenRevisions, Sidecar, SidecarInjection,
};
use crate::engine::mutation::schema;

impl Injection {
    /// Compiles a document; `title` is its kind and name, such as `SidecarInjection/log-shipper`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its path.
    pub(crate) fn compile(title: &str, document: &SidecarInjection) -> Result<Self, Vec<Flaw>> {
        // What things mean is only looked at where they have the shape to mean it.
        let misshapen = schema::of_injection(document);
        if !misshapen.is_empty() {
            return Err(misshapen);
        }
        let mut flaws = Flaws::default();
        conflicts_make_sense(document.conflicts, &mut flaws);
        mirrors_make_sense(&document.image_mirrors, &mut flaws);
        let (revisions, by) = revisions(document, &mut flaws);
        let items: Vec<&Item> = revisions.iter().flat_map(|revision| &revision.parts.items).collect();
        let overrides = overrides::compile(document, &items, &mut flaws);
        if !flaws.0.is_empty() {
            return Err(flaws.0);
        }
        let name = title.rsplit_once('/').map_or(title, |(_, name)| name);
        Ok(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            conflicts: document.conflicts,
            mirrors: Mirrors(document.image_mirrors.clone()),
            overrides,
            revisions,
            by,
        })
    }
}

fn conflicts_make_sense(conflicts: Conflicts, flaws: &mut Flaws) {
    if conflicts.container_name == NameConflict::Rename {
        let instead = "Deny, Skip or MergeAuto: others may know the container by its name";
        flaws.add("spec.conflicts.containerName", format!("must be {instead}"));
    }
    if conflicts.volume_name == NameConflict::MergeAuto {
        flaws.add("spec.conflicts.volumeName", "must be Deny, Skip or Rename: volumes are not merged");
    }
}

fn mirrors_make_sense(mirrors: &[String], flaws: &mut Flaws) {
    for (index, mirror) in mirrors.iter().enumerate().filter(|(_, mirror)| !is_mirror(mirror)) {
        let instead =
            "must be a registry or a path in one, such as `mirror.example.com/hub`, with a dot or a port in its name";
        flaws.add(format!("spec.imageMirrors[{index}]"), format!("{mirror:?} {instead}"));
    }
}

/// The revisions, of which there is always one, and how one of them is chosen.
fn revisions(document: &SidecarInjection, flaws: &mut Flaws) -> (Vec<Revision>, Revisions) {
    let mut by = Revisions::default();
    let Some(written) = &document.revisions else {
        return (vec![revision(String::new(), 0, &document.add, document, "spec.add", flaws)], by);
    };
    revisions_make_sense(written, document, flaws);
    let mut revisions: Vec<Revision> = Vec::with_capacity(written.items.len() + 1);
    for (index, item) in written.items.iter().enumerate() {
        let path = format!("spec.revisions.items[{index}].add");
        revisions.push(revision(item.name.clone(), item.weight, &item.add, document, &path, flaws));
    }
    let default = revisions.iter().position(|revision| revision.name == written.default);
    by.default = default.unwrap_or(revisions.len());
    by.label.clone_from(&written.label);
    by.sticky_by = written.sticky_by;
    if default.is_none() {
        revisions.push(revision(written.default.clone(), 0, &document.add, document, "spec.add", flaws));
    }
    (revisions, by)
}

fn revisions_make_sense(written: &WrittenRevisions, document: &SidecarInjection, flaws: &mut Flaws) {
    let path = "spec.revisions";
    let mut names = BTreeSet::new();
    for (index, item) in written.items.iter().enumerate() {
        flaws.name(&format!("{path}.items[{index}].name"), &item.name, &mut names);
    }
    if written.default.is_empty() {
        flaws.add(format!("{path}.default"), "must be the name of a revision");
    }
    let weights: u32 = written.items.iter().map(|item| u32::from(item.weight)).sum();
    if weights > 100 {
        flaws.add(format!("{path}.items"), format!("the weights come to {weights}, and are in percent: at most 100"));
    }
    if names.contains(&written.default) && document.add != Written::default() {
        flaws.add("spec.add", "no pod ever gets these parts, for all revisions have their own; leave them out");
    }
}

fn revision(
    name: String,
    weight: u8,
    written: &Written,
    document: &SidecarInjection,
    path: &str,
    flaws: &mut Flaws,
) -> Revision {
    let parts = parts(written, document, path, flaws);
    let rendered = parts.items.iter().map(|item| item.json.as_str());
    let rendered = rendered.chain(parts.volumes.iter().map(|volume| volume.json.as_str()));
    let digest = digest::hexadecimal(digest::digest([name.as_str()].into_iter().chain(rendered)));
    Revision { name, weight, parts, digest }
}

fn parts(written: &Written, document: &SidecarInjection, path: &str, flaws: &mut Flaws) -> Parts {
    let mut volume_names = BTreeSet::new();
    let mut volumes = edits::volumes(&written.volumes, &format!("{path}.volumes"), &mut volume_names, flaws);
    let known: BTreeSet<String> = volume_names.iter().chain(&document.r#match.volumes).cloned().collect();
    let items = items((written, document), path, (&known, &mut volume_names, &mut volumes), flaws);
    let mut items = order::sort(items, path, flaws);
    let patches = written.patch_containers.iter().enumerate();
    let patches =
        patches.map(|(index, patch)| edits::patch(patch, &format!("{path}.patchContainers[{index}]"), &known, flaws));
    let patches = patches.collect();
    let probes = written.probe_rewrite.as_ref();
    let probes = probes.map(|probes| edits::probes(probes, &format!("{path}.probeRewrite"), &items, flaws));
    if let Some(probes) = &probes {
        answers_at(&mut items, &probes.container, probes.port);
    }
    edits::pod(&written.pod, &format!("{path}.pod"), flaws);
    ports_differ(&items, path, flaws);
    Parts { items, volumes, patches, probes, pod: written.pod.clone() }
}

fn items(
    (written, document): (&Written, &SidecarInjection),
    path: &str,
    (known, volume_names, volumes): (&BTreeSet<String>, &mut BTreeSet<String>, &mut Vec<Volume>),
    flaws: &mut Flaws,
) -> Vec<Item> {
    let mut names = BTreeSet::new();
    let mut items = Vec::new();
    let lists: [(&str, &[Sidecar], bool); 2] =
        [("initContainers", &written.init_containers, true), ("containers", &written.containers, false)];
    for (list, sidecars, is_init) in lists {
        for (index, sidecar) in sidecars.iter().enumerate() {
            let at = format!("{path}.{list}[{index}]");
            let mut surroundings = container::Surroundings { volumes: known, names: &mut names, is_init, document };
            let Some((item, token)) = container::compile(sidecar, &at, &mut surroundings, flaws) else { continue };
            if let Some(token) = token {
                flaws.name(&format!("{at}.token"), &token.name, volume_names);
                volumes.push(token);
            }
            items.push(item);
        }
    }
    items
}

/// Who answers the kubelet's probes listens where they are sent.
fn answers_at(items: &mut [Item], container: &str, number: u16) {
    let port = Port { number, protocol: Some("TCP".to_owned()) };
    if let Some(item) = items.iter_mut().find(|item| item.name == container)
        && !item.ports.iter().any(|other| other.meets(&port))
    {
        item.ports.push(port);
    }
}

fn ports_differ(items: &[Item], path: &str, flaws: &mut Flaws) {
    let mut taken: Vec<(&str, &Port)> = Vec::new();
    for (item, port) in items.iter().flat_map(|item| item.ports.iter().map(move |port| (item, port))) {
        let (name, number) = (item.name.as_str(), port.number);
        if number == 0 {
            flaws.add(path, format!("0, reserved by {name:?}, is no port; write one from 1 to 65535"));
        } else if let Some((holder, _)) = taken.iter().find(|(_, other)| other.meets(port)) {
            let problem = format!("{name:?} and {holder:?} both have the port {number}; a pod has each port once");
            flaws.add(path, problem);
        }
        taken.push((name, port));
    }
}
