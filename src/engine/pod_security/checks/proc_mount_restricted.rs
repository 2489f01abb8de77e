//! `procMount_restricted`: at the restricted level the masks over /proc stay, whatever user namespace the pod has.

use super::proc_mount::{detail, find};
use super::{Check, Level, since};

pub(super) const CHECK: Check = Check {
    id: "procMount_restricted",
    level: Level::Restricted,
    variants: &[since(35, find).overriding(&["procMount"])],
    reason: |_| "procMount",
    detail,
    page: include_str!("../../../../docs/checks/procMount_restricted.md"),
};
