//! In which list a container goes: as a native sidecar where every kubelet knows them, else as the document has it.
//!
//! Kept true: a pod that would complete still does, unless its document says otherwise.

use super::super::document::Fallback;
use super::super::plan::{Conflict, Reason, Weight};
use super::super::selection::owner_kind;
use super::super::tree::Node;
use super::parts::{Item, Kind};
use super::work::{List, Work};

impl Work<'_, '_> {
    /// Chooses for all items.
    pub(super) fn choose_lists(&mut self) -> Result<(), Conflict> {
        for item in &self.parts.items {
            let list = list_of(item, self.plan.world.has_native_sidecars, || self.completes())?;
            self.lists.push(list);
        }
        Ok(())
    }

    /// Whether the pod completes once its own containers have ended: none of them is started again whatever it ends with. A container's
    /// own policy counts before the pod's (`ContainerShouldRestart` of `k8s.io/kubernetes/pkg/api/v1/pod`).
    fn completes(&self) -> bool {
        let of_pod = self.plan.pod.at(&["spec", "restartPolicy"]).and_then(Node::string);
        // Where the pod says nothing it never ends, but for the pods of a Job, which have to.
        let of_pod = of_pod.map_or_else(|| owner_kind(&self.plan.pod) == "Job", |policy| ends(&policy));
        let mut own = self.foreign().filter(|(list, ..)| *list == List::Plain);
        own.all(|(_, _, container)| container.string_at("restartPolicy").map_or(of_pod, |policy| ends(&policy)))
    }
}

fn ends(policy: &str) -> bool {
    matches!(policy, "Never" | "OnFailure")
}

fn list_of(item: &Item, has_native_sidecars: bool, completes: impl Fn() -> bool) -> Result<List, Conflict> {
    let refused = |reason, weight| Err(Conflict { reason, about: format!("container {:?}", item.name), weight });
    let plain = |may_block_job: bool| {
        if !may_block_job && completes() { refused(Reason::BlocksJob, Weight::Skipped) } else { Ok(List::Plain) }
    };
    match item.kind {
        Kind::Init => Ok(List::Init),
        Kind::Container { may_block_job } => plain(may_block_job),
        Kind::Native | Kind::Auto { .. } if has_native_sidecars => Ok(List::Init),
        Kind::Native => refused(Reason::NativeUnsupported, Weight::Denied),
        Kind::Auto { fallback: Fallback::Container, may_block_job } => plain(may_block_job),
        Kind::Auto { fallback: Fallback::Skip, .. } => refused(Reason::NativeUnsupported, Weight::Skipped),
        Kind::Auto { fallback: Fallback::Deny, .. } => refused(Reason::NativeUnsupported, Weight::Denied),
    }
}
