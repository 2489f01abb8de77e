//! Containers: one of ours that is there is brought up to date in place, one that is missing is put where it belongs, and one that
//! stands where it may not is moved, once.

use super::super::document::{NameConflict, OnConflict};
use super::super::plan::{Conflict, Demands, Reason, Weight};
use super::super::tree::Node;
use super::claim::Part;
use super::complete::{complete, complete_resources};
use super::image::Likeness;
use super::order::{Neighbour, Places, places};
use super::parts::{Constraints, Item};
use super::present::{self, Standing};
use super::work::{List, Work};

impl<'a> Work<'a, '_> {
    pub(super) fn add_containers(&mut self) -> Result<(), Conflict> {
        for (item, list) in self.items() {
            let desired = self.render(item, list);
            let fields = own_fields(item, &desired);
            let found = List::BOTH.into_iter().find_map(|at| Some((at, self.place_of(at, &item.name)?)));
            match found {
                Some((at, place)) => self.settle(item, &desired, at, place)?,
                None => self.add(item, list, desired)?,
            }
            if found.is_some_and(|(at, _)| at != list) {
                self.bring_over(item, list)?;
            }
            if found.is_some() {
                self.keep_in_order(item, list)?;
            }
            if self.record.parts.contains(&Part::Container(&item.name).text()) {
                self.record.parts.extend(fields);
            }
            self.reserved.settled.push(&item.name);
            if item.order.first {
                self.reserved.first.push(&item.name);
            }
            if item.order.last {
                self.reserved.last.push(&item.name);
            }
        }
        Ok(())
    }

    /// Brings a container of our name up to date, if it is ours.
    fn settle(&mut self, item: &'a Item, desired: &Node<'a>, at: List, place: usize) -> Result<(), Conflict> {
        let standing = self.standing(item, desired, at, place);
        let is_new_rendering = self.claim.digest != self.record.digest;
        match standing {
            Standing::Foreign => return self.refuse_name(item),
            Standing::Ours => {
                let sets_resources =
                    item.enforces_resources || (is_new_rendering && self.claim.has(Part::Container(&item.name)));
                self.bring_up(item, desired, (at, place), sets_resources)?;
                self.record_part(Part::Container(&item.name));
            }
            Standing::Former => {
                self.bring_up(item, desired, (at, place), true)?;
                self.record_part(Part::Container(&item.name));
            }
            Standing::Auto => {
                let is_complete =
                    self.claim.has(Part::Completed(&item.name)) && self.claim.digest == self.record.digest;
                let resources = if is_complete { None } else { self.resources(item, at, place)? };
                if let Some(container) = self.list(at).and_then(|list| list.item(place)) {
                    complete(container, desired);
                    if let Some(resources) = resources {
                        complete_resources(container, &resources);
                    }
                }
                self.record_part(Part::Completed(&item.name));
            }
        }
        Ok(())
    }

    fn standing(&self, item: &Item, desired: &Node<'a>, at: List, place: usize) -> Standing {
        let Some(container) = self.plan.pod.get("spec").and_then(|spec| spec.list(at.field()).nth(place)) else {
            return Standing::Foreign;
        };
        let is_merged = self.injection.conflicts.container_name == NameConflict::MergeAuto;
        let mirrors = &self.injection.mirrors;
        let image = |node: &Node<'_>| node.string_at("image").unwrap_or_default().into_owned();
        let has_our_image = || mirrors.likeness(&image(container), &image(desired)) == Likeness::Same;
        if is_merged && container.string_at("image").is_some_and(|image| image == "auto") {
            return Standing::Auto;
        }
        if is_merged && self.claim.has(Part::Completed(&item.name)) && has_our_image() {
            return Standing::Auto;
        }
        if self.reserved.settled.contains(&item.name.as_str()) {
            // Another document's: whatever this one once added, it is not that.
            return present::standing(container, desired, std::iter::empty(), false, mirrors);
        }
        let others = self.injection.revisions.iter().filter_map(|revision| revision.parts.item(&item.name));
        let is_claimed = self.claim.has(Part::Container(&item.name));
        present::standing(container, desired, others, is_claimed, mirrors)
    }

    fn bring_up(
        &mut self,
        item: &'a Item,
        desired: &Node<'a>,
        (at, place): (List, usize),
        sets_resources: bool,
    ) -> Result<(), Conflict> {
        let resources = if sets_resources { self.resources(item, at, place)? } else { None };
        let claim = std::mem::take(&mut self.claim);
        let update = present::Update {
            resources: resources.as_deref(),
            keeps_probes: claim.digest == self.record.digest && claim.has(Part::Container(&item.name)),
            claim: &claim,
            parts: self.parts,
            mirrors: &self.injection.mirrors,
        };
        if let Some(container) = self.list(at).and_then(|list| list.item(place)) {
            update.bring_up(container, desired);
        }
        self.claim = claim;
        Ok(())
    }

    fn refuse_name(&mut self, item: &Item) -> Result<(), Conflict> {
        let how = match self.injection.conflicts.container_name {
            NameConflict::Skip => OnConflict::Skip,
            NameConflict::Deny | NameConflict::MergeAuto | NameConflict::Rename => OnConflict::Deny,
        };
        let holder = if self.reserved.settled.contains(&item.name.as_str()) { "another document" } else { "the pod" };
        let about =
            format!("container {:?} of {holder} and container {:?} of {}", item.name, item.name, self.injection.title);
        self.conflict(how, Reason::ContainerNameTaken, about)
    }

    fn add(&mut self, item: &'a Item, list: List, mut container: Node<'a>) -> Result<(), Conflict> {
        let places = self.places(item, list);
        if let Some(resources) = self.resources(item, list, places.map_or(usize::MAX, |places| places.best))? {
            container.set("resources", resources);
        }
        self.put_in(item, list, places, container)
    }

    fn put_in(
        &mut self,
        item: &'a Item,
        list: List,
        places: Option<Places>,
        container: Node<'a>,
    ) -> Result<(), Conflict> {
        let place = match places {
            Some(places) => places.best,
            None => {
                self.refuse_order(item)?;
                usize::MAX
            }
        };
        if let Some(containers) = self.list(list) {
            containers.insert_node(place, container);
        }
        self.record_part(Part::Container(&item.name));
        Ok(())
    }

    /// Takes a container out of the other list.
    fn bring_over(&mut self, item: &'a Item, list: List) -> Result<(), Conflict> {
        let from = if list == List::Init { List::Plain } else { List::Init };
        let Some(place) = self.place_of(from, &item.name) else { return Ok(()) };
        let Some(mut container) = self.list(from).and_then(|containers| containers.take_item(place)) else {
            return Ok(());
        };
        if list == List::Plain {
            container.remove("restartPolicy");
        }
        let is_completed = self.record.parts.contains(&Part::Completed(&item.name).text());
        let places = self.places(item, list);
        self.put_in(item, list, places, container)?;
        if is_completed {
            self.record.parts.retain(|part| *part != Part::Container(&item.name).text());
        }
        Ok(())
    }

    /// Moves a container that is where it may not be; once, for another injector may insist on the same place.
    fn keep_in_order(&mut self, item: &'a Item, list: List) -> Result<(), Conflict> {
        let Some(place) = self.place_of(list, &item.name) else { return Ok(()) };
        let Some(places) = self.places(item, list) else { return self.refuse_order(item) };
        if places.hold(place) {
            return Ok(());
        }
        if self.record.moved.contains(&item.name) {
            self.note(Reason::OrderContested, Weight::Warning, format!("container {:?}", item.name));
            return Ok(());
        }
        if let Some(containers) = self.list(list)
            && let Some(container) = containers.take_item(place)
        {
            containers.insert_node(places.best, container);
            self.record.moved.push(item.name.clone());
        }
        Ok(())
    }

    fn refuse_order(&mut self, item: &Item) -> Result<(), Conflict> {
        let how = self.injection.conflicts.order;
        self.conflict(how, Reason::OrderConflict, format!("container {:?}", item.name))
    }

    pub(super) fn places(&self, item: &Item, list: List) -> Option<Places> {
        let spec = self.plan.pod.get("spec")?;
        let names = spec.list(list.field()).map(|container| container.string_at("name").unwrap_or_default());
        let others: Vec<Neighbour> =
            names.filter(|name| *name != item.name.as_str()).map(|name| self.neighbour(&name, item)).collect();
        let Some(own) = self.demands(&item.name) else { return places(&others, &item.order) };
        let Demands { before, after, first, last, .. } = own.clone();
        places(&others, &Constraints { before, after, first, last, ..item.order.clone() })
    }

    /// What a container demands of the places of others; none if no container demands anything.
    fn demands(&self, name: &str) -> Option<&Demands> {
        self.reserved.demands.iter().find(|demands| demands.name == name)
    }

    /// One of the others, as the container that is placed sees it. What is still to come is known as far as it can be, so that the first
    /// pass and the next see the same.
    fn neighbour(&self, name: &str, item: &Item) -> Neighbour {
        let is_in = |names: &[&str]| names.contains(&name);
        let (is_ours, is_settled) = (is_in(&self.plan.own_containers), is_in(&self.reserved.settled));
        let (own, peer, demands) = (self.demands(&item.name), self.parts.item(name), self.demands(name));
        let [is_first, is_last] = match (demands, peer) {
            (Some(other), _) => [other.first, other.last],
            (None, Some(peer)) => [peer.order.first, peer.order.last],
            (None, None) => [is_in(&self.reserved.first), is_in(&self.reserved.last)],
        };
        let is_named = |other: &Demands| other.demands_to_precede(&item.name) || other.demands_to_follow(&item.name);
        // Who is still to be placed is moved out of the way, unless both demand the same of each other.
        let precedes = |other: &Demands| {
            other.demands_to_precede(&item.name) && (is_settled || own.is_some_and(|own| own.demands_to_precede(name)))
        };
        let follows = |other: &Demands| {
            other.demands_to_follow(&item.name) && (is_settled || own.is_some_and(|own| own.demands_to_follow(name)))
        };
        Neighbour {
            is_ours,
            is_settled,
            is_further_out: peer.is_none() && is_settled,
            is_further_in: peer.is_none() && is_ours && !is_settled && !demands.is_some_and(is_named),
            is_first,
            is_last,
            precedes: demands.is_some_and(precedes),
            follows: demands.is_some_and(follows),
            name: name.to_owned(),
        }
    }
}

/// The variables and mounts of a container of ours, so that a later revision can take them away.
fn own_fields(item: &Item, container: &Node<'_>) -> Vec<String> {
    let variables = container.list("env").filter_map(|variable| variable.string_at("name"));
    let variables = variables.map(|name| Part::Variable(&item.name, &name).text());
    let mounts = container.list("volumeMounts").filter_map(|mount| mount.string_at("mountPath"));
    variables.chain(mounts.map(|path| Part::Mount(&item.name, &path).text())).collect()
}
