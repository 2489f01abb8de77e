//! A namespace's labels to its policy, as upstream's `PolicyToEvaluate` (`api/helpers.go`) reads them: an invalid label never
//! fails, it is an error beside a policy that is as strict as it can be for enforce and silent for audit and warn.

use super::level::{Level, LevelVersion, Policy, Version};
use super::quote::quote;
use crate::engine::object::StringMap;

/// One mode's labels.
struct ModeLabels {
    level: &'static str,
    version: &'static str,
}

const ENFORCE: ModeLabels =
    ModeLabels { level: "pod-security.kubernetes.io/enforce", version: "pod-security.kubernetes.io/enforce-version" };
const AUDIT: ModeLabels =
    ModeLabels { level: "pod-security.kubernetes.io/audit", version: "pod-security.kubernetes.io/audit-version" };
const WARN: ModeLabels =
    ModeLabels { level: "pod-security.kubernetes.io/warn", version: "pod-security.kubernetes.io/warn-version" };

/// What a namespace's labels say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelledPolicy {
    pub policy: Policy,
    pub errors: Vec<LabelError>,
    /// The modes, of enforce, audit and warn, that a level or version label names.
    pub labelled: [bool; 3],
}

/// A Pod Security label whose value is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelError {
    label: &'static str,
    value: String,
    problem: &'static str,
}

impl LabelError {
    /// The field's path, such as `metadata.labels[pod-security.kubernetes.io/enforce]`.
    pub fn field(&self) -> String {
        format!("metadata.labels[{}]", self.label)
    }

    /// The message without the field.
    pub fn body(&self) -> String {
        format!("Invalid value: {}: {}", quote(&self.value), self.problem)
    }
}

/// The text of all of them, as apimachinery aggregates errors: one alone as it is, several in brackets.
pub fn aggregate(errors: &[LabelError]) -> String {
    let texts: Vec<String> = errors.iter().map(|error| format!("{}: {}", error.field(), error.body())).collect();
    match texts.as_slice() {
        [only] => only.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// The policy of a namespace with these labels, where `defaults` fills what they leave open.
pub fn policy_of(labels: &StringMap<'_>, defaults: &Policy) -> LabelledPolicy {
    let mut found = LabelledPolicy { policy: *defaults, ..LabelledPolicy::default() };
    let errors = &mut found.errors;
    let policy = &mut found.policy;
    let enforce = read(labels, &ENFORCE, &mut policy.enforce, Level::Restricted, errors);
    let audit = read(labels, &AUDIT, &mut policy.audit, Level::Privileged, errors);
    let warn = read(labels, &WARN, &mut policy.warn, Level::Privileged, errors);

    // Since 1.26: who enforces something stricter than he warns of, and said nothing of warnings, wants both.
    if warn.level == Label::Missing && enforce.level == Label::Valid && policy.enforce.level > policy.warn.level {
        policy.warn.level = policy.enforce.level;
        if warn.version == Label::Missing {
            policy.warn.version = policy.enforce.version;
        }
    }
    found.labelled = [enforce, audit, warn].map(|mode| mode.is_named());
    found
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Label {
    Missing,
    Valid,
    Invalid,
}

struct ModeFound {
    level: Label,
    version: Label,
}

impl ModeFound {
    fn is_named(&self) -> bool {
        self.level != Label::Missing || self.version != Label::Missing
    }
}

fn read(
    labels: &StringMap<'_>,
    names: &ModeLabels,
    mode: &mut LevelVersion,
    fallback: Level,
    errors: &mut Vec<LabelError>,
) -> ModeFound {
    let mut found = ModeFound { level: Label::Missing, version: Label::Missing };
    if let Some(text) = labels.get(names.level) {
        let parsed = text.parse::<Level>();
        mode.level = parsed.unwrap_or(fallback);
        found.level = judged(&parsed, names.level, text, "must be one of privileged, baseline, restricted", errors);
    }
    if let Some(text) = labels.get(names.version) {
        let parsed = text.parse::<Version>();
        mode.version = parsed.unwrap_or(Version::Latest);
        found.version = judged(&parsed, names.version, text, "must be \"latest\" or \"v1.x\"", errors);
    }
    found
}

fn judged<T, E>(
    parsed: &Result<T, E>,
    label: &'static str,
    value: &str,
    problem: &'static str,
    errors: &mut Vec<LabelError>,
) -> Label {
    if parsed.is_ok() {
        return Label::Valid;
    }
    errors.push(LabelError { label, value: value.to_owned(), problem });
    Label::Invalid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::object::Text;

    fn read_labels(pairs: &[(&'static str, &'static str)], defaults: &Policy) -> LabelledPolicy {
        let prefix = "pod-security.kubernetes.io/";
        policy_of(&pairs.iter().map(|(k, v)| (Text::from(format!("{prefix}{k}")), Text::from(*v))).collect(), defaults)
    }

    fn modes(found: &LabelledPolicy) -> String {
        format!("{} {} {}", found.policy.enforce, found.policy.audit, found.policy.warn)
    }

    #[test]
    fn warn_follows_enforce_only_where_enforce_is_a_valid_stricter_label_and_warn_is_not_one() {
        let none = Policy::default();
        for (labels, expected) in [
            (&[("enforce", "restricted")][..], "restricted:latest privileged:latest restricted:latest"),
            (&[("enforce", "baseline"), ("enforce-version", "v1.3")], "baseline:v1.3 privileged:latest baseline:v1.3"),
            (&[("enforce", "baseline"), ("warn-version", "v1.9")], "baseline:latest privileged:latest baseline:v1.9"),
            (&[("enforce", "baseline"), ("warn", "x")], "baseline:latest privileged:latest privileged:latest"),
            (&[("enforce", "x")], "restricted:latest privileged:latest privileged:latest"),
            (&[("enforce-version", "v1.1")], "privileged:v1.1 privileged:latest privileged:latest"),
        ] {
            assert_eq!(modes(&read_labels(labels, &none)), expected, "{labels:?}");
        }
        let defaults = Policy { enforce: LevelVersion::RESTRICTED, ..none };
        assert_eq!(
            modes(&read_labels(&[("audit", "baseline")], &defaults)),
            "restricted:latest baseline:latest privileged:latest"
        );
    }

    #[test]
    fn errors_are_printed_as_apimachinery_prints_them() {
        let found = read_labels(&[("warn", "b\"z"), ("enforce", "foo"), ("audit-version", "1.2")], &Policy::default());
        assert_eq!(
            aggregate(&found.errors),
            "[metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"foo\": must be one of privileged, baseline, \
             restricted, metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: \"1.2\": must be \"latest\" or \
             \"v1.x\", metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: \"b\\\"z\": must be one of privileged, \
             baseline, restricted]"
        );
    }
}
