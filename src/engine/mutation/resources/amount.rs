//! Amounts as documents write them, compiled: literal, from the other side, or in proportion.

use std::collections::BTreeMap;

use super::requirements::{Requirements, Side, is_overcommitted};
use crate::engine::mutation::document::{Amount, Derived, Flaw, QuantityText, Resources};
use crate::engine::mutation::schema::{flaw_of_amount, flaw_of_resource, is_huge_pages, member};
use crate::engine::object::{Quantity, QuantityError, Ratio};

/// Requests and limits to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amounts {
    pub requests: BTreeMap<String, CompiledAmount>,
    pub limits: BTreeMap<String, CompiledAmount>,
}

/// How much, and within which bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompiledAmount {
    pub share: Share,
    pub min: Option<Quantity>,
    max: Option<Quantity>,
    /// The result is a multiple of it.
    step: Quantity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Exactly(Quantity),
    FromRequest(Ratio),
    FromLimit(Ratio),
    Percent(Ratio),
}

/// Whether requests can be percentages of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Percentages {
    Allowed,
    /// And each says the least that it can be.
    WithMin,
    Refused,
}

impl Amounts {
    /// Compiles what is written at `path`; what is wrong with it goes to `flaws`.
    pub fn compile(resources: &Resources, path: &str, percentages: Percentages, flaws: &mut Vec<Flaw>) -> Self {
        let mut compile_side = |side: Side, amounts: &BTreeMap<String, Amount>| {
            let mut compiled = BTreeMap::new();
            for (resource, amount) in amounts {
                let at = member(&format!("{path}.{}", side.field()), resource);
                if let Some(problem) = flaw_of_resource(resource) {
                    flaws.push(Flaw { path: at, problem });
                    continue;
                }
                match CompiledAmount::compile(amount, side, resource, percentages) {
                    Ok(amount) => drop(compiled.insert(resource.clone(), amount)),
                    Err((field, problem)) => flaws.push(Flaw { path: format!("{at}{field}"), problem }),
                }
            }
            compiled
        };
        let requests = compile_side(Side::Requests, &resources.requests);
        let limits = compile_side(Side::Limits, &resources.limits);
        let found = Self { requests, limits };
        found.check_pairs(path, flaws);
        found
    }

    fn check_pairs(&self, path: &str, flaws: &mut Vec<Flaw>) {
        for (resource, limit) in &self.limits {
            let request = self.requests.get(resource).map(|request| request.share);
            let problem = match (request, limit.share) {
                (Some(Share::FromLimit(_)), Share::FromRequest(_)) => {
                    "follows from the request, which follows from it; give one of them an amount".to_owned()
                }
                (Some(Share::Exactly(request)), Share::Exactly(limit)) if request > limit => {
                    format!("is {limit}, below the request of {request}; raise it or lower the request")
                }
                (Some(Share::Exactly(request)), Share::Exactly(limit))
                    if request != limit && !is_overcommitted(resource) =>
                {
                    format!("must be the request, {request}: this resource cannot be overcommitted")
                }
                _ => continue,
            };
            flaws.push(Flaw { path: member(&format!("{path}.limits"), resource), problem });
        }
        let resources: Vec<&String> = self.requests.keys().chain(self.limits.keys()).collect();
        let has_cpu_or_memory = resources.iter().any(|resource| ["cpu", "memory"].contains(&resource.as_str()));
        if let Some(pages) = resources.iter().find(|resource| is_huge_pages(resource) && !has_cpu_or_memory) {
            flaws.push(Flaw { path: path.to_owned(), problem: format!("{pages} needs cpu or memory beside it") });
        }
        for resource in self.requests.keys().filter(|resource| !is_overcommitted(resource)) {
            if !self.limits.contains_key(resource) {
                let problem = "needs a limit that is the same: this resource cannot be overcommitted".to_owned();
                flaws.push(Flaw { path: member(&format!("{path}.requests"), resource), problem });
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.limits.is_empty()
    }

    /// The amounts, beside what there is already. `whole` is what percentages are of.
    ///
    /// # Errors
    /// An amount is too large.
    pub fn beside(
        &self,
        there: &Requirements,
        whole: impl Fn(&str) -> Option<Quantity>,
    ) -> Result<Requirements, QuantityError> {
        let mut found = there.clone();
        // What follows from the other side comes after what that side is given.
        for is_second in [false, true] {
            for (side, amounts) in [(Side::Requests, &self.requests), (Side::Limits, &self.limits)] {
                for (resource, amount) in amounts.iter().filter(|(_, amount)| amount.is_from_other_side() == is_second)
                {
                    let base = match amount.share {
                        Share::Exactly(literal) => Some(literal),
                        Share::FromRequest(_) => found.requests.get(resource).copied(),
                        Share::FromLimit(_) => found.limits.get(resource).copied(),
                        Share::Percent(_) => whole(resource),
                    };
                    let Some(value) = amount.of(base)? else { continue };
                    let list = match side {
                        Side::Requests => &mut found.requests,
                        Side::Limits => &mut found.limits,
                    };
                    list.entry(resource.clone()).or_insert(value);
                }
            }
        }
        Ok(found)
    }
}

impl CompiledAmount {
    pub fn exactly(amount: Quantity) -> Self {
        Self { share: Share::Exactly(amount), min: None, max: None, step: Quantity::MILLI }
    }

    /// The same, but never more than this.
    #[must_use]
    pub fn at_most(self, most: Quantity) -> Self {
        let share = match self.share {
            Share::Exactly(literal) => Share::Exactly(literal.min(most)),
            share => share,
        };
        let lower = |bound: Quantity| bound.min(most);
        Self { share, min: self.min.map(lower), max: Some(self.max.map_or(most, lower)), ..self }
    }

    fn compile(
        amount: &Amount,
        side: Side,
        resource: &str,
        percentages: Percentages,
    ) -> Result<Self, (&'static str, String)> {
        match amount {
            Amount::Quantity(text) => {
                let amount = positive(text, "")?;
                flaw_of_amount(resource, amount).map_or(Ok(Self::exactly(amount)), |problem| Err(("", problem)))
            }
            Amount::Derived(derived) => Self::derived(derived, side, resource, percentages),
        }
    }

    fn derived(
        derived: &Derived,
        side: Side,
        resource: &str,
        percentages: Percentages,
    ) -> Result<Self, (&'static str, String)> {
        let ratio = |text: &str, field| Ratio::parse(text).map_err(|error| (field, error.to_string()));
        let share = match (&derived.from_request, &derived.from_limit, &derived.percent) {
            (Some(text), None, None) if side == Side::Limits => Share::FromRequest(ratio(&text.0, ".fromRequest")?),
            (Some(_), None, None) => {
                return Err((".fromRequest", "is for limits; write fromLimit or an amount".to_owned()));
            }
            (None, Some(text), None) if side == Side::Requests => Share::FromLimit(ratio(&text.0, ".fromLimit")?),
            (None, Some(_), None) => {
                return Err((".fromLimit", "is for requests; write fromRequest or an amount".to_owned()));
            }
            (None, None, Some(text)) => Share::Percent(ratio(&text.0, ".percent")?),
            _ => return Err(("", "must have one of fromRequest, fromLimit and percent".to_owned())),
        };
        let compiled = Self {
            share,
            min: derived.min.as_ref().map(|text| positive(text, ".min")).transpose()?,
            max: derived.max.as_ref().map(|text| positive(text, ".max")).transpose()?,
            step: derived.round.as_ref().map_or(Ok(finest(resource)), |text| positive(text, ".round"))?,
        };
        compiled.check(side, resource, percentages)
    }

    fn check(self, side: Side, resource: &str, percentages: Percentages) -> Result<Self, (&'static str, String)> {
        let is_percent = matches!(self.share, Share::Percent(_));
        let error = |field, problem: &str| Err((field, problem.to_owned()));
        if is_percent && (side == Side::Limits || percentages == Percentages::Refused) {
            return error(
                ".percent",
                "there is nothing here that this could be a percentage of; write an amount, or fromRequest for a limit",
            );
        }
        if is_percent && percentages == Percentages::WithMin && self.min.is_none() {
            return error(
                ".min",
                "must be given: it is the amount where no container asks for the resource; or write onUnknown: Omit",
            );
        }
        if !is_overcommitted(resource)
            && self.share != Share::FromRequest(Ratio::ONE)
            && self.share != Share::FromLimit(Ratio::ONE)
        {
            return error(
                "",
                "of a resource that cannot be overcommitted, only amounts, fromRequest: 1 and fromLimit: 1 make sense",
            );
        }
        if let (Share::FromRequest(ratio), true) = (self.share, self.max.is_none())
            && ratio < Ratio::ONE
        {
            return error(".fromRequest", "below 1, the limit would be below the request");
        }
        if let Share::FromLimit(ratio) = self.share
            && ratio > Ratio::ONE
        {
            return error(".fromLimit", "above 1, the request would be above the limit");
        }
        if self.step.is_zero() {
            return error(".round", "must be above zero");
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => Err((".max", format!("is {max}, below min, {min}"))),
            _ => Ok(self),
        }
    }

    /// Whether it is a part of what others ask for.
    pub fn is_percentage(&self) -> bool {
        matches!(self.share, Share::Percent(_))
    }

    fn is_from_other_side(&self) -> bool {
        matches!(self.share, Share::FromRequest(_) | Share::FromLimit(_))
    }

    /// The amount, given what it is a share of.
    fn of(&self, base: Option<Quantity>) -> Result<Option<Quantity>, QuantityError> {
        let Some(base) = base else { return Ok(None) };
        let share = match self.share {
            Share::Exactly(literal) => return Ok(Some(literal)),
            Share::FromRequest(ratio) | Share::FromLimit(ratio) => base.times(ratio)?,
            Share::Percent(ratio) => base.percent(ratio)?,
        };
        let raised = share.rounded_up(self.step)?.max(self.min.unwrap_or_default());
        let bounded = self.max.map_or(raised, |max| raised.min(max));
        // Neither rounding nor a minimum takes a request above the limit that it follows from.
        Ok(Some(if matches!(self.share, Share::FromLimit(_)) { bounded.min(base) } else { bounded }))
    }
}

/// The finest amount of a resource that is of use.
pub(in crate::engine::mutation) fn finest(resource: &str) -> Quantity {
    if resource == "cpu" { Quantity::MILLI } else { Quantity::ONE }
}

/// An amount as the API would keep it: not negative, and of whole thousandths.
fn positive(text: &QuantityText, field: &'static str) -> Result<Quantity, (&'static str, String)> {
    let quantity = Quantity::parse(&text.0).and_then(|quantity| quantity.rounded_up(Quantity::MILLI));
    match quantity {
        Ok(quantity) if quantity.is_negative() => Err((field, "must not be negative".to_owned())),
        Ok(quantity) => Ok(quantity),
        Err(error) => Err((field, error.to_string())),
    }
}
