//! Namespaces: their labels must be valid, and a stricter policy is tried on the pods that are there already (upstream's
//! `ValidateNamespace`).

use super::existing::try_on_pods;
use super::{Facts, Operation, Request, Snapshot, Status, Verdict, bad_request};
use crate::engine::object::Object;
use crate::engine::pod_security::{LabelError, LabelledPolicy, Level, LevelVersion, aggregate, policy_of, quote};
use crate::engine::request::{Carried, Unusable};
use crate::engine::snapshot::WORKLOADS_LABEL;
use crate::engine::verdict::{Annotation, Cause, Details};

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
