//! LimitRanger: the requests and limits of containers that say nothing, and the annotation that tells of them.

use std::collections::BTreeMap;

use super::each;
use crate::engine::mutation::{LimitRange, Node, quoted};
use crate::engine::object::{Precision, Quantity};

const ANNOTATION: &str = "kubernetes.io/limit-ranger";

/// Carries out LimitRanges. Upstream takes several of a namespace in no order that anybody
/// knows.
pub(super) fn complete(pod: &mut Node<'_>, ranges: &[LimitRange<'_>]) {
    for range in ranges {
        let defaults = Defaults::read(range.limits);
        let mut said = Vec::new();
        let Some(spec) = pod.member("spec") else { return };
        for (list, what) in [("containers", "container"), ("initContainers", "init container")] {
            each(spec, list, |container| defaults.fill(container, what, &mut said));
        }
        if !said.is_empty()
            && let Some(annotations) = pod.within(&["metadata", "annotations"])
        {
            annotations.set(ANNOTATION, quoted(&format!("LimitRanger plugin set: {}", said.join("; "))));
        }
    }
}

/// Amounts as they are spelled, by resource.
type Spelled = BTreeMap<String, String>;

/// What a LimitRange sets. Of several items for containers the last one counts.
#[derive(Default)]
struct Defaults {
    limits: Spelled,
    requests: Spelled,
}

impl Defaults {
    fn read(text: &str) -> Self {
        let mut found = Self::default();
        for item in
            Node::new(text).items().filter(|item| item.string_at("type").is_some_and(|kind| kind == "Container"))
        {
            let list = |field: &str| item.get(field).map(spelled).unwrap_or_default();
            let (mut limits, mut requests) = (list("default"), list("defaultRequest"));
            fill(&mut limits, list("max"));
            fill(&mut requests, limits.clone());
            fill(&mut requests, list("min"));
            found.limits.extend(limits);
            found.requests.extend(requests);
        }
        found
    }

    fn fill(&self, container: &mut Node<'_>, what: &str, said: &mut Vec<String>) {
        let name = container.string_at("name").unwrap_or_default().into_owned();
        let limits = add_missing(container, "limits", &self.limits);
        let requests = add_missing(container, "requests", &self.requests);
        for (resources, side) in [(requests, "request"), (limits, "limit")] {
            if !resources.is_empty() {
                said.push(format!("{} {side} for {what} {name}", resources.join(", ")));
            }
        }
    }
}

fn spelled(list: &Node<'_>) -> Spelled {
    let amount = |amount: &Node<'_>| Quantity::respelled(&amount.scalar()?, Precision::Thousandths).ok();
    list.members().filter_map(|(resource, found)| Some((resource.to_owned(), amount(found)?))).collect()
}

fn fill(list: &mut Spelled, from: Spelled) {
    for (resource, amount) in from {
        list.entry(resource).or_insert(amount);
    }
}

/// The resources that were missing.
fn add_missing<'d>(container: &mut Node<'_>, side: &str, defaults: &'d Spelled) -> Vec<&'d str> {
    let mut added = Vec::new();
    for (resource, amount) in defaults {
        if container.at(&["resources", side, resource]).is_none()
            && let Some(list) = container.within(&["resources", side])
        {
            list.set(resource.clone(), quoted(amount));
            added.push(resource.as_str());
        }
    }
    added
}
