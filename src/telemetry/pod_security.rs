//! Upstream's three counters of Pod Security (`metrics/metrics.go`), counted by position so that no label is built per request.
//!
//! One deviation: a subresource that upstream would print as the client wrote it is `other` here, so that labels stay bounded.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::metrics::{Text, sum};
use super::table::{ERRORS, EVALUATIONS, EXEMPTIONS};
use crate::engine::pod_security::{Level, LevelVersion, Version, registry};
use crate::engine::{Event, Operation, PolicyMode, Request};

const OPERATIONS: [&str; 4] = ["create", "update", "delete", "connect"];
const RESOURCES: [&str; 3] = ["pod", "namespace", "controller"];
/// Those that Kubernetes has and that are judged; all others are counted together.
const SUBRESOURCES: [&str; 4] = ["", "ephemeralcontainers", "resize", "other"];
const MODES: [PolicyMode; 3] = [PolicyMode::Enforce, PolicyMode::Audit, PolicyMode::Warn];
const PLACES: usize = OPERATIONS.len() * RESOURCES.len() * SUBRESOURCES.len();
/// The newest minor version that has a slot of its own; the registry's newest is less or equal, as a test holds.
const MOST_MINOR: usize = 63;
/// `latest` and `future` stand behind the minor versions.
const VERSIONS: usize = MOST_MINOR + 3;
const LATEST: usize = MOST_MINOR + 1;
const FUTURE: usize = MOST_MINOR + 2;

/// Counts of one policy: by decision, mode and place.
type Evaluations = [AtomicU64; 2 * MODES.len() * PLACES];

pub(super) struct PodSecurity {
    /// By level and version; filled when a policy is first evaluated, since a cluster uses few of them.
    evaluations: Box<[OnceLock<Box<Evaluations>>]>,
    exemptions: [AtomicU64; PLACES],
    errors: [AtomicU64; 2 * PLACES],
}

impl PodSecurity {
    pub(super) fn new() -> Self {
        Self {
            evaluations: (0..Level::ALL.len() * VERSIONS).map(|_| OnceLock::new()).collect(),
            exemptions: [const { AtomicU64::new(0) }; PLACES],
            errors: [const { AtomicU64::new(0) }; 2 * PLACES],
        }
    }

    pub(super) fn count(&self, request: &Request<'_>, events: &[Event]) {
        if events.is_empty() {
            return;
        }
        let place = place(request);
        for event in events {
            let counter = match *event {
                Event::Evaluation { allowed, policy, mode } => {
                    self.of(policy).and_then(|counts| counts.get(evaluation(allowed, mode) * PLACES + place))
                }
                Event::Exemption => self.exemptions.get(place),
                Event::Error { fatal } => self.errors.get(usize::from(fatal) * PLACES + place),
            };
            if let Some(counter) = counter {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn of(&self, policy: LevelVersion) -> Option<&Evaluations> {
        let slot = self.evaluations.get(policy.level as usize * VERSIONS + version(policy))?;
        Some(slot.get_or_init(|| Box::new([const { AtomicU64::new(0) }; 2 * MODES.len() * PLACES])))
    }

    pub(super) fn render(&self, text: &mut Text) {
        text.head(&EVALUATIONS);
        for (policy, slot) in self.evaluations.iter().enumerate() {
            if let Some(counts) = slot.get() {
                for (index, count) in counts.iter().enumerate() {
                    render_evaluation(text, policy, index, sum(count));
                }
            } else if policy == LATEST {
                // Upstream shows these two from the start, at zero.
                for index in [pod_place(0), pod_place(1)] {
                    render_evaluation(text, policy, evaluation(true, PolicyMode::Enforce) * PLACES + index, 0);
                }
            }
        }
        text.head(&EXEMPTIONS);
        for (place, count) in self.exemptions.iter().enumerate() {
            if sum(count) > 0 || is_shown_from_the_start(place) {
                text.sample(&EXEMPTIONS, &place_labels(place), sum(count));
            }
        }
        text.head(&ERRORS);
        for (index, count) in self.errors.iter().enumerate().filter(|(_, count)| sum(count) > 0) {
            let [operation, resource, subresource] = place_labels(index % PLACES);
            let fatal = if index / PLACES == 1 { "true" } else { "false" };
            text.sample(&ERRORS, &[fatal, operation, resource, subresource], sum(count));
        }
    }
}

fn render_evaluation(text: &mut Text, policy: usize, index: usize, count: u64) {
    let (kind, place) = (index / PLACES, index % PLACES);
    let level = Level::ALL.get(policy / VERSIONS).map_or("", |level| level.name());
    let is_first = policy == LATEST
        && kind == evaluation(true, PolicyMode::Enforce)
        && [pod_place(0), pod_place(1)].contains(&place);
    if count == 0 && !is_first {
        return;
    }
    let version = match policy % VERSIONS {
        LATEST => "latest".to_owned(),
        FUTURE => "future".to_owned(),
        minor => format!("v1.{minor}"),
    };
    let decision = if kind / MODES.len() == 1 { "allow" } else { "deny" };
    let mode = MODES.get(kind % MODES.len()).map_or("", |mode| mode.name());
    let [operation, resource, subresource] = place_labels(place);
    text.sample(&EVALUATIONS, &[decision, level, &version, mode, operation, resource, subresource], count);
}

fn evaluation(allowed: bool, mode: PolicyMode) -> usize {
    usize::from(allowed) * MODES.len() + mode as usize
}

/// Where a policy is counted: privileged is always `latest`, and what is newer than anything we know is `future`.
fn version(policy: LevelVersion) -> usize {
    match policy.version {
        Version::Minor(minor) if policy.level != Level::Privileged => {
            if minor > registry().newest() {
                FUTURE
            } else {
                usize::try_from(minor).unwrap_or(FUTURE).min(FUTURE)
            }
        }
        _ => LATEST,
    }
}

/// The position of a request's operation, resource and subresource.
fn place(request: &Request<'_>) -> usize {
    let operation = match request.operation {
        Operation::Create => 0,
        Operation::Update => 1,
        Operation::Delete => 2,
        Operation::Connect => 3,
    };
    let resource = match () {
        () if request.resource.is_pods() => 0,
        () if request.resource.is_namespaces() => 1,
        () => 2,
    };
    let known = SUBRESOURCES.iter().position(|name| *name == &*request.subresource);
    (operation * RESOURCES.len() + resource) * SUBRESOURCES.len() + known.unwrap_or(SUBRESOURCES.len() - 1)
}

fn pod_place(operation: usize) -> usize {
    operation * RESOURCES.len() * SUBRESOURCES.len()
}

/// Create and update of a pod and of a controller, which upstream shows from the start.
fn is_shown_from_the_start(place: usize) -> bool {
    let controller = 2 * SUBRESOURCES.len();
    [pod_place(0), pod_place(1), pod_place(0) + controller, pod_place(1) + controller].contains(&place)
}

fn place_labels(place: usize) -> [&'static str; 3] {
    let of = |names: &[&'static str], index: usize| names.get(index).copied().unwrap_or_default();
    [
        of(&OPERATIONS, place / (RESOURCES.len() * SUBRESOURCES.len())),
        of(&RESOURCES, place / SUBRESOURCES.len() % RESOURCES.len()),
        of(&SUBRESOURCES, place % SUBRESOURCES.len()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Carried, ObjectKind, Phase, Resource};

    #[test]
    fn every_known_version_has_a_slot_of_its_own() {
        assert!(registry().newest() <= MOST_MINOR as u64);
    }

    #[test]
    fn privileged_is_latest_and_the_unknown_is_future() {
        let of = |level, minor| version(LevelVersion { level, version: Version::Minor(minor) });
        assert_eq!(of(Level::Privileged, 20), LATEST);
        assert_eq!(of(Level::Baseline, 20), 20);
        assert_eq!(of(Level::Baseline, registry().newest() + 1), FUTURE);
        assert_eq!(of(Level::Restricted, u64::MAX), FUTURE);
    }

    #[test]
    fn a_subresource_that_a_client_invents_is_other() {
        let counted = |operation, resource: &'static str, subresource: &'static str| {
            place_labels(place(&Request {
                phase: Phase::Validate,
                uid: "u".into(),
                operation,
                kind: ObjectKind::default(),
                resource: Resource { group: "".into(), resource: resource.into() },
                subresource: subresource.into(),
                name: "".into(),
                namespace: "".into(),
                username: "".into(),
                dry_run: false,
                object: Carried::Absent,
                old_object: Carried::Absent,
                review: &[],
            }))
        };
        assert_eq!(counted(Operation::Update, "pods", "resize"), ["update", "pod", "resize"]);
        assert_eq!(counted(Operation::Create, "pods", "invented"), ["create", "pod", "other"]);
        assert_eq!(counted(Operation::Create, "namespaces", ""), ["create", "namespace", ""]);
        assert_eq!(counted(Operation::Update, "deployments", "scale"), ["update", "controller", "other"]);
    }

    #[test]
    fn shows_what_upstream_shows_before_any_request() {
        let mut text = Text::default();
        PodSecurity::new().render(&mut text);
        let samples: Vec<&str> = text.as_str().lines().filter(|line| !line.starts_with('#')).collect();
        let evaluation = |operation| {
            format!(
                "pod_security_evaluations_total{{decision=\"allow\",policy_level=\"privileged\",policy_version=\"latest\",\
                 mode=\"enforce\",request_operation=\"{operation}\",resource=\"pod\",subresource=\"\"}} 0"
            )
        };
        let exemption = |operation, resource| {
            format!(
                "pod_security_exemptions_total{{request_operation=\"{operation}\",resource=\"{resource}\",subresource=\"\"}} 0"
            )
        };
        let expected = [
            evaluation("create"),
            evaluation("update"),
            exemption("create", "pod"),
            exemption("create", "controller"),
            exemption("update", "pod"),
            exemption("update", "controller"),
        ];
        assert_eq!(samples, expected);
    }
}
