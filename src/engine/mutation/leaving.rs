//! Copies of pods that were given something, and that ask to be left alone: it is taken back, as `uninject` does.
//!
//! Whoever copies a pod to look into it, and takes the sidecar out by hand, leaves variables, volumes and probes behind that count on
//! it. A copy that says no is to be what it would be if its original had said so too.

use super::check::{Standard, fault};
use super::documents::Part;
use super::driver::Rules;
use super::plan::{Note, Reason, Weight};
use super::tree::Node;

impl Rules<'_> {
    /// The pod without what the documents have added that it opts out of, as the notes on their choice say. What could not be
    /// restored is noted.
    pub(super) fn leave_alone<'a>(&self, pod: Node<'a>, notes: &mut Vec<Note>) -> Node<'a> {
        let refused: Vec<&str> =
            notes.iter().filter(|note| note.reason == Reason::PodOptOut).map(|note| note.document.as_str()).collect();
        if refused.is_empty() {
            return pod;
        }
        let documents = self.documents.iter().rev().filter(|document| refused.contains(&document.title.as_str()));
        let (mut left, mut said) = (pod.clone(), Vec::new());
        for document in documents {
            let Part::Injection(injection) = &document.part else { continue };
            if !injection.is_claimed_by(&left) {
                continue;
            }
            said.push(document.note(Reason::TakenBack, Weight::Warning, "pod".to_owned()));
            let lost = injection.uninject(&mut left);
            said.extend(lost.into_iter().map(|(reason, about)| document.note(reason, Weight::Warning, about)));
        }
        if said.is_empty() || fault(&|| pod.clone(), &left, &Standard::new(self.enforced)).is_some() {
            return pod;
        }
        notes.append(&mut said);
        left
    }
}
