//! Carries out the documents on one pod: selects them, runs them in order, checks the result, and reads the patch off it.
//!
//! A document is carried out whole or not at all, and nothing is answered that the self-check finds broken.

use std::collections::BTreeSet;

use super::check::{self, Standard};
use super::document::{OnConflict, OnFailure, PodSecuritySafety, Verify};
use super::documents::{Active, Candidates, Documents, Part};
use super::patch::Patch;
use super::plan::{Conflict, Note, Plan, Reason, Reserved, Weight, World};
use super::selection::Outcome;
use super::tree::Node;
use crate::engine::pod_security::LevelVersion;

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

/// Carries out on a pod whatever is for it. `pod` is its JSON.
pub fn mutate<'a>(pod: &'a str, rules: Rules<'a>) -> Mutated<'a> {
    let original = Node::new(pod);
    let mut notes = Vec::new();
    let mut chosen = rules.select(&original, Some(&mut notes));
    if chosen.is_empty() || notes.iter().any(|note| note.weight == Weight::Denied) {
        return Mutated { pod: original, patch: None, notes };
    }
    let mut mutated = rules.carry_out(&original, &chosen);
    for _ in 1..MOST_ROUNDS {
        // What an earlier document adds can make another apply, and would at the latest when the API server asks again.
        let before = chosen.len();
        chosen.extend(rules.select(&mutated.pod, None));
        if chosen.len() == before {
            break;
        }
        mutated = rules.carry_out(&original, &chosen);
    }
    notes.append(&mut mutated.notes);
    mutated.notes = notes;
    if mutated.denial().is_none() {
        mutated.patch = Patch::of(&mutated.pod);
    }
    mutated
}

/// Looks whether a finished pod has what documents say that it must have; a note for each that it lacks.
pub fn verify(pod: &str, rules: Rules<'_>) -> Vec<Note> {
    let pod = Node::new(pod);
    let chosen = rules.select(&pod, None);
    let (mut notes, mut carried_out) = (Vec::new(), None);
    for (_, document) in rules.documents.at(chosen.iter().copied()) {
        let weight = match document.verify {
            Verify::Off => continue,
            Verify::Warn => Weight::Warning,
            Verify::Deny => Weight::Denied,
        };
        let Part::Injection(injection) = &document.part else { continue };
        let missing = injection.missing(&pod);
        if missing.is_empty() {
            continue;
        }
        // What the document itself would leave out, beside the others, is not missing.
        let carried_out = carried_out.get_or_insert_with(|| rules.carry_out(&pod, &chosen));
        let is_left_out = |note: &Note| note.document == document.title && note.weight == Weight::Skipped;
        if carried_out.notes.iter().any(is_left_out) {
            continue;
        }
        notes.push(document.note(Reason::ItemMissing, weight, missing.join(", ")));
    }
    notes
}

/// A note for each document that [`mutate`] does not look at, as the pod's namespace or its labels leave it out; for who asks why.
pub fn passed_over(pod: &str, rules: Rules<'_>) -> Vec<Note> {
    let pod = Node::new(pod);
    let candidates = rules.candidates.of(&pod);
    let others = (0_u32..).zip(rules.documents.iter()).filter(|(number, _)| !candidates.contains(number));
    let note = |document: &Active| {
        let decision = document.selection.decide(&pod, rules.world);
        document.note(decision.reason, Weight::Detail, decision.about)
    };
    others.map(|(_, document)| note(document)).collect()
}

impl<'a> Rules<'a> {
    /// The documents that are for this pod, by their numbers; with a note for each that could have been.
    fn select(&self, pod: &Node<'a>, mut notes: Option<&mut Vec<Note>>) -> BTreeSet<u32> {
        let mut chosen = BTreeSet::new();
        for (index, document) in self.documents.at(self.candidates.of(pod)) {
            let decision = document.selection.decide(pod, self.world);
            if decision.outcome == Outcome::Applies {
                chosen.insert(index);
            }
            if let Some(notes) = notes.as_mut() {
                let weight = decision.weight();
                notes.extend(decision.warning.map(|(reason, about)| document.note(reason, Weight::Warning, about)));
                notes.push(document.note(decision.reason, weight, decision.about));
            }
        }
        chosen
    }

    fn carry_out(&self, original: &Node<'a>, chosen: &BTreeSet<u32>) -> Mutated<'a> {
        let documents = self.documents.at(chosen.iter().copied());
        let mut plan = self.plan(original, &documents);
        let mut rounds = rounds(original, &documents);
        let run = |plan: &mut Plan<'a>| {
            begin_round(plan);
            documents.iter().for_each(|(_, document)| document.run(plan));
        };
        (0..rounds).for_each(|_| run(&mut plan));
        if documents.len() > 1 && plan.notes.iter().any(|note| note.weight == Weight::Skipped) {
            // What was left out may have its place now that the others have done their part.
            rounds += 1;
            run(&mut plan);
        }
        let standard = Standard::new(self.enforced);
        if check::fault(original, &plan.pod, &standard).is_some() {
            plan = self.plan(original, &documents);
            self.carry_out_with_care(original, (&documents, rounds), standard, &mut plan);
        }
        Mutated { pod: plan.pod, patch: None, notes: without_repeats(plan.notes) }
    }

    /// Runs the documents with a check after each, so that the one at fault is found and taken back.
    fn carry_out_with_care(
        &self,
        original: &Node<'a>,
        (documents, rounds): (&[(u32, &'a Active)], usize),
        mut standard: Standard,
        plan: &mut Plan<'a>,
    ) {
        let round = |_| documents.iter().enumerate();
        for (place, (_, document)) in (0..rounds).flat_map(round) {
            if place == 0 {
                begin_round(plan);
            }
            let (before, noted) = (plan.pod.clone(), plan.notes.len());
            document.run(plan);
            let Some(fault) = check::fault(original, &plan.pod, &standard) else { continue };
            let is_violation = fault.reason == Reason::WouldViolatePodSecurity;
            let is_accepted = is_violation
                && (document.pod_security == PodSecuritySafety::Allow || document.on_conflict == OnConflict::Warn);
            if is_accepted {
                // From here on, what this document violates is nothing new.
                standard = Standard::accepting(&plan.pod, self.enforced);
            } else {
                plan.pod = before;
                plan.notes.truncate(noted);
            }
            let weight = match (is_violation, document.on_conflict, document.on_self_check) {
                (true, ..) if document.pod_security == PodSecuritySafety::Allow => Weight::Detail,
                (true, OnConflict::Deny, _) | (false, _, OnFailure::Deny) => Weight::Denied,
                (true, OnConflict::Skip, _) => Weight::Skipped,
                (true, OnConflict::Warn, _) | (false, _, OnFailure::Admit) => Weight::Warning,
            };
            plan.note(&document.title, fault.reason, weight, fault.about);
        }
    }

    fn plan(&self, original: &Node<'a>, documents: &[(u32, &'a Active)]) -> Plan<'a> {
        let own_containers = documents.iter().flat_map(|(_, document)| document.own_containers()).collect();
        Plan {
            pod: original.clone(),
            world: self.world,
            own_containers,
            notes: Vec::new(),
            reserved: Reserved::default(),
        }
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

/// Nothing is reserved, and nothing left out yet.
fn begin_round(plan: &mut Plan<'_>) {
    plan.reserved = Reserved::default();
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
    /// Carries the document out, or takes back what it had planned and notes why.
    fn run<'a>(&'a self, plan: &mut Plan<'a>) {
        let (before, noted) = (plan.pod.clone(), plan.notes.len());
        let outcome = match &self.part {
            Part::Defaults(defaults) => defaults.apply(plan),
            Part::Injection(injection) => injection.apply(plan),
        };
        if let Err(Conflict { reason, about, weight }) = outcome {
            plan.pod = before;
            plan.notes.truncate(noted);
            plan.note(&self.title, reason, weight, about);
        }
    }

    fn note(&self, reason: Reason, weight: Weight, about: String) -> Note {
        Note { document: self.title.clone(), reason, about, weight }
    }

    /// The names of the containers that the document adds.
    pub fn own_containers(&self) -> Vec<String> {
        match &self.part {
            Part::Defaults(_) => Vec::new(),
            Part::Injection(injection) => injection.own_names(),
        }
    }
}
