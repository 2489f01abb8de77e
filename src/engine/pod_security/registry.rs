//! The registry of checks: which of them a policy runs, in which variant and in which order.
//!
//! As upstream's `policy/registry.go` has it: for a policy version the variant with the greatest minimum not above it;
//! baseline checks sorted by id, then restricted ones; a restricted variant may override baseline checks.

use super::level::{Level, LevelVersion, Version};
use super::render::Sites;
use super::violation::{Findings, Violation};
use crate::engine::object::Pod;

/// A control of the Pod Security Standards, with every meaning that it has had. A check cannot fail.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Upstream's id, verbatim.
    pub id: &'static str,
    /// The lowest level that runs it: baseline or restricted.
    pub level: Level,
    /// Its meanings, by rising minimum version.
    pub variants: &'static [Variant],
    /// Upstream's `ForbiddenReason`: short, always shown.
    pub reason: fn(&Sites<'_>) -> &'static str,
    /// Upstream's `ForbiddenDetail`: who set what.
    pub detail: fn(&Sites<'_>) -> String,
    /// `docs/checks/<id>.md`: its documentation, specification and test.
    pub page: &'static str,
}

/// What a check means from a policy version on.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The first minor version of Kubernetes 1 that has this meaning.
    pub since: u64,
    pub find: fn(&Pod<'_>, &mut Findings),
    /// The pods that are let go unseen.
    pub exempts: fn(&Pod<'_>) -> bool,
    /// The baseline checks that need not run beside it.
    pub overrides: &'static [&'static str],
}

impl Variant {
    /// One that looks at every pod and overrides nothing.
    pub const fn since(since: u64, find: fn(&Pod<'_>, &mut Findings)) -> Self {
        Self { since, find, exempts: |_| false, overrides: &[] }
    }

    /// The same, which lets these pods go.
    #[must_use]
    pub const fn unless(self, exempts: fn(&Pod<'_>) -> bool) -> Self {
        Self { exempts, ..self }
    }

    /// The same in place of these baseline checks.
    #[must_use]
    pub const fn overriding(self, overrides: &'static [&'static str]) -> Self {
        Self { overrides, ..self }
    }
}

/// What one check found in one pod.
#[derive(Debug, Clone)]
pub struct Finding {
    pub check: Check,
    /// In the order of the visit. Never empty.
    pub violations: Vec<Violation>,
}

impl Finding {
    pub fn reason(&self) -> &'static str {
        (self.check.reason)(&Sites::of(&self.violations))
    }

    pub fn detail(&self) -> String {
        (self.check.detail)(&Sites::of(&self.violations))
    }
}

/// What a policy found in a pod: nothing if it allows it.
#[derive(Debug, Clone, Default)]
pub struct Evaluation {
    pub findings: Vec<Finding>,
}

impl Evaluation {
    pub fn is_allowed(&self) -> bool {
        self.findings.is_empty()
    }

    /// `reason, reason`, as the dry run over a namespace's pods prints it.
    pub fn forbidden_reason(&self) -> String {
        let reasons: Vec<&str> = self.findings.iter().map(Finding::reason).collect();
        reasons.join(", ")
    }

    /// `reason (detail), reason (detail)`; without parentheses where a detail is empty, as that of a sysctl without a name.
    pub fn forbidden_detail(&self) -> String {
        let details = self.findings.iter().map(|finding| match finding.detail() {
            detail if detail.is_empty() => finding.reason().to_owned(),
            detail => format!("{} ({detail})", finding.reason()),
        });
        details.collect::<Vec<_>>().join(", ")
    }
}

/// A check in the variant that a policy version gives it.
type Planned = (Check, Variant);

/// Checks, and for each level and version which of them run.
#[derive(Debug)]
pub struct Registry {
    checks: Vec<Check>,
    baseline: Vec<Vec<Planned>>,
    restricted: Vec<Vec<Planned>>,
}

impl Registry {
    /// Plans every version up to the newest that changes anything.
    pub fn new(checks: &[Check]) -> Self {
        let mut checks = checks.to_vec();
        checks.sort_by_key(|check| (check.level, check.id));
        let newest = checks.iter().flat_map(|check| check.variants).map(|variant| variant.since).max().unwrap_or(0);
        let plans = |level| (0..=newest).map(|minor| plan(&checks, level, minor)).collect();
        Self { baseline: plans(Level::Baseline), restricted: plans(Level::Restricted), checks }
    }

    /// Baseline checks by id, then restricted ones by id: the order of evaluation and of every message.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The newest minor version that changes anything; `latest` and all versions above mean this one.
    pub fn newest(&self) -> u64 {
        self.baseline.len().saturating_sub(1) as u64
    }

    /// The checks that a policy runs, in order, each in its variant.
    pub fn plan(&self, policy: LevelVersion) -> &[Planned] {
        let plans = match policy.level {
            Level::Privileged => return &[],
            Level::Baseline => &self.baseline,
            Level::Restricted => &self.restricted,
        };
        let minor = match policy.version {
            Version::Latest => self.newest(),
            Version::Minor(minor) => minor.min(self.newest()),
        };
        usize::try_from(minor).ok().and_then(|minor| plans.get(minor)).map_or(&[], Vec::as_slice)
    }

    /// Runs every check of the policy over the pod.
    pub fn evaluate(&self, policy: LevelVersion, pod: &Pod<'_>) -> Evaluation {
        let planned = self.plan(policy).iter();
        Evaluation { findings: planned.filter_map(|(check, variant)| run(*check, variant, pod)).collect() }
    }

    /// What is wrong with the registry itself; nothing, or a test fails.
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        for (index, check) in self.checks.iter().enumerate() {
            let id = check.id;
            let mut twins = self.checks.iter().skip(index + 1).filter(|other| other.id == id);
            if twins.next().is_some() {
                flaws.push(format!("{id}: two checks have this id"));
            }
            if check.level == Level::Privileged || check.variants.is_empty() {
                flaws.push(format!("{id}: runs at no level or has no variant"));
            }
            if !check.variants.is_sorted_by(|one, next| one.since < next.since) {
                flaws.push(format!("{id}: versions must be strictly increasing"));
            }
            for overridden in check.variants.iter().flat_map(|variant| variant.overrides) {
                let is_baseline = self.checks.iter().any(|c| c.id == *overridden && c.level == Level::Baseline);
                if check.level != Level::Restricted || !is_baseline {
                    flaws.push(format!(
                        "{id}: only a restricted check overrides, and only a baseline one: {overridden}"
                    ));
                }
            }
        }
        flaws
    }
}

/// Runs one variant of a check over the pod.
pub fn run(check: Check, variant: &Variant, pod: &Pod<'_>) -> Option<Finding> {
    if (variant.exempts)(pod) {
        return None;
    }
    let mut findings = Findings::of(pod);
    (variant.find)(pod, &mut findings);
    let violations = findings.into_violations();
    (!violations.is_empty()).then_some(Finding { check, violations })
}

fn plan(checks: &[Check], level: Level, minor: u64) -> Vec<Planned> {
    let active: Vec<Planned> = checks
        .iter()
        .filter(|check| check.level <= level)
        .filter_map(|check| Some((*check, *check.variants.iter().rfind(|variant| variant.since <= minor)?)))
        .collect();
    let is_overridden = |id: &str| active.iter().any(|(_, variant)| variant.overrides.contains(&id));
    active.iter().filter(|(check, _)| !is_overridden(check.id)).copied().collect()
}
