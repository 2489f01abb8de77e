//! Resources of pods: what they ask for, their quality of service, what a namespace allows, and what a sidecar is to have.
//!
//! Kept true: what a user wrote is read and never lowered; what is computed is exact, and is a pair that the API accepts.

mod amount;
mod blame;
mod class;
mod effective;
mod limit_range;
mod pod_level;
mod requirements;
mod sidecar;

pub(super) use amount::finest;
pub use amount::{Amounts, CompiledAmount, Percentages, Share};
pub use blame::in_the_way;
pub use class::{QosClass, class_of, class_without};
pub use effective::{ContainerPlace, Load};
pub use limit_range::{Bounds, LimitRanges, Pair};
pub use pod_level::{PodLevelResources, is_for_pods};
pub(super) use requirements::quantities;
pub use requirements::{Requirements, ResourceList, Side, is_overcommitted};
pub use sidecar::{SidecarResources, for_sidecar};

#[cfg(test)]
mod tests;
