//! Carries out the documents on one pod: selects them, runs them in order, checks the result, and reads the patch off it.
//!
//! A document is carried out whole or not at all, and nothing is answered that the self-check finds broken.

use std::cell::LazyCell;
use std::sync::Arc;

use super::check::{self, Standard};
use super::document::{OnConflict, OnFailure, PodSecuritySafety, Verify};
use super::documents::{Active, Candidates, Documents, Part};
use super::patch::Patch;
use super::plan::{Conflict, Note, Plan, Reason, Reserved, Weight, World};
use super::selection::{Decision, Outcome};
use super::sidecars::{Injection, demands};
use super::size;
use super::tree::Node;
use crate::engine::pod_security::LevelVersion;
use crate::engine::request::Unread;

/// How often documents may make further ones apply, by the labels, containers and volumes that they add.
const MOST_ROUNDS: usize = 8;

/// What mutation comes to for one pod.
#[derive(Debug)]
pub struct Mutated<'a> {
    /// The pod as it would be.
    pub pod: Node<'a>,
    /// None if nothing is to be changed.
    pub patch: Option<Patch>,
    /// Everything that was decided, in order.
    pub notes: Vec<Note>,
}

impl Mutated<'_> {
    /// Why the pod is refused; none if it is not.
    pub fn denial(&self) -> Option<&Note> {
        self.notes.iter().find(|note| note.weight == Weight::Denied)
    }
}

/// What a pod is to be held against.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    pub documents: &'a Documents,
    /// Those of the documents that its namespace leaves possible.
    pub candidates: &'a Candidates,
    pub world: &'a World<'a>,
    /// What its namespace enforces.
    pub enforced: LevelVersion,
}

/// Carries out on a pod whatever is for it.
pub fn mutate<'a>(pod: Unread<'a>, rules: Rules<'a>) -> Mutated<'a> {
    let original = Node::of(pod);
    let mut notes = Vec::new();
    let mut chosen = rules.select(&original, Some(&mut notes));
    if notes.iter().any(|note| note.weight == Weight::Denied) {
        return Mutated { pod: original, patch: None, notes };
    }
    let original = rules.leave_alone(original, &mut notes);
    if chosen.is_empty() {
        return Mutated { patch: Patch::of(&original), pod: original, notes };
    }
    // What a plan starts from. A pod that a copy is kept of has to be copied for its first edits, so that its text is kept instead.
    let cleaned = original.is_edited().then(|| original.clone());
    let start = || cleaned.clone().unwrap_or_else(|| Node::of(pod));
    let mut mutated = rules.carry_out(original, &start, &chosen);
    for _ in 1..MOST_ROUNDS {
        // What an earlier document adds can make another apply, and would at the latest when the API server asks again.
        let further = rules.further(&mutated.pod, &chosen);
        if further.is_empty() {
            break;
        }
        rules.tell_again(&mutated.pod, &further, &mut notes);
        chosen.extend(further);
        chosen.sort_unstable();
        mutated = rules.carry_out(start(), &start, &chosen);
    }
    mutated.patch = Patch::of(&mutated.pod);
    if size::is_in_doubt(pod.text, mutated.patch.as_ref()) {
        mutated = rules.carry_out_one_by_one(&start, &chosen);
        mutated.patch = Patch::of(&mutated.pod);
    }
    notes.append(&mut mutated.notes);
    mutated.notes = notes;
    if mutated.denial().is_some() {
        mutated.patch = None;
    }
    mutated
}

/// Looks whether a finished pod has what documents say that it must have; a note for each that it lacks. A pod whose choice is none
/// should not have come so far: whoever let it in was not us.
pub fn verify(pod: Unread<'_>, rules: Rules<'_>) -> Vec<Note> {
    let pod = Node::of(pod);
    let own: LazyCell<Vec<String>, _> = LazyCell::new(|| {
        rules.documents.iter().flat_map(|document| document.own_containers()).map(str::to_owned).collect()
    });
    let left_out: LazyCell<Vec<String>, _> = LazyCell::new(|| rules.left_out(&pod));
    let mut notes = Vec::new();
    for (_, document) in rules.documents.at(rules.candidates.of(&pod)) {
        let weight = match document.verify {
            Verify::Off => continue,
            Verify::Warn => Weight::Warning,
            Verify::Deny => Weight::Denied,
        };
        let decision = document.selection.decide(&pod, rules.world);
        match decision.outcome {
            Outcome::Passes => {}
            Outcome::Denies => notes.push(document.note(decision.reason, weight, decision.about)),
            Outcome::Applies => {
                let Part::Injection(injection) = &document.part else { continue };
                let lacking = injection.lacking(&pod, &own);
                // What the document itself would leave out, beside the others, is not missing.
                if !lacking.is_empty() && !left_out.contains(&document.title) {
                    notes.extend(lacking.into_iter().map(|(reason, about)| document.note(reason, weight, about)));
                }
            }
        }
    }
    notes
}

/// A note for each document of which [`mutate`] says nothing, as the pod's namespace or its labels leave it out; for who asks why.
pub fn passed_over(pod: Unread<'_>, rules: Rules<'_>) -> Vec<Note> {
    let Mutated { pod, notes, .. } = mutate(pod, rules);
    let others = rules.documents.iter().filter(|document| notes.iter().all(|note| note.document != document.title));
    let note = |document: &Arc<Active>| {
        let decision = document.selection.decide(&pod, rules.world);
        document.note(decision.reason, Weight::Detail, decision.about)
    };
    others.map(note).collect()
}

impl<'a> Rules<'a> {
    /// The documents that are for this pod, by their numbers; with a note for each that could have been.
    fn select(&self, pod: &Node<'a>, mut notes: Option<&mut Vec<Note>>) -> Vec<u32> {
        let mut chosen = Vec::new();
        for (index, document) in self.documents.at(self.candidates.of(pod)) {
            let decision = document.selection.decide(pod, self.world);
            if decision.outcome == Outcome::Applies {
                chosen.push(index);
            }
            if let Some(notes) = notes.as_mut() {
                document.tell(decision, notes);
            }
        }
        chosen
    }

    /// Those that are for this pod and have not been chosen.
    fn further(&self, pod: &Node<'a>, chosen: &[u32]) -> Vec<u32> {
        if chosen.len() == self.documents.len() {
            return Vec::new();
        }
        let candidates = self.candidates.of(pod).into_iter().filter(|number| !chosen.contains(number));
        let documents = self.documents.at(candidates);
        let applies = |document: &Active| document.selection.decide(pod, self.world).outcome == Outcome::Applies;
        documents.filter(|(_, document)| applies(document)).map(|(number, _)| number).collect()
    }

    /// Says of documents why they are for the pod as it has become, instead of why they were not for it as it came.
    fn tell_again(&self, pod: &Node<'a>, numbers: &[u32], notes: &mut Vec<Note>) {
        for (_, document) in self.documents.at(numbers.iter().copied()) {
            notes.retain(|note| note.document != document.title);
            document.tell(document.selection.decide(pod, self.world), notes);
        }
    }

    /// The titles of those that leave a finished pod out.
    fn left_out(&self, pod: &Node<'a>) -> Vec<String> {
        let carried_out = self.carry_out(pod.clone(), &|| pod.clone(), &self.select(pod, None));
        let skipped = carried_out.notes.into_iter().filter(|note| note.weight == Weight::Skipped);
        skipped.map(|note| note.document).collect()
    }

    fn carry_out(&self, pod: Node<'a>, start: &impl Fn() -> Node<'a>, chosen: &[u32]) -> Mutated<'a> {
        let documents: Vec<_> = self.documents.at(chosen.iter().copied()).collect();
        let mut plan = self.plan(pod, &documents);
        let mut is_begun = false;
        go_round(&mut plan, &documents, |plan, document| {
            let (before, noted) = (is_begun.then(|| plan.pod.clone()), plan.notes.len());
            is_begun = true;
            document.run(plan, || before.unwrap_or_else(start));
            self.settle_quarrel(document, &documents, plan, noted);
        });
        if check::fault(start, &plan.pod, &self.standard()).is_some() {
            return self.carry_out_one_by_one(start, chosen);
        }
        Mutated { pod: plan.pod, patch: None, notes: plan.notes }
    }

    /// Runs the documents with a check after each, so that the one at fault is found and taken back.
    fn carry_out_one_by_one(&self, start: &impl Fn() -> Node<'a>, chosen: &[u32]) -> Mutated<'a> {
        let documents: Vec<_> = self.documents.at(chosen.iter().copied()).collect();
        let mut plan = self.plan(start(), &documents);
        let mut standard = self.standard();
        go_round(&mut plan, &documents, |plan, document| {
            let (before, noted, reserved) = (plan.pod.clone(), plan.notes.len(), plan.reserved.clone());
            document.run(plan, || before.clone());
            self.settle_quarrel(document, &documents, plan, noted);
            let fault = check::fault(start, &plan.pod, &standard);
            let Some(fault) = fault.or_else(|| size::fault(&start(), &plan.pod)) else { return };
            let is_violation = fault.reason == Reason::WouldViolatePodSecurity;
            let is_accepted = is_violation
                && (document.pod_security == PodSecuritySafety::Allow || document.on_conflict == OnConflict::Warn);
            if is_accepted {
                // From here on, what this document violates is nothing new.
                standard = self.standard().accepting(&plan.pod);
            } else {
                plan.pod = before;
                plan.notes.truncate(noted);
                plan.reserved = reserved;
            }
            plan.note(&document.title, fault.reason, document.weight_of(&fault), fault.about);
        });
        Mutated { pod: plan.pod, patch: None, notes: plan.notes }
    }

    pub(super) fn standard(&self) -> Standard<'_> {
        Standard::new(self.enforced, self.documents.harmless())
    }

    pub(super) fn plan(&self, original: Node<'a>, documents: &[(u32, &'a Active)]) -> Plan<'a> {
        let own_containers = documents.iter().flat_map(|(_, document)| document.own_containers()).collect();
        let mut plan =
            Plan { pod: original, world: self.world, own_containers, notes: Vec::new(), reserved: Reserved::default() };
        let injections = documents.iter().filter_map(|(_, document)| match &document.part {
            Part::Injection(injection) => Some(injection),
            Part::Defaults(_) => None,
        });
        plan.reserved.demands = demands(injections, &plan);
        plan
    }
}

/// Runs the documents in their order, and again where what one does can follow from what later ones do.
fn go_round<'a>(plan: &mut Plan<'a>, documents: &[(u32, &'a Active)], mut run: impl FnMut(&mut Plan<'a>, &'a Active)) {
    let mut round = |plan: &mut Plan<'a>| documents.iter().for_each(|(_, document)| run(plan, document));
    let rounds = rounds(&plan.pod, documents);
    round(plan);
    for _ in 1..rounds {
        begin_again(plan);
        round(plan);
    }
    let is_left_out = documents.len() > 1 && plan.notes.iter().any(|note| note.weight == Weight::Skipped);
    if is_left_out {
        // What was left out may have its place now that the others have done their part.
        begin_again(plan);
        round(plan);
    }
    if is_left_out || rounds > 1 {
        plan.notes = without_repeats(std::mem::take(&mut plan.notes));
    }
}

/// How often the documents go round: one that edits containers that others add can do so only once they are there, and what one sets of
/// resources can follow from what others set, and from the pod's own resources, which grow with a sidecar.
fn rounds(original: &Node<'_>, documents: &[(u32, &Active)]) -> usize {
    let parts = || documents.iter().map(|(_, document)| &document.part);
    let setting_resources =
        parts().filter(|part| matches!(part, Part::Defaults(defaults) if defaults.has_resources())).count();
    let has_growing =
        original.at(&["spec", "resources"]).is_some() && parts().any(|part| matches!(part, Part::Injection(_)));
    // For the last one all is there.
    let edits_injected =
        parts().rev().skip(1).any(|part| matches!(part, Part::Injection(injection) if injection.edits_injected()));
    let following = if setting_resources > 0 { setting_resources + usize::from(has_growing) } else { 0 };
    following.max(1 + usize::from(edits_injected))
}

/// Nothing is taken, and nothing left out yet.
fn begin_again(plan: &mut Plan<'_>) {
    let demands = std::mem::take(&mut plan.reserved.demands);
    plan.reserved = Reserved { demands, ..Reserved::default() };
    plan.notes.retain(|note| note.weight != Weight::Skipped);
}

fn without_repeats(notes: Vec<Note>) -> Vec<Note> {
    let mut left: Vec<Note> = Vec::with_capacity(notes.len());
    for note in notes {
        if !left.contains(&note) {
            left.push(note);
        }
    }
    left
}

impl Active {
    /// Carries the document out, or takes back what it had planned and notes why. `before` is the pod as it is now.
    pub(super) fn run<'a>(&'a self, plan: &mut Plan<'a>, before: impl FnOnce() -> Node<'a>) {
        let noted = plan.notes.len();
        let outcome = match &self.part {
            Part::Defaults(defaults) => defaults.apply(plan),
            Part::Injection(injection) => injection.apply(plan),
        };
        if let Err(Conflict { reason, about, weight }) = outcome {
            plan.pod = before();
            plan.notes.truncate(noted);
            plan.note(&self.title, reason, weight, about);
        }
    }

    /// What the document says becomes of a pod that it would break.
    pub(super) fn weight_of(&self, fault: &check::Fault) -> Weight {
        let is_violation = fault.reason == Reason::WouldViolatePodSecurity;
        match (is_violation, self.on_conflict, self.on_self_check) {
            (true, ..) if self.pod_security == PodSecuritySafety::Allow => Weight::Detail,
            (true, OnConflict::Deny, _) | (false, _, OnFailure::Deny) => Weight::Denied,
            (true, OnConflict::Skip, _) | (false, _, OnFailure::Admit) => Weight::Skipped,
            (true, OnConflict::Warn, _) => Weight::Warning,
        }
    }

    /// Notes whether the document is for a pod, and why.
    fn tell(&self, decision: Decision, notes: &mut Vec<Note>) {
        let weight = decision.weight();
        notes.extend(decision.warning.map(|(reason, about)| self.note(reason, Weight::Warning, about)));
        notes.push(self.note(decision.reason, weight, decision.about));
    }

    pub(super) fn note(&self, reason: Reason, weight: Weight, about: String) -> Note {
        Note { document: self.title.clone(), reason, about, weight }
    }

    /// The names of the containers that the document adds.
    pub fn own_containers(&self) -> impl Iterator<Item = &str> {
        let injection = match &self.part {
            Part::Defaults(_) => None,
            Part::Injection(injection) => Some(injection),
        };
        injection.into_iter().flat_map(Injection::own_names)
    }
}
