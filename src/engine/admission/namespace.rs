//! Namespaces: their labels must be valid, and a stricter policy is tried on the pods that are there already (upstream's
//! `ValidateNamespace` and `EvaluatePodsInNamespace`).

use std::collections::{BTreeMap, HashSet};

use super::{Facts, Operation, Request, Snapshot, Status, Verdict, bad_request};
use crate::engine::facts::ExistingPods;
use crate::engine::json;
use crate::engine::object::{Object, Pod};
use crate::engine::pod_security::{
    Exemptions, LabelError, LabelledPolicy, Level, LevelVersion, aggregate, policy_of, quote, registry,
};
use crate::engine::request::{Carried, Unusable};
use crate::engine::snapshot::WORKLOADS_LABEL;
use crate::engine::verdict::{Annotation, Cause, Details};

/// The most pods that the dry run looks at.
const MOST_PODS: usize = 3000;

pub(super) fn validate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    match plan(request, snapshot) {
        Plan::Allow => Verdict::allow(),
        Plan::Deny(status, why) => denied(status, why),
        Plan::Warn(warnings) => warned(warnings),
        Plan::TryOnPods(policy, warnings) => {
            let name = name_of(request);
            let pods = try_on_pods(name, policy, &facts.existing_pods, &snapshot.pod_security.exemptions);
            warned(pods.into_iter().chain(warnings).collect())
        }
    }
}

/// Whether the pods of the namespace are needed to decide this request.
pub(super) fn looks_at_pods(request: &Request<'_>, snapshot: &Snapshot) -> bool {
    matches!(plan(request, snapshot), Plan::TryOnPods(..))
}

/// The name of the namespace, from the object itself.
pub(super) fn name_of<'r>(request: &'r Request<'_>) -> &'r str {
    request.object.object().map_or(&*request.name, |object| &*object.metadata.name)
}

/// What a request comes to, but for the pods.
enum Plan {
    Allow,
    /// With the reason that upstream puts into the annotation `error`, for a request that cannot be judged.
    Deny(Status, Option<String>),
    Warn(Vec<String>),
    TryOnPods(LevelVersion, Vec<String>),
}

fn plan(request: &Request<'_>, snapshot: &Snapshot) -> Plan {
    if !request.subresource.is_empty() {
        return Plan::Allow;
    }
    let defaults = &snapshot.pod_security.defaults;
    let namespace = match as_namespace(&request.object) {
        Ok(namespace) => namespace,
        Err(unusable) => return unusable_plan("", unusable),
    };
    let new = policy_of(&namespace.metadata.labels, defaults);
    let own = own_label_warning(namespace);
    if request.operation == Operation::Create {
        if !new.errors.is_empty() {
            return Plan::Deny(invalid(request, &new.errors), None);
        }
        return allow_with(exempt_warning(request, snapshot, namespace, &new).into_iter().chain(own).collect());
    }
    let old = match as_namespace(&request.old_object) {
        Ok(old) => policy_of(&old.metadata.labels, defaults),
        Err(unusable) => return unusable_plan(" old ", unusable),
    };
    if !new.errors.is_empty() && new.errors != old.errors {
        return Plan::Deny(invalid(request, &new.errors), None);
    }
    if !is_stricter(new.policy.enforce, old.policy.enforce) {
        return allow_with(own.into_iter().collect());
    }
    if snapshot.pod_security.exemptions.has_namespace(&request.namespace) {
        return allow_with(exempt_warning(request, snapshot, namespace, &new).into_iter().chain(own).collect());
    }
    Plan::TryOnPods(new.policy.enforce, own.into_iter().collect())
}

/// Whether pods that were allowed before may now be refused.
fn is_stricter(new: LevelVersion, old: LevelVersion) -> bool {
    new != old && new.level != Level::Privileged && (new.version != old.version || new.level > old.level)
}

fn allow_with(warnings: Vec<String>) -> Plan {
    if warnings.is_empty() { Plan::Allow } else { Plan::Warn(warnings) }
}

fn as_namespace<'r, 'a>(carried: &'r Carried<'a>) -> Result<&'r Object<'a>, Unusable> {
    let object = carried.object()?;
    if &*object.kind == "Namespace" && &*object.api_version == "v1" { Ok(object) } else { Err(Unusable::Absent) }
}

/// `which` is empty or ` old `; upstream's text for the latter has two blanks.
fn unusable_plan(which: &str, unusable: Unusable) -> Plan {
    let which = if which.is_empty() { " " } else { "  old " };
    match unusable {
        Unusable::Undecodable(why) => Plan::Deny(bad_request(&format!("failed to decode{which}object")), Some(why)),
        Unusable::Absent => Plan::Deny(bad_request(&format!("failed to decode{which}namespace")), None),
    }
}

fn denied(status: Status, why: Option<String>) -> Verdict {
    let mut verdict = Verdict::allow();
    if status.code == 400 {
        let text = why.map_or_else(|| status.message.clone(), |why| format!("{}: {why}", status.message));
        verdict.annotate(Annotation::Error(text));
    }
    verdict.deny(status);
    verdict
}

fn warned(warnings: Vec<String>) -> Verdict {
    let mut verdict = Verdict::allow();
    for warning in warnings {
        verdict.warn(warning);
    }
    verdict
}

/// `apierrors.NewInvalid` for the request's kind and name.
fn invalid(request: &Request<'_>, errors: &[LabelError]) -> Status {
    let kind = &request.kind;
    let qualified =
        if kind.group.is_empty() { kind.kind.to_string() } else { format!("{}.{}", &*kind.kind, &*kind.group) };
    let cause = |error: &LabelError| Cause { reason: "FieldValueInvalid", message: error.body(), field: error.field() };
    Status {
        code: 422,
        reason: "Invalid",
        message: format!("{qualified} {} is invalid: {}", quote(&request.name), aggregate(errors)),
        details: Details {
            name: request.name.to_string(),
            group: kind.group.to_string(),
            kind: kind.kind.to_string(),
            causes: errors.iter().map(cause).collect(),
        },
    }
}

/// Our own label has no upstream to agree with: a value that means nothing is warned about and ignored.
fn own_label_warning(namespace: &Object<'_>) -> Option<String> {
    let value = namespace.metadata.labels.get(WORKLOADS_LABEL)?;
    let problem = "must be deny or warn; the label is ignored";
    (!matches!(value, "deny" | "warn"))
        .then(|| format!("metadata.labels[{WORKLOADS_LABEL}]: Invalid value: {}: {problem}", quote(value)))
}

/// Tells who labels an exempt namespace that the labels will do nothing.
fn exempt_warning(
    request: &Request<'_>,
    snapshot: &Snapshot,
    namespace: &Object<'_>,
    labelled: &LabelledPolicy,
) -> Option<String> {
    let configuration = &snapshot.pod_security;
    let policy = &labelled.policy;
    if !configuration.exemptions.has_namespace(&request.namespace)
        || policy.is_fully_privileged()
        || policy.is_equivalent(&configuration.defaults)
    {
        return None;
    }
    let modes = [("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn)];
    let named: Vec<String> = modes
        .iter()
        .zip(labelled.labelled)
        .filter(|((_, mode), is_labelled)| *is_labelled && mode.level != Level::Privileged)
        .map(|((name, mode), _)| format!("{name}={mode}"))
        .collect();
    let name = quote(&namespace.metadata.name);
    Some(format!("namespace {name} is exempt from Pod Security, and the policy ({}) will be ignored", named.join(", ")))
}

/// The warnings of a dry run of `policy` over the pods that exist.
fn try_on_pods(name: &str, policy: LevelVersion, existing: &ExistingPods, exemptions: &Exemptions) -> Vec<String> {
    let unlistable = || vec!["failed to list pods while checking new PodSecurity enforce level".to_owned()];
    let ExistingPods::Listed { pods, unlisted, time } = existing else { return unlistable() };
    let decoded: Result<Vec<Object<'_>>, _> = pods.iter().map(|pod| json::from_slice(pod)).collect();
    let Ok(decoded) = decoded else { return unlistable() };
    let ordered = prioritised(&decoded, exemptions);
    let mut time = time.borrow_mut();
    let mut checked = 0;
    let mut by_reason: BTreeMap<String, Violating<'_>> = BTreeMap::new();
    for pod in ordered.iter().take(MOST_PODS) {
        if checked > 0 && time.next().is_none() {
            break;
        }
        checked += 1;
        let evaluation = registry().evaluate(policy, &Pod::of(pod));
        if !evaluation.is_allowed() {
            let name = &*pod.metadata.name;
            let violating =
                by_reason.entry(evaluation.forbidden_reason()).or_insert(Violating { first: name, count: 0 });
            violating.first = violating.first.min(name);
            violating.count += 1;
        }
    }
    let mut warnings = Vec::new();
    let total = ordered.len() + unlisted;
    if checked < total {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {checked} of {total} existing pods"
        ));
    }
    if !by_reason.is_empty() {
        let (name, policy) = (quote(name), quote(&policy.to_string()));
        warnings.push(format!("existing pods in namespace {name} violate the new PodSecurity enforce level {policy}"));
    }
    let mut lines: Vec<String> = by_reason.iter().map(|(reason, violating)| violating.line(reason)).collect();
    lines.sort_unstable();
    warnings.extend(lines);
    warnings
}

/// The pods that violate a policy for the same reasons.
struct Violating<'p> {
    /// The lexically first name.
    first: &'p str,
    count: usize,
}

impl Violating<'_> {
    fn line(&self, reason: &str) -> String {
        let first = self.first;
        match self.count {
            1 => format!("{first}: {reason}"),
            2 => format!("{first} (and 1 other pod): {reason}"),
            count => format!("{first} (and {} other pods): {reason}", count - 1),
        }
    }
}

/// Without those of exempt runtime classes: uncontrolled pods and the first of each controller, then further replicas.
fn prioritised<'p, 'a>(pods: &'p [Object<'a>], exemptions: &Exemptions) -> Vec<&'p Object<'a>> {
    let mut seen = HashSet::new();
    let (mut first, replicas): (Vec<_>, Vec<_>) = pods
        .iter()
        .filter(|pod| !exemptions.has_runtime_class(pod.spec.runtime_class_name.as_deref()))
        .partition(|pod| pod.metadata.controller_uid().is_none_or(|uid| seen.insert(uid)));
    first.extend(replicas);
    first
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::engine::pod_security::Configuration;

    #[test]
    fn pods_that_could_not_be_had_are_counted_among_those_that_exist() {
        let pod = br#"{"metadata":{"name":"a"},"spec":{"hostNetwork":true}}"#;
        let existing = ExistingPods::Listed {
            pods: vec![pod.to_vec().into()],
            unlisted: 41,
            time: RefCell::new(Box::new(std::iter::repeat(()))),
        };
        let exemptions = Configuration::default().exemptions;
        let warnings = try_on_pods("shop", LevelVersion::RESTRICTED, &existing, &exemptions);
        let expected = "new PodSecurity enforce level only checked against the first 1 of 42 existing pods";
        assert_eq!(warnings.first().map(String::as_str), Some(expected), "{warnings:?}");
        assert!(warnings.iter().any(|warning| warning.starts_with("a: ")), "{warnings:?}");
    }
}
