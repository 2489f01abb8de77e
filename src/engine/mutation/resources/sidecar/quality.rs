//! Keeps the class of a pod whose resources are its containers': the algorithm of the design's section on quality of service.
//!
//! A Guaranteed pod stays one if the sidecar has as much as its limit of CPU and of memory; an init container that says nothing gets what
//! is spare. A BestEffort pod becomes Burstable with any
//! sidecar that asks for something, which is said. A Burstable pod stays one whatever comes.

use super::{
    Conflict, ContainerPlace, Load, Placed, Plan, QosClass, QualityOfService, Quantity, Reason, Requirements, Side,
    Weight,
};

impl Placed<'_> {
    /// Makes what is wanted keep the class that the pod has without us, as the document says; tells whether requests and limits have to stay equal.
    pub(super) fn keep_class(
        &self,
        plan: &mut Plan<'_>,
        before: QosClass,
        wanted: &mut Requirements,
    ) -> Result<bool, Conflict> {
        match (before, self.sidecar.qos) {
            (_, QualityOfService::AllowDowngrade) | (QosClass::Burstable, _) => Ok(false),
            (before, QualityOfService::Deny) => {
                let filled = self.limits(plan).filled(wanted);
                if QosClass::of(&filled) == before {
                    return Ok(before == QosClass::Guaranteed);
                }
                Err(Conflict { reason: Reason::QosWouldChange, about: self.about("resources"), weight: Weight::Denied })
            }
            (QosClass::Guaranteed, _) => self.equalize(plan, wanted),
            (QosClass::BestEffort, QualityOfService::Strict) => {
                *wanted = Requirements::default();
                let filled = self.limits(plan).filled(wanted);
                if QosClass::of(&filled) != QosClass::BestEffort {
                    self.conflict(plan, Reason::QosWouldChange, self.about("resources that the LimitRange sets"))?;
                }
                Ok(false)
            }
            (QosClass::BestEffort, _) => Ok(false),
        }
    }

    /// Makes CPU and memory equal on both sides.
    fn equalize(&self, plan: &mut Plan<'_>, wanted: &mut Requirements) -> Result<bool, Conflict> {
        let mut equal = Vec::new();
        for resource in ["cpu", "memory"] {
            let sides = (wanted.requests.get(resource).copied(), wanted.limits.get(resource).copied());
            let amount = match (sides, self.sidecar.qos) {
                ((Some(_), Some(limit)), QualityOfService::PreserveFromLimits) => Some(limit),
                ((Some(request), _), _) => Some(request),
                ((None, limit), _) => limit,
            };
            let amount = amount.filter(|amount| !amount.is_zero()).or_else(|| self.spare(plan, resource));
            let Some(amount) = amount else {
                self.conflict(plan, Reason::QosWouldChange, self.about(&format!("which asks for no {resource}")))?;
                return Ok(false);
            };
            equal.push((resource.to_owned(), amount));
        }
        wanted.requests.extend(equal.iter().cloned());
        wanted.limits.extend(equal);
        Ok(true)
    }

    /// As much as a plain init container may have without the pod's needing more than it does without anything of ours: it ends before
    /// the others start. Any less could starve it, as nobody has said what it needs.
    fn spare(&self, plan: &Plan<'_>, resource: &str) -> Option<Quantity> {
        if !matches!(self.place, ContainerPlace::Init { .. }) {
            return None;
        }
        let load = Load::of(&plan.pod, Side::Requests, |name| self.is_ours(plan, name));
        let needed = load.total().get(resource).copied()?;
        load.room(self.place, resource, needed).filter(|room| *room > Quantity::ZERO)
    }

    /// Says what has become of the class.
    pub(super) fn report_class(&self, plan: &mut Plan<'_>, before: QosClass, wanted: &Requirements) {
        if before == QosClass::Burstable {
            return;
        }
        let with = QosClass::of(&self.limits(plan).filled(wanted));
        let (reason, weight) = match (before, with) {
            (QosClass::Guaranteed, QosClass::Guaranteed) => {
                let cpu = wanted.requests.get("cpu").copied().unwrap_or(Quantity::ZERO);
                // The cores of an init container that has ended are the others' again.
                let is_passing = matches!(self.place, ContainerPlace::Init { .. });
                if cpu.is_zero() || !cpu.is_whole() || is_passing {
                    return;
                }
                (Reason::IntegralCpu, Weight::Warning)
            }
            (QosClass::Guaranteed, _) => (Reason::QosWouldChange, Weight::Detail),
            (QosClass::BestEffort, QosClass::Guaranteed | QosClass::Burstable) => {
                (Reason::QosBestEffortToBurstable, Weight::Detail)
            }
            _ => return,
        };
        plan.note(self.document, reason, weight, self.about("resources"));
    }
}
