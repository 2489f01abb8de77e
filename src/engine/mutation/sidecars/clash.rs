//! What two documents cannot both add to a pod.

use super::super::document::{Conflicts, Flaw, NameConflict, PortConflict};
use super::Injection;
use super::meaning::is_same;
use super::parts::{Item, Parts};

impl Injection {
    pub(in crate::engine::mutation) fn conflicts(&self) -> Conflicts {
        self.conflicts
    }

    /// What of this document every pod is refused for that has the other one's parts; `conflicts` are those of the second of the two. Which
    /// of several revisions a pod gets is not known here.
    pub(in crate::engine::mutation) fn clashes_with(
        &self,
        other: &Self,
        title: &str,
        conflicts: Conflicts,
    ) -> Vec<Flaw> {
        let ([ours], [theirs]) = (self.revisions.as_slice(), other.revisions.as_slice()) else { return Vec::new() };
        let (ours, theirs) = (&ours.parts, &theirs.parts);
        let mut flaws = Vec::new();
        for item in &ours.items {
            for other in &theirs.items {
                flaws.extend(clash(item, other, title, conflicts));
            }
        }
        flaws.extend(volumes(ours, theirs, title, conflicts));
        flaws
    }
}

fn clash(item: &Item, other: &Item, title: &str, conflicts: Conflicts) -> Option<Flaw> {
    if item.name == other.name {
        let is_refused = conflicts.container_name != NameConflict::Skip && !is_same(&item.value, &other.value);
        return is_refused.then(|| Flaw {
            path: format!("{}.container.name", item.path),
            problem: format!(
                "{title} adds another container {:?} to the same pods, which are refused: choose another name, or other pods by match",
                item.name
            ),
        });
    }
    let port = item.ports.iter().find(|port| other.ports.iter().any(|other| other.meets(port)))?;
    (conflicts.port == PortConflict::Deny).then(|| Flaw {
        path: item.path.clone(),
        problem: format!(
            "port {} is that of container {:?} of {title} in the same pods, which are refused: choose another port, or set conflicts.port",
            port.number, other.name
        ),
    })
}

fn volumes(ours: &Parts, theirs: &Parts, title: &str, conflicts: Conflicts) -> Vec<Flaw> {
    if conflicts.volume_name != NameConflict::Deny {
        return Vec::new();
    }
    let is_other =
        |name: &str, value| theirs.volumes.iter().any(|other| other.name == name && !is_same(&other.value, value));
    let clashing = ours.volumes.iter().filter(|volume| is_other(&volume.name, &volume.value));
    let flaw = |name: &str| Flaw {
        path: "spec.add.volumes".to_owned(),
        problem: format!(
            "{title} adds another volume {name:?} to the same pods, which are refused: choose another name, or set conflicts.volumeName: Rename"
        ),
    };
    clashing.map(|volume| flaw(&volume.name)).collect()
}
