//! Containers that violate no version of the Pod Security Standards, whatever pod they are in. What a document adds is mostly one, and
//! the same text in every pod: it is judged when the document is read.

use super::super::index::Index;
use super::Node;
use super::judged::{has_profiles, is_read};
use crate::engine::json;
use crate::engine::object::{Object, Pod};
use crate::engine::pod_security::{Level, LevelVersion, Version, registry};

/// Harmless containers, by their JSON.
#[derive(Debug, Default)]
pub(in crate::engine::mutation) struct Harmless(Index<()>);

impl<'t> FromIterator<&'t str> for Harmless {
    fn from_iter<T: IntoIterator<Item = &'t str>>(containers: T) -> Self {
        Self(Index::from_iter(containers.into_iter().map(|container| (container.into(), ()))))
    }
}

impl Harmless {
    /// Whether a container of this pod is one of them, whatever has been done to what no check reads.
    pub(super) fn has(&self, container: &Node<'_>, pod: &Node<'_>) -> bool {
        // Old annotations of the pod speak of containers by their names.
        self.0.get(container.came_as()).is_some() && !is_read(container) && !has_profiles(pod)
    }
}

/// Whether a container violates nothing in a pod that says nothing. It then violates nothing in any pod without old annotations: what
/// a container leaves to its pod is a violation there if it can be one anywhere.
pub(in crate::engine::mutation) fn is_harmless(container: &str) -> bool {
    let pod = format!(r#"{{"spec":{{"containers":[{container}]}}}}"#);
    let Ok(object) = json::from_str::<Object<'_>>(&pod) else { return false };
    let pod = Pod::of(&object);
    let is_allowed = |minor| {
        let strictest = LevelVersion { level: Level::Restricted, version: Version::Minor(minor) };
        registry().evaluate(strictest, &pod).is_allowed()
    };
    (0..=registry().newest()).all(is_allowed)
}
