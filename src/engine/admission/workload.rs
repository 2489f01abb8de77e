//! Workloads: upstream's `ValidatePodController`, which warns and audits, and our option to deny what its pods would be denied.

use super::pod::{Enforced, exempted, exemption, judge};
use super::{Facts, Operation, Request, Snapshot, Verdict, lookup};
use crate::engine::object::{Object, Pod, Workload};
use crate::engine::pod_security::{Level, LevelVersion, quote, registry};
use crate::engine::request::Unusable;
use crate::engine::snapshot::Workloads;
use crate::engine::verdict::{Annotation, Event};

/// A workload's subresources, such as its status or scale, hold no template.
pub(super) fn is_ignored(request: &Request<'_>) -> bool {
    !request.subresource.is_empty()
}

pub(super) fn validate(request: &Request<'_>, snapshot: &Snapshot, facts: &Facts) -> Verdict {
    if is_ignored(request) {
        return Verdict::allow();
    }
    if let Some(exempt) = exemption(request, snapshot) {
        return exempted(exempt);
    }
    let Some(namespace) = lookup(request, snapshot, facts) else {
        let name = quote(&request.namespace);
        return unjudged(format!("failed to lookup namespace {name}: namespaces {name} not found"));
    };
    let labelled = namespace.pod_security();
    let workloads = namespace.workloads.unwrap_or(snapshot.workloads);
    let policy = &labelled.policy;
    let is_silent = policy.warn.level == Level::Privileged && policy.audit.level == Level::Privileged;
    let enforced = if workloads == Workloads::Deny { Enforced::Yes } else { Enforced::No };
    if labelled.errors.is_empty()
        && is_silent
        && (enforced == Enforced::No || policy.enforce.level == Level::Privileged)
    {
        return Verdict::allow();
    }
    let object = match request.object.object() {
        Ok(object) => object,
        Err(Unusable::Undecodable(why)) => return unjudged(format!("failed to decode object: {why}")),
        Err(Unusable::Absent) => {
            return unjudged("failed to extract pod template: the request holds no object".to_owned());
        }
    };
    match template_of(object) {
        Ok(Some(pod)) if enforced == Enforced::Yes && is_refused_already(request, policy.enforce, &pod) => {
            judge(request, snapshot, labelled, &pod, Enforced::No)
        }
        Ok(Some(pod)) => judge(request, snapshot, labelled, &pod, enforced),
        Ok(None) => Verdict::allow(),
        Err(why) => unjudged(format!("failed to extract pod template: {why}")),
    }
}

/// Whether an update leaves all that speaks against the stored template as it is, word for word. Such a workload is from before
/// it was refused: its controller goes on writing to it, and whoever deletes it has to take its finalizers away.
fn is_refused_already(request: &Request<'_>, policy: LevelVersion, new: &Pod<'_>) -> bool {
    if request.operation != Operation::Update {
        return false;
    }
    let Ok(Ok(Some(old))) = request.old_object.object().map(template_of) else { return false };
    let old = registry().evaluate(policy, &old);
    !old.is_allowed() && old.forbidden_detail() == registry().evaluate(policy, new).forbidden_detail()
}

fn template_of<'o>(object: &'o Object<'o>) -> Result<Option<Pod<'o>>, String> {
    match Workload::of(&object.api_version, &object.kind) {
        Some(workload) => Ok(Pod::template_of(object, workload)),
        // Upstream would take a bare Pod as well.
        None if &*object.kind == "Pod" && &*object.api_version == "v1" => Ok(Some(Pod::of(object))),
        None => Err(format!("unexpected object type: {}", object.group_version_kind())),
    }
}

/// A workload that cannot be judged is allowed and said to be in error: its pods will be judged.
fn unjudged(why: String) -> Verdict {
    let mut verdict = Verdict::allow();
    verdict.annotate(Annotation::Error(why));
    verdict.count(Event::Error { fatal: true });
    verdict
}
