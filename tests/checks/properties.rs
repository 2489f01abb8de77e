//! What is true of every check, over every case that a page denies and over random pods: a new check gets all of it free.

use portcullis::engine::json;
use portcullis::engine::object::{Object, Pod, Workload};
use portcullis::engine::pod_security::{Check, Finding, Level, LevelVersion, Site, Value as Found, Version, registry};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};

use super::draft::{a_broken_pod, a_pod, any_json};
use super::judge::{find, with_pod};
use super::pages::cases;
use super::path::resolve;

/// The versions on both sides of every change.
fn versions() -> Vec<u64> {
    let since = registry().checks().iter().flat_map(|check| check.variants).map(|variant| variant.since);
    let mut versions: Vec<u64> = since.flat_map(|since| [since.saturating_sub(1), since]).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

#[test]
fn what_a_page_denies_stays_denied_in_any_list_and_any_workload() {
    for case in cases().iter().filter(|case| case.is_denied()) {
        let object: Value = serde_json::from_slice(&case.json).unwrap();
        if object.get("kind").is_none_or(|kind| kind == "Pod") {
            assert_holds(&case.check, case.version, &object);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_denied_stays_denied_in_any_list_and_any_workload(pod in a_pod(), minor in select(versions())) {
        for check in registry().checks() {
            assert_holds(check, Version::Minor(minor), &pod);
        }
    }

    #[test]
    fn no_json_makes_a_check_panic(object in prop_oneof![any_json(), a_broken_pod()]) {
        let text = object.to_string().into_bytes();
        if let Ok(object) = json::from_slice::<Object<'_>>(&text) {
            let templates = Workload::ALL.iter().filter_map(|row| Pod::template_of(&object, row.0));
            for pod in std::iter::once(Pod::of(&object)).chain(templates) {
                for minor in versions() {
                    let version = Version::Minor(minor);
                    for level in [Level::Baseline, Level::Restricted] {
                        let evaluation = registry().evaluate(LevelVersion { level, version }, &pod);
                        prop_assert_eq!(evaluation.is_allowed(), evaluation.forbidden_detail().is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn what_restricted_allows_baseline_allows(pod in a_pod(), minor in select(versions())) {
        // Upstream's two exceptions: see docs/decisions/0001-where-upstream-is-odd.md.
        prop_assume!(!is_windows(&pod) && !has_volume_with_two_sources(&pod));
        if is_allowed(Level::Restricted, minor, &pod) {
            prop_assert!(is_allowed(Level::Baseline, minor, &pod));
        }
    }
}

#[test]
fn random_pods_are_often_enough_allowed_and_denied_for_the_properties_to_mean_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = a_pod();
    let (mut restricted, mut baseline) = (0, 0);
    for _ in 0..256 {
        let pod = strategy.new_tree(&mut runner).unwrap().current();
        restricted += usize::from(is_allowed(Level::Restricted, 37, &pod));
        baseline += usize::from(is_allowed(Level::Baseline, 37, &pod));
    }
    assert!((20..200).contains(&restricted), "{restricted} of 256 pass restricted");
    assert!((40..220).contains(&baseline), "{baseline} of 256 pass baseline");
}

/// Everything that is true of what one check finds in one Pod.
fn assert_holds(check: &Check, version: Version, pod: &Value) {
    let Some(finding) = found(check, version, pod) else { return };
    assert_is_said_well(&finding);
    assert_paths_lead_somewhere(&finding, pod);
    let again = found(check, version, pod).unwrap();
    assert_eq!(format!("{finding:?} {}", finding.detail()), format!("{again:?} {}", again.detail()));
    assert_is_found_in_every_list(check, version, pod);
    assert_is_found_in_every_workload(&finding, version, pod);
}

fn found(check: &Check, version: Version, object: &Value) -> Option<Finding> {
    find(check, version, object.to_string().as_bytes()).unwrap()
}

fn assert_is_said_well(finding: &Finding) {
    assert!(!finding.reason().is_empty() && !finding.detail().is_empty(), "{}: no text", finding.check.id);
    for violation in &finding.violations {
        let fix = violation.fix;
        assert!(
            fix.starts_with(|first: char| first.is_lowercase()) && !fix.ends_with('.'),
            "{fix}: a phrase, to be joined"
        );
        assert!(fix.len() <= 160 && !fix.contains('\n'), "{fix}: too long");
    }
}

/// A path leads to the value that is objected to. Where the field is missing, or empty and so perhaps not written, it
/// leads as far as the container, volume or context that should hold it.
fn assert_paths_lead_somewhere(finding: &Finding, pod: &Value) {
    for violation in &finding.violations {
        let (value, done, steps) = resolve(pod, &violation.path);
        let name = format!("{}: {} in {pod}", finding.check.id, violation.path);
        match &violation.value {
            Found::Missing => assert!(done >= 3, "{name} leads nowhere"),
            // A map or a list stands for itself: that it is there is what is wrong.
            _ if value.is_some_and(|value| value.is_object() || value.is_array()) => {}
            Found::Text(text) if text.is_empty() => assert!(done + 1 >= steps, "{name} leads nowhere"),
            Found::Text(_) if matches!(violation.site, Site::Volume { .. }) => {
                assert!(value.is_some(), "{name} leads nowhere");
            }
            Found::Text(text) => assert_eq!(value, Some(&json!(text)), "{name}"),
            Found::Bool(truth) => assert_eq!(value, Some(&json!(truth)), "{name}"),
            Found::Number(number) => assert_eq!(value, Some(&json!(number)), "{name}"),
        }
    }
}

fn assert_is_found_in_every_list(check: &Check, version: Version, pod: &Value) {
    for list in LISTS {
        let mut moved = pod.clone();
        let Some(spec) = moved.get_mut("spec").and_then(Value::as_object_mut) else { continue };
        let mut containers = Vec::new();
        for other in LISTS {
            if let Some(Value::Array(items)) = spec.remove(other) {
                containers.extend(items);
            }
        }
        spec.insert(list.to_owned(), containers.into());
        assert!(found(check, version, &moved).is_some(), "{} at {version}: not found in {moved}", check.id);
    }
}

fn assert_is_found_in_every_workload(finding: &Finding, version: Version, pod: &Value) {
    for (_, api_version, kind, _) in Workload::ALL {
        let template = json!({"metadata": pod.get("metadata"), "spec": pod.get("spec")});
        let (prefix, body) = match kind {
            "PodTemplate" => ("template.", json!({"template": template})),
            "CronJob" => {
                let job = json!({"jobTemplate": {"spec": {"template": template}}});
                ("spec.jobTemplate.spec.template.", json!({"spec": job}))
            }
            _ => ("spec.template.", json!({"spec": {"template": template}})),
        };
        let mut object = body;
        object["apiVersion"] = api_version.into();
        object["kind"] = kind.into();
        let wrapped = found(&finding.check, version, &object)
            .unwrap_or_else(|| panic!("{} at {version}: not found in {object}", finding.check.id));
        let paths = |finding: &Finding| finding.violations.iter().map(|found| found.path.clone()).collect::<Vec<_>>();
        let expected: Vec<String> = paths(finding).iter().map(|path| format!("{prefix}{path}")).collect();
        assert_eq!(paths(&wrapped), expected);
        assert_eq!(wrapped.detail(), finding.detail());
    }
}

fn is_allowed(level: Level, minor: u64, pod: &Value) -> bool {
    let policy = LevelVersion { level, version: Version::Minor(minor) };
    with_pod(pod.to_string().as_bytes(), |pod| registry().evaluate(policy, pod).is_allowed()).unwrap()
}

fn is_windows(pod: &Value) -> bool {
    pod.pointer("/spec/os/name") == Some(&json!("windows"))
}

fn has_volume_with_two_sources(pod: &Value) -> bool {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    volumes.into_iter().flatten().filter_map(Value::as_object).any(|volume| volume.len() > 2)
}
