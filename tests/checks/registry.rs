//! Holds the registry against upstream's: which checks there are, in which variants, and which run when and in which order.

use portcullis::engine::pod_security::{ALL, Level, LevelVersion, Version, registry};

/// The minor versions at which each check begins or changes.
const VARIANTS: [(&str, &[u64]); 19] = [
    ("allowPrivilegeEscalation", &[8, 25]),
    ("appArmorProfile", &[0]),
    ("capabilities_baseline", &[0]),
    ("capabilities_restricted", &[22, 25]),
    ("hostNamespaces", &[0]),
    ("hostPathVolumes", &[0]),
    ("hostPorts", &[0]),
    ("hostProbesAndHostLifecycle", &[34]),
    ("privileged", &[0]),
    ("procMount", &[0, 35]),
    ("procMount_restricted", &[35]),
    ("restrictedVolumes", &[0]),
    ("runAsNonRoot", &[0, 35]),
    ("runAsUser", &[23, 35]),
    ("seLinuxOptions", &[0, 31]),
    ("seccompProfile_baseline", &[0, 19]),
    ("seccompProfile_restricted", &[19, 25]),
    ("sysctls", &[0, 27, 29, 32, 37]),
    ("windowsHostProcess", &[0]),
];

const BASELINE: [(u64, &str); 2] = [
    (
        0,
        "appArmorProfile capabilities_baseline hostNamespaces hostPathVolumes hostPorts privileged procMount \
         seLinuxOptions seccompProfile_baseline sysctls windowsHostProcess",
    ),
    (
        34,
        "appArmorProfile capabilities_baseline hostNamespaces hostPathVolumes hostPorts hostProbesAndHostLifecycle \
         privileged procMount seLinuxOptions seccompProfile_baseline sysctls windowsHostProcess",
    ),
];

const RESTRICTED: [(u64, &str); 7] = [
    (
        0,
        "appArmorProfile capabilities_baseline hostNamespaces hostPorts privileged procMount seLinuxOptions \
         seccompProfile_baseline sysctls windowsHostProcess restrictedVolumes runAsNonRoot",
    ),
    (
        8,
        "appArmorProfile capabilities_baseline hostNamespaces hostPorts privileged procMount seLinuxOptions \
         seccompProfile_baseline sysctls windowsHostProcess allowPrivilegeEscalation restrictedVolumes runAsNonRoot",
    ),
    (
        19,
        "appArmorProfile capabilities_baseline hostNamespaces hostPorts privileged procMount seLinuxOptions sysctls \
         windowsHostProcess allowPrivilegeEscalation restrictedVolumes runAsNonRoot seccompProfile_restricted",
    ),
    (
        22,
        "appArmorProfile hostNamespaces hostPorts privileged procMount seLinuxOptions sysctls windowsHostProcess \
         allowPrivilegeEscalation capabilities_restricted restrictedVolumes runAsNonRoot seccompProfile_restricted",
    ),
    (
        23,
        "appArmorProfile hostNamespaces hostPorts privileged procMount seLinuxOptions sysctls windowsHostProcess \
         allowPrivilegeEscalation capabilities_restricted restrictedVolumes runAsNonRoot runAsUser \
         seccompProfile_restricted",
    ),
    (
        34,
        "appArmorProfile hostNamespaces hostPorts hostProbesAndHostLifecycle privileged procMount seLinuxOptions \
         sysctls windowsHostProcess allowPrivilegeEscalation capabilities_restricted restrictedVolumes runAsNonRoot \
         runAsUser seccompProfile_restricted",
    ),
    (
        35,
        "appArmorProfile hostNamespaces hostPorts hostProbesAndHostLifecycle privileged seLinuxOptions sysctls \
         windowsHostProcess allowPrivilegeEscalation capabilities_restricted procMount_restricted restrictedVolumes \
         runAsNonRoot runAsUser seccompProfile_restricted",
    ),
];

#[test]
fn the_registry_has_no_flaws() {
    assert_eq!(registry().flaws(), Vec::<String>::new());
}

#[test]
fn ids_are_unique_and_sorted_within_their_level() {
    let order: Vec<(Level, &str)> = registry().checks().iter().map(|check| (check.level, check.id)).collect();
    assert!(order.is_sorted_by(|one, next| one < next), "{order:?}");
    assert_eq!(order.len(), ALL.len());
}

#[test]
fn there_are_nineteen_checks_in_thirty_one_variants_up_to_v1_37() {
    let mut checks: Vec<(&str, Vec<u64>)> =
        ALL.iter().map(|check| (check.id, check.variants.iter().map(|variant| variant.since).collect())).collect();
    checks.sort();
    assert_eq!(checks, VARIANTS.map(|(id, since)| (id, since.to_vec())));
    assert_eq!(ALL.iter().map(|check| check.variants.len()).sum::<usize>(), 31);
    assert_eq!(registry().newest(), 37);
}

#[test]
fn baseline_and_restricted_run_upstreams_checks_in_upstreams_order() {
    for (level, plans) in [(Level::Baseline, &BASELINE[..]), (Level::Restricted, &RESTRICTED[..])] {
        for minor in 0..=40 {
            let (_, plan) = plans.iter().rfind(|(since, _)| *since <= minor).unwrap();
            let expected: Vec<&str> = plan.split(' ').collect();
            assert_eq!(planned(level, Version::Minor(minor)), expected, "{level}:v1.{minor}");
        }
    }
}

#[test]
fn latest_and_versions_to_come_run_what_the_newest_runs() {
    for level in Level::ALL {
        let newest = planned(level, Version::Minor(37));
        for version in [Version::Latest, Version::Minor(38), Version::Minor(10_000), Version::Minor(u64::MAX)] {
            assert_eq!(planned(level, version), newest, "{level}:{version}");
        }
    }
}

#[test]
fn privileged_runs_nothing() {
    for version in [Version::Latest, Version::Minor(0), Version::Minor(37)] {
        assert_eq!(planned(Level::Privileged, version), Vec::<&str>::new());
    }
}

#[test]
fn each_check_runs_in_its_newest_variant_that_is_not_newer_than_the_policy() {
    for level in [Level::Baseline, Level::Restricted] {
        for minor in 0..=37 {
            for (check, variant) in registry().plan(LevelVersion { level, version: Version::Minor(minor) }) {
                let (_, since) = VARIANTS.iter().find(|(id, _)| *id == check.id).unwrap();
                assert_eq!(since.iter().copied().rfind(|since| *since <= minor), Some(variant.since), "{}", check.id);
            }
        }
    }
}

fn planned(level: Level, version: Version) -> Vec<&'static str> {
    registry().plan(LevelVersion { level, version }).iter().map(|(check, _)| check.id).collect()
}
