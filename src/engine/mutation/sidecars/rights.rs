//! Conflicts over users: a container that runs as the user that a sidecar keeps for itself, a container of ours that needs root in a
//! pod that forbids it, and one that forbids root in a pod that is all root's. They would otherwise show at run time, far from their
//! cause.

use super::super::plan::{Conflict, Reason};
use super::super::tree::Node;
use super::parts::{Item, Rights};
use super::work::Work;

impl Work<'_, '_> {
    /// Checks them all.
    pub(super) fn check_rights(&mut self) -> Result<(), Conflict> {
        let parts = self.parts;
        for item in &parts.items {
            self.check_uid(item)?;
            let how = self.injection.conflicts.other;
            if self.is_forbidden(item.rights) {
                self.conflict(how, Reason::NeedsRoot, format!("container {:?}", item.name))?;
            }
            if self.inherits_root(item) {
                self.conflict(how, Reason::InheritsRoot, format!("container {:?}", item.name))?;
            }
        }
        Ok(())
    }

    fn check_uid(&mut self, item: &Item) -> Result<(), Conflict> {
        let Some(uid) = item.uid else { return Ok(()) };
        let of_pod = user(self.plan.pod.at(&["spec", "securityContext"]));
        let is_taken = |container: &Node<'_>| user(container.get("securityContext")).or(of_pod) == Some(uid);
        let taken = self.foreign().find(|(_, _, container)| is_taken(container));
        let holder = taken.map(|(_, _, container)| container.string_at("name").unwrap_or_default().into_owned());
        let Some(holder) = holder else { return Ok(()) };
        let about = format!("container {holder:?}, user {uid} of container {:?}", item.name);
        self.conflict(self.injection.conflicts.uid, Reason::UidTaken, about)
    }

    /// Whether the kubelet would refuse to start it (`CreateContainerConfigError`), whatever its image is.
    fn inherits_root(&self, item: &Item) -> bool {
        let names_user =
            item.rights.user.is_some() || (item.takes_user_of_namespace && self.user_of_namespace().is_some());
        !names_user
            && !self.is_windows
            && item.rights.non_root == Some(true)
            && user(self.plan.pod.at(&["spec", "securityContext"])) == Some(0)
    }

    fn is_forbidden(&self, rights: Rights) -> bool {
        let context = || self.plan.pod.at(&["spec", "securityContext"]);
        let forbids_root =
            || context().and_then(|context| context.get("runAsNonRoot")).and_then(Node::boolean) == Some(true);
        let is_other_user = || user(context()).is_some_and(|user| user != 0);
        match rights.user {
            Some(0) => rights.non_root.is_none() && forbids_root(),
            Some(_) => false,
            // What is added to a user's capabilities is not in effect unless that user is root.
            None => rights.adds_capabilities && (is_other_user() || (rights.non_root.is_none() && forbids_root())),
        }
    }
}

fn user(context: Option<&Node<'_>>) -> Option<i64> {
    context?.get("runAsUser")?.integer()
}
