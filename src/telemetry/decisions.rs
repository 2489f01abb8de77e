//! What documents came to, counted by document, reason and outcome.
//!
//! Counting finds the document by its title and adds to a cell: nothing is formatted, locked or, but for a document's first time,
//! allocated. The documents that have series of their own are those in force, up to a bound; all others share one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use super::metrics::{Text, sum};
use super::table;
use crate::engine::mutation::{Documents, Note, Reason};

/// How many documents have series of their own.
const MOST_DOCUMENTS: usize = 1000;

/// What stands for the documents beyond, and for those that are no longer in force.
const OTHER: &str = "other";

/// By the weight of a note.
const OUTCOMES: [&str; 4] = ["noted", "warned", "skipped", "denied"];

/// The counts of all documents. Who heeds other documents does so one after another.
#[derive(Default)]
pub struct Decisions {
    of: ArcSwap<HashMap<Box<str>, Arc<Counts>>>,
    others: Counts,
    self_check_failures: AtomicU64,
}

/// The counts of one document by reason and outcome; there once something has been counted.
#[derive(Default)]
struct Counts(OnceLock<Box<[AtomicU64]>>);

impl Decisions {
    /// Gives series to the documents that are in force from now on. Those that stay keep their counts.
    pub fn heed(&self, documents: &Documents) {
        let known = self.of.load();
        let titles = documents.iter().map(|document| document.title.as_str()).take(MOST_DOCUMENTS);
        let counts = titles.map(|title| (title.into(), known.get(title).cloned().unwrap_or_default()));
        self.of.store(Arc::new(counts.collect()));
    }

    /// Counts what was decided about one pod.
    pub fn count(&self, notes: &[Note]) {
        if notes.is_empty() {
            return;
        }
        let of = self.of.load();
        for note in notes {
            of.get(&*note.document).map_or(&self.others, Arc::as_ref).add(note);
            if note.reason == Reason::SelfCheckFailed {
                self.self_check_failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn render(&self, text: &mut Text) {
        text.head(&table::DECISIONS);
        let of = self.of.load();
        let mut own: Vec<(&str, &Counts)> =
            of.iter().map(|(title, counts)| (title.as_ref(), counts.as_ref())).collect();
        own.sort_unstable_by_key(|(title, _)| *title);
        for (title, counts) in own.into_iter().chain([(OTHER, &self.others)]) {
            counts.render(title, text);
        }
        text.single(&table::SELF_CHECK_FAILURES, sum(&self.self_check_failures));
    }
}

impl Counts {
    fn add(&self, note: &Note) {
        let cells = self.0.get_or_init(|| {
            let count = Reason::ALL.len() * OUTCOMES.len();
            std::iter::repeat_with(AtomicU64::default).take(count).collect()
        });
        if let Some(cell) = cells.get(note.reason as usize * OUTCOMES.len() + note.weight as usize) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Only what has happened: no document comes to most of what there is.
    fn render(&self, title: &str, text: &mut Text) {
        let cells = self.0.get().into_iter().flatten();
        let labels = Reason::ALL.iter().flat_map(|reason| OUTCOMES.map(|outcome| (reason.code(), outcome)));
        for (cell, (reason, outcome)) in cells.zip(labels) {
            let count = sum(cell);
            if count > 0 {
                text.sample(&table::DECISIONS, &[title, reason, outcome], count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::mutation::document::Document;
    use crate::engine::mutation::{Active, Weight};

    fn documents(names: impl IntoIterator<Item = String>) -> Documents {
        let document = |name| {
            let json = format!(
                r#"{{"apiVersion":"portcullis.dev/v1","kind":"PodDefaults","metadata":{{"name":"{name}"}},"spec":{{}}}}"#
            );
            Arc::new(Active::compile(&Document::read(&json).expect("a document")).expect("no flaws"))
        };
        Documents::new(names.into_iter().map(document).collect())
    }

    fn note(name: &str, reason: Reason, weight: Weight) -> Note {
        Note { document: format!("PodDefaults/{name}"), reason, about: "pod".to_owned(), weight }
    }

    fn samples(decisions: &Decisions) -> Vec<String> {
        let mut text = Text::default();
        decisions.render(&mut text);
        text.as_str().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn sample(document: &str, reason: &str, outcome: &str, count: u64) -> String {
        let labels = format!("document=\"{document}\",reason=\"{reason}\",outcome=\"{outcome}\"");
        format!("portcullis_mutation_decisions_total{{{labels}}} {count}")
    }

    #[test]
    fn every_reason_and_outcome_has_a_cell_of_its_own() {
        let decisions = Decisions::default();
        decisions.heed(&documents(["a".to_owned()]));
        let weights = [Weight::Detail, Weight::Warning, Weight::Skipped, Weight::Denied];
        let mut expected = Vec::new();
        for reason in Reason::ALL {
            for (weight, outcome) in weights.iter().zip(OUTCOMES) {
                decisions.count(&[note("a", *reason, *weight)]);
                expected.push(sample("PodDefaults/a", reason.code(), outcome, 1));
            }
        }
        expected.push("portcullis_self_check_failures_total 4".to_owned());
        assert_eq!(samples(&decisions), expected);
    }

    #[test]
    fn documents_that_stay_keep_their_counts_and_those_that_go_take_theirs_along() {
        let decisions = Decisions::default();
        decisions.heed(&documents(["a", "b"].map(str::to_owned)));
        let always = |name| note(name, Reason::Always, Weight::Detail);
        decisions.count(&[always("a"), always("b"), always("b")]);
        decisions.heed(&documents(["b", "c"].map(str::to_owned)));
        decisions.count(&[always("a"), always("b")]);
        let expected = [
            sample("PodDefaults/b", "always", "noted", 3),
            sample("other", "always", "noted", 1),
            "portcullis_self_check_failures_total 0".to_owned(),
        ];
        assert_eq!(samples(&decisions), expected);
    }

    #[test]
    fn no_number_of_documents_makes_more_series_than_the_bound() {
        let decisions = Decisions::default();
        let names = || (0..MOST_DOCUMENTS + 5).map(|number| format!("d{number:04}"));
        decisions.heed(&documents(names()));
        for name in names() {
            decisions.count(&[note(&name, Reason::Always, Weight::Detail)]);
        }
        let samples = samples(&decisions);
        assert_eq!(samples.len(), MOST_DOCUMENTS + 2);
        assert_eq!(samples[MOST_DOCUMENTS], sample("other", "always", "noted", 5));
    }
}
