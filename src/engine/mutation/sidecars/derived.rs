//! Values of variables that come from the pod or its namespace.

use super::super::document::Origin;
use super::super::others::is_of_another;
use super::super::tree::Node;
use super::environment::literally;
use super::owner::owner_name;
use super::parts::Derived;
use super::work::{List, Work};

impl Work<'_, '_> {
    /// The value, or else the default.
    pub(super) fn derive(&self, derived: &Derived) -> Option<String> {
        let found = match &derived.from {
            Origin::NamespaceLabel(key) => self.plan.world.namespace_labels.get(key).map(str::to_owned),
            Origin::PodLabel(key) => self.metadata("labels", key),
            Origin::PodAnnotation(key) => self.metadata("annotations", key),
            Origin::OwnerName => owner_name(&self.plan.pod),
            Origin::FirstContainer => self.first_container(),
        };
        found.map(|value| literally(&value)).or_else(|| derived.default.clone())
    }

    fn metadata(&self, map: &str, key: &str) -> Option<String> {
        self.plan.pod.at(&["metadata", map, key]).and_then(Node::string).map(|value| value.into_owned())
    }

    /// The name of the first container that no injector added, ours or another; if there is none, of the first that is not ours.
    pub(super) fn first_container(&self) -> Option<String> {
        let foreign = self.foreign().filter(|(list, ..)| *list == List::Plain);
        let names = foreign.filter_map(|(_, _, container)| container.string_at("name"));
        let names: Vec<String> = names.map(|name| name.into_owned()).collect();
        names.iter().find(|name| !is_of_another(name)).or(names.first()).cloned()
    }
}
