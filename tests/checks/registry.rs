//! Holds the registry against upstream's: which checks there are, in which variants, and which run when and in which order.

use portcullis::engine::pod_security::{ALL, Level, LevelVersion, Version, registry};

/// Every check in the order of evaluation, with the minor versions at which it begins or changes.
const CHECKS: [(&str, Level, &[u64]); 19] = [
    ("appArmorProfile", Level::Baseline, &[0]),
    ("capabilities_baseline", Level::Baseline, &[0]),
    ("hostNamespaces", Level::Baseline, &[0]),
    ("hostPathVolumes", Level::Baseline, &[0]),
    ("hostPorts", Level::Baseline, &[0]),
    ("hostProbesAndHostLifecycle", Level::Baseline, &[34]),
    ("privileged", Level::Baseline, &[0]),
    ("procMount", Level::Baseline, &[0, 35]),
    ("seLinuxOptions", Level::Baseline, &[0, 31]),
    ("seccompProfile_baseline", Level::Baseline, &[0, 19]),
    ("sysctls", Level::Baseline, &[0, 27, 29, 32, 37]),
    ("windowsHostProcess", Level::Baseline, &[0]),
    ("allowPrivilegeEscalation", Level::Restricted, &[8, 25]),
    ("capabilities_restricted", Level::Restricted, &[22, 25]),
    ("procMount_restricted", Level::Restricted, &[35]),
    ("restrictedVolumes", Level::Restricted, &[0]),
    ("runAsNonRoot", Level::Restricted, &[0, 35]),
    ("runAsUser", Level::Restricted, &[23, 35]),
    ("seccompProfile_restricted", Level::Restricted, &[19, 25]),
];

/// What each level runs in v1.0, and what comes (`+`) and goes (`-`) later.
const BASELINE: &[(u64, &str)] = &[
    (
        0,
        "+appArmorProfile +capabilities_baseline +hostNamespaces +hostPathVolumes +hostPorts +privileged +procMount \
         +seLinuxOptions +seccompProfile_baseline +sysctls +windowsHostProcess",
    ),
    (34, "+hostProbesAndHostLifecycle"),
];
const RESTRICTED: &[(u64, &str)] = &[
    (
        0,
        "+appArmorProfile +capabilities_baseline +hostNamespaces +hostPorts +privileged +procMount +seLinuxOptions \
         +seccompProfile_baseline +sysctls +windowsHostProcess +restrictedVolumes +runAsNonRoot",
    ),
    (8, "+allowPrivilegeEscalation"),
    (19, "-seccompProfile_baseline +seccompProfile_restricted"),
    (22, "-capabilities_baseline +capabilities_restricted"),
    (23, "+runAsUser"),
    (34, "+hostProbesAndHostLifecycle"),
    (35, "-procMount +procMount_restricted"),
];

/// The newest version that changes anything.
const NEWEST: u64 = 37;

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
fn checks_and_their_versions_are_upstreams() {
    let checks: Vec<(&str, Level, Vec<u64>)> = registry()
        .checks()
        .iter()
        .map(|check| (check.id, check.level, check.variants.iter().map(|variant| variant.since).collect()))
        .collect();
    assert_eq!(checks, CHECKS.map(|(id, level, since)| (id, level, since.to_vec())));
    assert_eq!(checks.iter().map(|(_, _, since)| since.len()).sum::<usize>(), 31);
    assert_eq!(registry().newest(), NEWEST);
}

#[test]
fn baseline_and_restricted_run_upstreams_checks_in_upstreams_order() {
    for (level, changes) in [(Level::Baseline, BASELINE), (Level::Restricted, RESTRICTED)] {
        for minor in 0..=NEWEST + 3 {
            assert_eq!(planned(level, Version::Minor(minor)), expected(changes, minor), "{level}:v1.{minor}");
        }
    }
}

/// The checks that have come and not gone by a version, in the order of evaluation.
fn expected(changes: &[(u64, &'static str)], minor: u64) -> Vec<&'static str> {
    let words = changes.iter().filter(|(since, _)| *since <= minor).flat_map(|(_, change)| change.split(' '));
    let changes: Vec<(&str, &str)> = words.map(|word| word.split_at(1)).collect();
    let last = |id| changes.iter().rfind(|(_, changed)| *changed == id).map(|(sign, _)| *sign);
    CHECKS.iter().map(|(id, _, _)| *id).filter(|id| last(*id) == Some("+")).collect()
}

#[test]
fn latest_and_versions_to_come_run_what_the_newest_runs() {
    for level in Level::ALL {
        let newest = planned(level, Version::Minor(NEWEST));
        for version in [Version::Latest, Version::Minor(NEWEST + 1), Version::Minor(10_000), Version::Minor(u64::MAX)] {
            assert_eq!(planned(level, version), newest, "{level}:{version}");
        }
    }
}

#[test]
fn privileged_runs_nothing() {
    for version in [Version::Latest, Version::Minor(0), Version::Minor(NEWEST)] {
        assert_eq!(planned(Level::Privileged, version), Vec::<&str>::new());
    }
}

#[test]
fn each_check_runs_in_its_newest_variant_that_is_not_newer_than_the_policy() {
    for level in [Level::Baseline, Level::Restricted] {
        for minor in 0..=NEWEST {
            for (check, variant) in registry().plan(LevelVersion { level, version: Version::Minor(minor) }) {
                let (_, _, since) = CHECKS.iter().find(|(id, _, _)| *id == check.id).unwrap();
                assert_eq!(since.iter().copied().rfind(|since| *since <= minor), Some(variant.since), "{}", check.id);
            }
        }
    }
}

fn planned(level: Level, version: Version) -> Vec<&'static str> {
    registry().plan(LevelVersion { level, version }).iter().map(|(check, _)| check.id).collect()
}
