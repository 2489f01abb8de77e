//! The generator on trial: checks broken on purpose, one at a time, have to be caught by the cases.
//!
//! Each of upstream's variants finds nothing; is left out, so that an older one applies; starts a version early; starts a
//! version late. And each check that looks at containers is blind to one of the three lists.

use crate::{cells::NEWEST, compare::pods};
use portcullis::engine::{
    json,
    object::{Object, Pod},
    pod_security::{ALL, Check, Findings, LevelVersion, Registry, Variant, Version, run},
};
use serde_json::Value;
use std::{collections::BTreeSet, ops::RangeInclusive};

/// A registry with one fault, and the minor versions at which the fault can show.
pub struct Broken {
    pub fault: String,
    minors: RangeInclusive<u64>,
    registry: Registry,
}

/// Every fault that a case must show.
pub fn faults() -> Vec<Broken> {
    let mut faults = Vec::new();
    for check in ALL {
        for (index, variant) in check.variants.iter().enumerate() {
            let last = check.variants.get(index + 1).map_or(NEWEST, |next| next.since - 1);
            let before = index.checked_sub(1).and_then(|index| check.variants.get(index)).map(|before| before.since);
            let name = format!("{}@v1.{}", check.id, variant.since);
            let mut add = |fault: &str, minors, change: &dyn Fn(&mut Vec<Variant>)| {
                faults.push(Broken { fault: format!("{name} {fault}"), minors, registry: with(check, change) });
            };
            add("finds nothing", variant.since..=last, &|variants| variants[index].find = nothing);
            if before.is_some() {
                add("is left out", variant.since..=last, &|variants| {
                    variants.remove(index);
                });
            }
            if variant.since > before.map_or(0, |before| before + 1) {
                let early = variant.since - 1;
                add("starts early", early..=early, &|variants| variants[index].since -= 1);
            }
            if variant.since > 0 && variant.since < last {
                add("starts late", variant.since..=variant.since, &|variants| variants[index].since += 1);
            }
        }
    }
    faults
}

fn nothing(_: &Pod<'_>, _: &mut Findings) {}

/// All checks, one of them changed.
fn with(changed: &Check, change: &dyn Fn(&mut Vec<Variant>)) -> Registry {
    let mut variants = changed.variants.to_vec();
    change(&mut variants);
    let checks: Vec<Check> = ALL
        .iter()
        .map(
            |check| if check.id == changed.id { Check { variants: variants.clone().leak(), ..*check } } else { *check },
        )
        .collect();
    Registry::new(&checks)
}

/// The faults that no case shows.
pub fn uncaught(faults: &[Broken], questions: &[Value], upstream: &[Value]) -> Vec<String> {
    let texts: Vec<String> = questions.iter().map(pods::text).collect();
    let mut objects = Vec::new();
    let mut by_minor: Vec<Vec<(usize, LevelVersion, &Value)>> = (0..=NEWEST).map(|_| Vec::new()).collect();
    for ((text, question), upstream) in texts.iter().zip(questions).zip(upstream) {
        let Ok(object) = json::from_slice::<Object<'_>>(text.as_bytes()) else { continue };
        let verdicts = upstream["verdicts"].as_array().into_iter().flatten();
        for (policy, verdict) in pods::policies(question).into_iter().flatten().zip(verdicts) {
            if let Version::Minor(minor @ 0..=NEWEST) = policy.version {
                by_minor[minor as usize].push((objects.len(), policy, verdict));
            }
        }
        objects.push(object);
    }
    let shows = |broken: &Broken| {
        let cases = broken.minors.clone().flat_map(|minor| &by_minor[minor as usize]);
        let mut cases = cases.map(|(object, policy, verdict)| (&objects[*object], *policy, *verdict));
        cases
            .any(|(object, policy, verdict)| pods::under(&broken.registry, policy, &Pod::of(object), verdict).is_some())
    };
    let mut uncaught: Vec<String> =
        faults.iter().filter(|broken| !shows(broken)).map(|broken| broken.fault.clone()).collect();
    uncaught.extend(unseen_lists(&objects));
    uncaught
}

/// The lists of containers to which a check could be blind without any case showing it.
fn unseen_lists(objects: &[Object<'_>]) -> Vec<String> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let mut seen = BTreeSet::new();
    for object in objects {
        for check in ALL {
            for variant in check.variants {
                let Some(finding) = run(*check, variant, &Pod::of(object)) else { continue };
                for list in lists {
                    if finding.violations.iter().any(|violation| violation.path.starts_with(&format!("spec.{list}["))) {
                        seen.insert((check.id, variant.since, list));
                    }
                }
            }
        }
    }
    let looks_at_containers: BTreeSet<_> = seen.iter().map(|(id, since, _)| (*id, *since)).collect();
    let pairs = looks_at_containers.into_iter().flat_map(|(id, since)| lists.map(|list| (id, since, list)));
    pairs
        .filter(|pair| !seen.contains(pair))
        .map(|(id, since, list)| format!("{id}@v1.{since} is blind to {list}"))
        .collect()
}
