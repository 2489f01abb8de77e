//! The Pod Security Standards: what upstream's `k8s.io/pod-security-admission` at v0.37 forbids, in its words.
//!
//! The rules are those of the newest upstream for every policy version, as upstream's own webhook has it. A check is pure
//! and cannot fail; violations are typed, and [`render`] alone knows the grammar of upstream's texts.

mod checks;
mod configuration;
mod labels;
mod level;
mod printable;
mod quote;
mod registry;
mod render;
mod violation;

pub use checks::{ALL, registry};
pub use configuration::{Configuration, ConfigurationError, Exemptions};
pub use labels::{LabelError, LabelledPolicy, aggregate, policy_of};
pub use level::{Level, LevelVersion, Policy, UnknownLevel, UnknownVersion, Version};
pub use quote::quote;
pub use registry::{Check, Evaluation, Finding, Registry, Variant, run};
pub use violation::{Findings, Site, Value, Violation};

use super::object::Pod;
