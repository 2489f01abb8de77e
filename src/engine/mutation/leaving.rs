//! Copies of pods that were given something, that lack part of it by now and ask to be left alone: the rest is taken back, as
//! `uninject` does.
//!
//! Whoever copies a pod to look into it, and takes the sidecar out by hand, leaves variables, volumes and probes behind that count on
//! it. A copy that is complete is as its author wrote it, and works: it is left alone indeed.

use std::cell::LazyCell;

use super::check::fault;
use super::documents::Part;
use super::driver::Rules;
use super::plan::{Note, Reason, Weight};
use super::tree::Node;

const OPTED_OUT: [Reason; 3] = [Reason::PodOptOut, Reason::NamespaceOptOut, Reason::OptedOutByDefault];

impl Rules<'_> {
    /// The pod without what is left of documents that it opts out of, as the notes on their choice say. What could not be restored is
    /// noted.
    pub(super) fn leave_alone<'a>(&self, pod: Node<'a>, notes: &mut Vec<Note>) -> Node<'a> {
        let is_refusal = |note: &&Note| OPTED_OUT.contains(&note.reason);
        let refused: Vec<&str> = notes.iter().filter(is_refusal).map(|note| note.document.as_str()).collect();
        if refused.is_empty() {
            return pod;
        }
        let own_names = || self.documents.iter().flat_map(|document| document.own_containers()).map(str::to_owned);
        let own: LazyCell<Vec<String>, _> = LazyCell::new(|| own_names().collect());
        let documents = self.documents.iter().rev().filter(|document| refused.contains(&document.title.as_str()));
        let (mut left, mut said) = (pod.clone(), Vec::new());
        for document in documents {
            let Part::Injection(injection) = &document.part else { continue };
            if !injection.is_claimed_by(&left) || injection.missing(&left, &own).is_empty() {
                continue;
            }
            said.push(document.note(Reason::TakenBack, Weight::Warning, "pod".to_owned()));
            let lost = injection.uninject(&mut left);
            said.extend(lost.into_iter().map(|(reason, about)| document.note(reason, Weight::Warning, about)));
        }
        if said.is_empty() || fault(&|| pod.clone(), &left, &self.standard()).is_some() {
            return pod;
        }
        notes.append(&mut said);
        left
    }
}
