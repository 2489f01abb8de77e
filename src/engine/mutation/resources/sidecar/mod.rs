//! The resources that a sidecar gets in a pod: in proportion to the pod's own, within what the namespace allows, and so that the pod keeps
//! its quality of service.
//!
//! Kept true: a pod that was Guaranteed is Guaranteed with the sidecar, unless its document allows otherwise; a pod's own resources grow by
//! what the sidecar adds to the pod's effective requests, once.

mod bounds;
mod compile;
mod own;
mod quality;

use super::class::{QosClass, class_without};
use super::effective::{ContainerPlace, Load};
use super::pod_level::PodLevelResources;
use super::requirements::{Requirements, ResourceList, Side};
use crate::engine::mutation::document::{
    LimitRangeSafety, Of, OnUnknown, OperatingSystem, PodLevel, Proportion, QualityOfService,
};
use crate::engine::mutation::{Conflict, Node, Plan, Reason, Weight, containers, is_named, operating_system};
use crate::engine::object::{Quantity, QuantityError};

use super::amount::{Amounts, CompiledAmount};

/// What a document says of a sidecar's resources, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarResources {
    /// The name of the container.
    name: String,
    amounts: Amounts,
    proportion: Proportion,
    qos: QualityOfService,
    pod_level: PodLevel,
    limit_range: LimitRangeSafety,
    /// What a conflict comes to; a mere warning lets the sidecar in as well as it can be.
    weight: Weight,
    /// Members of the container's `resources` that are neither requests nor limits, as JSON.
    others: Vec<String>,
    /// What all that comes to in most pods, if it is the same in all of these; see [`Ready`].
    ready: Option<Ready>,
}

/// The result for a pod in which nothing depends on the pod: it is Burstable without us, as most are, has no resources of its own and
/// no LimitRange, and the sidecar runs with all its containers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ready {
    json: Option<String>,
    /// How much more the pod asks for; none if that is nothing.
    growth: Option<String>,
}

/// The `resources` of the container as JSON, none if it has none; raises the pod's own resources where the document says so.
///
/// `place` is where the container is going to be. A container of this name that is in the pod already does not count, and the pod's own
/// resources are then left alone, for they have grown by it before.
///
/// # Errors
/// What the document asks for cannot be had, and its word for such a conflict is not `Warn`.
pub fn for_sidecar(
    plan: &mut Plan<'_>,
    document: &str,
    sidecar: &SidecarResources,
    place: ContainerPlace,
) -> Result<Option<String>, Conflict> {
    let place = Placed { document, sidecar, place };
    let own = PodLevelResources::of_without(&plan.pod, |name| name == sidecar.name);
    if let (None, Some(ready)) = (&own, &sidecar.ready)
        && place.is_usual(plan)
    {
        if let Some(growth) = &ready.growth {
            plan.note(document, Reason::EffectiveRequests, Weight::Detail, growth.as_str());
        }
        return Ok(ready.json.clone());
    }
    let mut wanted = place.wanted(plan)?;
    match own {
        Some(_) if operating_system(&plan.pod) == OperatingSystem::Windows => return Err(place.on_windows()),
        Some(own) if sidecar.pod_level == PodLevel::Omit => wanted = place.unsaid(plan, &own)?,
        Some(own) => {
            place.clamp(plan, &mut wanted, false)?;
            if !plan.world.limit_ranges.is_empty() {
                // What the LimitRanger would fill in has to fit too, so it is said.
                wanted = place.limits(plan).filled(&wanted);
            }
            place.fit_into_own(plan, &own, &mut wanted)?;
        }
        None => {
            let before = place.class_before(plan);
            let must_be_equal = place.keep_class(plan, before, &mut wanted)?;
            place.clamp(plan, &mut wanted, must_be_equal)?;
            place.report_class(plan, before, &wanted);
        }
    }
    place.report_growth(plan, &wanted);
    Ok(sidecar.json(&wanted))
}

/// A sidecar on its way to its place.
struct Placed<'p> {
    document: &'p str,
    sidecar: &'p SidecarResources,
    place: ContainerPlace,
}

impl Placed<'_> {
    /// What the document asks for.
    fn wanted(&self, plan: &mut Plan<'_>) -> Result<Requirements, Conflict> {
        let sidecar = self.sidecar;
        let mut unknown = Vec::new();
        for (resource, amount) in &sidecar.amounts.requests {
            if amount.is_percentage() && sidecar.share_of(plan, resource).is_none() {
                unknown.push(resource.clone());
            }
        }
        if let (OnUnknown::Skip, Some(resource)) = (sidecar.proportion.on_unknown, unknown.first()) {
            return Err(Conflict {
                reason: Reason::NoAmountKnown,
                about: self.about(resource),
                weight: Weight::Skipped,
            });
        }
        for resource in &unknown {
            plan.note(self.document, Reason::NoAmountKnown, Weight::Detail, self.about(resource));
        }
        let whole = |resource: &str| match (sidecar.share_of(plan, resource), sidecar.proportion.on_unknown) {
            // Nothing at all comes to the minimum.
            (None, OnUnknown::UseMin) => Some(Quantity::ZERO),
            (share, _) => share,
        };
        match sidecar.amounts.beside(&Requirements::default(), whole) {
            Ok(mut wanted) => {
                wanted.limit_what_is_requested();
                Ok(wanted)
            }
            Err(error) => self.too_large(plan, &error),
        }
    }

    fn too_large(&self, plan: &mut Plan<'_>, error: &QuantityError) -> Result<Requirements, Conflict> {
        self.conflict(plan, Reason::AmountTooLarge, self.about(&error.to_string()))?;
        Ok(Requirements::default())
    }

    /// The conflict, or a warning in its place.
    fn conflict(&self, plan: &mut Plan<'_>, reason: Reason, about: String) -> Result<(), Conflict> {
        let weight = self.sidecar.weight;
        if weight == Weight::Warning {
            plan.note(self.document, reason, weight, about);
            return Ok(());
        }
        Err(Conflict { reason, about, weight })
    }

    fn on_windows(&self) -> Conflict {
        Conflict { reason: Reason::OperatingSystem, about: "spec.resources".to_owned(), weight: Weight::Skipped }
    }

    fn about(&self, what: &str) -> String {
        format!("container {:?}, {what}", self.sidecar.name)
    }

    /// Whether a container is one that the class of the pod and its growth are reckoned without.
    fn is_ours(&self, plan: &Plan<'_>, name: &str) -> bool {
        name == self.sidecar.name || plan.is_ours(name)
    }

    fn is_there(&self, pod: &Node<'_>) -> bool {
        containers(pod).any(|container| is_named(container, &self.sidecar.name))
    }

    /// Whether the pod needs as much more as the sidecar asks for: it runs with all others, of which none has to end before others start.
    fn runs_with_all(&self, pod: &Node<'_>) -> bool {
        let mut inits = pod.get("spec").into_iter().flat_map(|spec| spec.list("initContainers"));
        !matches!(self.place, ContainerPlace::Init { .. }) && inits.all(super::effective::is_native)
    }

    fn load(&self, pod: &Node<'_>, side: Side) -> Load {
        Load::of(pod, side, |name| name == self.sidecar.name)
    }

    /// The class of the pod without anything of ours.
    fn class_before(&self, plan: &Plan<'_>) -> QosClass {
        class_without(&plan.pod, |name| self.is_ours(plan, name))
    }

    /// Whether what [`Ready`] is for is so.
    fn is_usual(&self, plan: &Plan<'_>) -> bool {
        plan.world.limit_ranges.is_empty()
            && self.runs_with_all(&plan.pod)
            && self.class_before(plan) == QosClass::Burstable
    }

    fn report_growth(&self, plan: &mut Plan<'_>, wanted: &Requirements) {
        let mut asked = wanted.clone();
        asked.request_what_is_limited();
        let growth = if self.runs_with_all(&plan.pod) {
            asked.requests.clone()
        } else {
            self.load(&plan.pod, Side::Requests).growth(self.place, &asked.requests)
        };
        if let Some(growth) = self.sidecar.said_of_growth(&asked.requests, &growth) {
            plan.note(self.document, Reason::EffectiveRequests, Weight::Detail, growth);
        }
    }
}

impl SidecarResources {
    /// What it comes to where that is the same in all such pods, and no amount is too large.
    fn ready(&self) -> Option<Ready> {
        if self.amounts.requests.values().any(CompiledAmount::is_percentage) {
            return None;
        }
        let mut wanted = self.amounts.beside(&Requirements::default(), |_| None).ok()?;
        wanted.limit_what_is_requested();
        let mut asked = wanted.clone();
        asked.request_what_is_limited();
        Some(Ready { json: self.json(&wanted), growth: self.said_of_growth(&asked.requests, &asked.requests) })
    }

    /// The container's `resources`, none if it has none.
    fn json(&self, wanted: &Requirements) -> Option<String> {
        let mut members = wanted.json_members();
        members.extend_from_slice(&self.others);
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
    }

    /// How much more the pod asks for of what the sidecar asks for; none if that is nothing.
    fn said_of_growth(&self, asked: &ResourceList, growth: &ResourceList) -> Option<String> {
        let grown: Vec<String> = asked
            .keys()
            .map(|resource| {
                let more = growth.get(resource).copied().unwrap_or_default();
                format!("{resource} +{}", more.written_for(resource))
            })
            .collect();
        let is_any = growth.values().any(|more| *more != Quantity::ZERO);
        is_any.then(|| format!("container {:?}, {}", self.name, grown.join(", ")))
    }

    /// What percentages of a resource are of; none if no container that counts asks for it.
    fn share_of(&self, plan: &Plan<'_>, resource: &str) -> Option<Quantity> {
        let spec = plan.pod.get("spec")?;
        let natives = spec
            .list("initContainers")
            .filter(|init| self.proportion.native_sidecars && super::effective::is_native(init));
        let counts = |container: &&Node<'_>| {
            let name = container.string_at("name").unwrap_or_default();
            let is_ours = *name == self.name || plan.is_ours(&name);
            !is_ours && self.proportion.containers.has(&name)
        };
        let counted = spec.list("containers").chain(natives).filter(counts);
        let asked = counted.filter_map(|container| Requirements::of_container(container).requests.remove(resource));
        match self.proportion.of {
            Of::Sum => asked.reduce(|sum, more| sum.plus(more).unwrap_or(Quantity::MOST)),
            Of::Max => asked.max(),
        }
    }
}
