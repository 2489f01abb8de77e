//! Conflicts over users: a container that runs as the user that a sidecar keeps for itself, and a container of ours that needs
//! root in a pod that forbids it. Both would otherwise show at run time, far from their cause.

use super::super::plan::{Conflict, Reason};
use super::super::tree::Node;
use super::parts::{Item, Rights};
use super::work::Work;

impl Work<'_, '_> {
    /// Checks both.
    pub(super) fn check_rights(&mut self) -> Result<(), Conflict> {
        let parts = self.parts;
        for item in &parts.items {
            self.check_uid(item)?;
            if self.is_forbidden(item.rights) {
                let how = self.injection.conflicts.other;
                self.conflict(how, Reason::NeedsRoot, format!("container {:?}", item.name))?;
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
