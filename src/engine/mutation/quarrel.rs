//! Two documents that want the same name or port of a pod, one of which is left out of that pod anyway.
//!
//! Kept true: such a one quarrels with nobody, whichever of them comes first and whichever parts are there already. Otherwise a pod that
//! the first pass completed without it would be refused by the second, for what the first has added.

use super::check::fault;
use super::documents::{Active, Part};
use super::driver::Rules;
use super::plan::{Note, Plan, Weight};
use super::tree::Node;

impl<'a> Rules<'a> {
    /// Where a document has just ended in a conflict, and would have been left out of a pod without the other documents' parts too: notes
    /// why that would have been, instead. Before it was carried out there were `noted` notes.
    pub(super) fn settle_quarrel(
        &self,
        document: &'a Active,
        documents: &[(u32, &'a Active)],
        plan: &mut Plan<'a>,
        noted: usize,
    ) {
        let is_conflict = plan.notes.iter().skip(noted).any(|note| note.weight >= Weight::Skipped);
        if !is_conflict || documents.len() < 2 {
            return;
        }
        let others = documents.iter().map(|(_, other)| *other).filter(|other| other.title != document.title);
        let Some(pod) = without_parts_of(others, &plan.pod) else { return };
        if let Some(note) = self.left_out_alone(document, &pod)
            && let Some(conflict) = plan.notes.last_mut()
        {
            *conflict = note;
        }
    }

    /// Why the document would be left out of a pod that is for no other; none if it would be carried out, or refuse the pod.
    fn left_out_alone(&self, document: &'a Active, pod: &Node<'a>) -> Option<Note> {
        let mut plan = self.plan(pod.clone(), &[(0, document)]);
        document.run(&mut plan, || pod.clone());
        let note = plan.notes.pop().filter(|note| note.weight >= Weight::Skipped).or_else(|| {
            let fault = fault(&|| pod.clone(), &plan.pod, &self.standard())?;
            Some(document.note(fault.reason, document.weight_of(&fault), fault.about))
        });
        note.filter(|note| note.weight == Weight::Skipped)
    }
}

/// The pod without containers and volumes that have a name of theirs; none if there are none.
fn without_parts_of<'a>(others: impl Iterator<Item = &'a Active>, pod: &Node<'a>) -> Option<Node<'a>> {
    let injections = others.filter_map(|other| match &other.part {
        Part::Injection(injection) => Some(injection),
        Part::Defaults(_) => None,
    });
    let (mut containers, mut volumes) = (Vec::new(), Vec::new());
    for injection in injections {
        containers.extend(injection.own_names());
        volumes.extend(injection.own_volumes());
    }
    let mut pod = pod.clone();
    let spec = pod.member("spec")?;
    let mut is_changed = false;
    for (list, names) in [("initContainers", &containers), ("containers", &containers), ("volumes", &volumes)] {
        is_changed |= take_out(spec, list, names);
    }
    // Read anew, so that none of this is taken for the document's changes.
    is_changed.then(|| Node::new(pod.to_json().into_owned()))
}

/// Takes those with one of these names out of a list; false if there are none.
fn take_out(spec: &mut Node<'_>, list: &'static str, names: &[&str]) -> bool {
    let is_theirs = |element: &Node<'_>| element.string_at("name").is_some_and(|name| names.contains(&&*name));
    let places: Vec<usize> =
        spec.list(list).enumerate().filter(|(_, element)| is_theirs(element)).map(|(place, _)| place).collect();
    for place in places.iter().rev() {
        spec.member(list).and_then(|elements| elements.take_item(*place));
    }
    !places.is_empty()
}
