//! The controls of the Pod Security Standards: one file each, one word each in the list below, one page each in `docs/checks`.

use super::registry::{Check, Registry, Variant};
use super::render::{Sites, counted, join_quoted, plural};
use super::violation::{Findings, Value};
use super::{Level, Pod};

macro_rules! checks {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every check, alphabetically.
        pub const ALL: &[Check] = &[$($name::CHECK),*];
    };
}

checks![
    allow_privilege_escalation,
    app_armor_profile,
    capabilities_baseline,
    capabilities_restricted,
    host_namespaces,
    host_path_volumes,
    host_ports,
    host_probes_and_host_lifecycle,
    privileged,
    proc_mount,
    proc_mount_restricted,
    restricted_volumes,
    run_as_non_root,
    run_as_user,
    se_linux_options,
    seccomp_profile_baseline,
    seccomp_profile_restricted,
    sysctls,
    windows_host_process,
];

/// The checks as one registry, planned once.
pub fn registry() -> &'static Registry {
    static REGISTRY: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(|| Registry::new(ALL));
    &REGISTRY
}

/// Short for [`Variant::since`], which every check begins its variants with.
const fn since(minor: u64, find: fn(&Pod<'_>, &mut Findings)) -> Variant {
    Variant::since(minor, find)
}
