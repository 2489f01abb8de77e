//! In which list a container goes: as a native sidecar where every kubelet knows them, else as the document has it.

use super::super::document::Fallback;
use super::super::plan::{Conflict, Reason, Weight};
use super::owner::is_of_job;
use super::parts::{Item, Kind};
use super::work::{List, Work};

impl Work<'_, '_> {
    /// Chooses for all items.
    pub(super) fn choose_lists(&mut self) -> Result<(), Conflict> {
        let is_of_job = is_of_job(&self.plan.pod, self.plan.world);
        for item in &self.parts.items {
            let list = list_of(item, self.plan.world.has_native_sidecars, is_of_job)?;
            self.lists.push(list);
        }
        Ok(())
    }
}

fn list_of(item: &Item, has_native_sidecars: bool, is_of_job: bool) -> Result<List, Conflict> {
    let refused = |reason, weight| Err(Conflict { reason, about: format!("container {:?}", item.name), weight });
    let plain = |may_block_job: bool| {
        if is_of_job && !may_block_job { refused(Reason::BlocksJob, Weight::Skipped) } else { Ok(List::Plain) }
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
