//! Pods: upstream's `ValidatePod` and `EvaluatePod`, step by step.

use std::collections::HashMap;

use super::{Facts, Operation, Request, Snapshot, Status, Verdict, bad_request, forbidden, lookup};
use crate::engine::object::{Container, Object, Pod, Spec};
use crate::engine::pod_security::{Evaluation, LabelledPolicy, LevelVersion, aggregate, quote, registry};
use crate::engine::request::{Carried, Unusable};
use crate::engine::verdict::{Annotation, Cause, Event, Exempt, Judgement, PolicyMode};

/// Subresources that cannot change a pod's spec. Every other one, known or not, is judged as a Pod: a subresource that is
/// newer than we are is safe that way.
const IGNORED: [&str; 8] = ["exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status"];

pub(super) fn is_ignored(request: &Request<'_>) -> bool {
    IGNORED.contains(&&*request.subresource)
}

pub(super) fn validate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    if is_ignored(request) {
        return Verdict::allow();
    }
    if let Some(exempt) = exemption(request, snapshot) {
        return exempted(exempt);
    }
    let Some(namespace) = lookup(request, snapshot, facts) else {
        let why = format!("namespaces {} not found", quote(&request.namespace));
        return failed(lookup_failure(request), Some(why));
    };
    let labelled = namespace.pod_security();
    if labelled.errors.is_empty() && labelled.policy.is_fully_privileged() {
        return privileged(labelled);
    }
    let pod = match as_pod(&request.object) {
        Ok(pod) => pod,
        Err(unusable) => return undecodable("", unusable),
    };
    if request.operation == Operation::Update {
        match as_pod(&request.old_object) {
            Ok(old) if !is_significant(&pod.spec, &old.spec) => return Verdict::allow(),
            Ok(_) => {}
            Err(unusable) => return undecodable("old ", unusable),
        }
    }
    judge(request, snapshot, labelled, &Pod::of(pod), Enforced::Yes)
}

/// Whether the enforced policy applies to the pod at hand, or only the other two modes do.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(super) enum Enforced {
    Yes,
    No,
}

/// Judges a pod, or a workload's template, by its namespace's policy in all modes.
pub(super) fn judge(
    request: &Request<'_>,
    snapshot: &Snapshot,
    labelled: &LabelledPolicy,
    pod: &Pod<'_>,
    enforced: Enforced,
) -> Verdict {
    let runtime_class = pod.spec.runtime_class_name.as_deref();
    if snapshot.pod_security.exemptions.has_runtime_class(runtime_class) {
        return exempted(Exempt::RuntimeClass);
    }
    let mut verdict = Verdict::allow();
    if !labelled.errors.is_empty() {
        verdict.annotate(Annotation::Error(format!("Failed to parse policy: {}", aggregate(&labelled.errors))));
        verdict.count(Event::Error { fatal: false });
    }
    let mut evaluated = Evaluated { pod, known: Vec::new() };
    if enforced == Enforced::Yes {
        enforce(&mut verdict, &mut evaluated, labelled.policy.enforce, request);
    }
    audit(&mut verdict, &mut evaluated, labelled.policy.audit);
    if verdict.is_allowed() {
        warn(&mut verdict, &mut evaluated, labelled.policy.warn);
    }
    verdict
}

fn enforce(verdict: &mut Verdict, evaluated: &mut Evaluated<'_>, policy: LevelVersion, request: &Request<'_>) {
    verdict.annotate(Annotation::EnforcePolicy(policy));
    let violations = record(verdict, evaluated, policy, PolicyMode::Enforce);
    if let Some(detail) = violations {
        verdict.deny(forbidden(request, &format!("violates PodSecurity {}: {detail}", quoted(policy))));
    } else {
        verdict.count(Event::Evaluation { allowed: true, policy, mode: PolicyMode::Enforce });
    }
}

fn audit(verdict: &mut Verdict, evaluated: &mut Evaluated<'_>, policy: LevelVersion) {
    if let Some(detail) = record(verdict, evaluated, policy, PolicyMode::Audit) {
        let text = format!("would violate PodSecurity {}: {detail}", quoted(policy));
        verdict.annotate(Annotation::AuditViolations(text));
    }
}

fn warn(verdict: &mut Verdict, evaluated: &mut Evaluated<'_>, policy: LevelVersion) {
    if let Some(detail) = record(verdict, evaluated, policy, PolicyMode::Warn) {
        verdict.warn(format!("would violate PodSecurity {}: {detail}", quoted(policy)));
    }
}

fn quoted(policy: LevelVersion) -> String {
    quote(&policy.to_string())
}

/// Evaluates a mode; if it is violated, keeps the typed form, counts it, and gives the detail of upstream's text.
fn record(
    verdict: &mut Verdict,
    evaluated: &mut Evaluated<'_>,
    policy: LevelVersion,
    mode: PolicyMode,
) -> Option<String> {
    let evaluation = evaluated.by(policy);
    if evaluation.is_allowed() {
        return None;
    }
    let detail = evaluation.forbidden_detail();
    verdict.judge(Judgement { mode, policy, evaluation });
    verdict.count(Event::Evaluation { allowed: false, policy, mode });
    Some(detail)
}

/// A pod's evaluations, each policy once however many modes ask for it.
struct Evaluated<'p> {
    pod: &'p Pod<'p>,
    known: Vec<(LevelVersion, Evaluation)>,
}

impl Evaluated<'_> {
    fn by(&mut self, policy: LevelVersion) -> Evaluation {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == policy) {
            return known.clone();
        }
        let evaluation = registry().evaluate(policy, self.pod);
        self.known.push((policy, evaluation.clone()));
        evaluation
    }
}

pub(super) fn exemption(request: &Request<'_>, snapshot: &Snapshot) -> Option<Exempt> {
    let exemptions = &snapshot.pod_security.exemptions;
    if exemptions.has_namespace(&request.namespace) {
        Some(Exempt::Namespace)
    } else if exemptions.has_username(&request.username) {
        Some(Exempt::User)
    } else {
        None
    }
}

pub(super) fn exempted(exempt: Exempt) -> Verdict {
    let mut verdict = Verdict::allow();
    verdict.annotate(Annotation::Exempt(exempt));
    verdict.count(Event::Exemption);
    verdict
}

/// A namespace that asks nothing of its pods; upstream says the same of every version.
fn privileged(labelled: &LabelledPolicy) -> Verdict {
    let mut verdict = Verdict::allow();
    verdict.annotate(Annotation::EnforcePolicy(LevelVersion::PRIVILEGED));
    verdict.count(Event::Evaluation { allowed: true, policy: labelled.policy.enforce, mode: PolicyMode::Enforce });
    verdict
}

fn lookup_failure(request: &Request<'_>) -> Status {
    let cause = format!("failed to lookup namespace {}", quote(&request.namespace));
    let mut status = bad_request(&format!("Internal error occurred: {cause}"));
    status.code = 500;
    status.reason = "InternalError";
    status.details.causes.push(Cause { reason: "", message: cause, field: String::new() });
    status
}

/// A request that cannot be judged is denied, and said to be in error.
fn failed(status: Status, why: Option<String>) -> Verdict {
    let text = match why {
        Some(why) => format!("{}: {why}", status.message),
        None => status.message.clone(),
    };
    let mut verdict = Verdict::allow();
    verdict.annotate(Annotation::Error(text));
    verdict.count(Event::Error { fatal: true });
    verdict.deny(status);
    verdict
}

/// `which` is empty, or `old ` for the object that is there already.
fn undecodable(which: &str, unusable: Unusable) -> Verdict {
    match unusable {
        Unusable::Undecodable(why) => failed(bad_request(&format!("failed to decode {which}object")), Some(why)),
        Unusable::Absent => failed(bad_request(&format!("failed to decode {which}pod")), None),
    }
}

fn as_pod<'r, 'a>(carried: &'r Carried<'a>) -> Result<&'r Object<'a>, Unusable> {
    let object = carried.object()?;
    if &*object.kind == "Pod" && &*object.api_version == "v1" { Ok(object) } else { Err(Unusable::Absent) }
}

/// Whether an update changes what Pod Security looks at: upstream's `isSignificantPodUpdate`. Images and new ephemeral
/// containers do; nothing else of a running pod that matters here can be changed.
fn is_significant(new: &Spec<'_>, old: &Spec<'_>) -> bool {
    any_image_differs(&new.containers, &old.containers)
        || any_image_differs(&new.init_containers, &old.init_containers)
        || any_ephemeral_image_differs(&new.ephemeral_containers, &old.ephemeral_containers)
}

/// Ephemeral containers are told apart by name, the first of a name being meant; a new name counts as a change.
fn any_ephemeral_image_differs(new: &[Container<'_>], old: &[Container<'_>]) -> bool {
    let images: HashMap<&str, &str> = old.iter().rev().map(|container| (&*container.name, &*container.image)).collect();
    new.iter().any(|container| images.get(&*container.name).is_none_or(|image| *image != &*container.image))
}

fn any_image_differs(new: &[Container<'_>], old: &[Container<'_>]) -> bool {
    new.len() != old.len() || new.iter().zip(old).any(|(new, old)| *new.image != *old.image)
}
