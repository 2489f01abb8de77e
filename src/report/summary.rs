//! What all outcomes come to: counts, and the exit code that they mean.

use std::collections::BTreeSet;

use super::{Answer, Outcome};

/// More namespaces than this are not named.
const NAMED: usize = 10;

/// Counts of objects and inputs. Does not grow with them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Files, and standard input.
    pub inputs: usize,
    pub allowed: usize,
    pub denied: usize,
    /// Objects of kinds that are not judged.
    pub passed_over: usize,
    /// Objects, documents and inputs that should have been judged and could not be.
    pub not_judged: usize,
    /// Objects with warnings.
    pub warned: usize,
    pub notes: usize,
    unlisted: BTreeSet<String>,
}

impl Summary {
    pub fn of(outcomes: &[Outcome<'_>]) -> Self {
        let mut summary = Self::default();
        for outcome in outcomes {
            summary.count(outcome);
        }
        summary
    }

    fn count(&mut self, outcome: &Outcome<'_>) {
        match outcome.answer {
            Answer::Allow => self.allowed += 1,
            Answer::PassedOver => self.passed_over += 1,
            Answer::Deny => self.denied += 1,
            Answer::NotJudged => self.not_judged += 1,
        }
        self.warned += usize::from(!outcome.warnings.is_empty());
        self.notes += outcome.notes.len();
        if outcome.namespace_unlisted {
            self.name_unlisted(outcome.namespace.clone());
        }
    }

    /// Adds the counts of outcomes that come later.
    pub fn add(&mut self, later: Self) {
        self.inputs += later.inputs;
        self.allowed += later.allowed;
        self.denied += later.denied;
        self.passed_over += later.passed_over;
        self.not_judged += later.not_judged;
        self.warned += later.warned;
        self.notes += later.notes;
        for namespace in later.unlisted {
            self.name_unlisted(namespace);
        }
    }

    fn name_unlisted(&mut self, namespace: String) {
        if self.unlisted.len() < NAMED {
            self.unlisted.insert(namespace);
        }
    }

    /// The namespaces that objects are in and that were not among those given; at most ten of them.
    pub fn unlisted_namespaces(&self) -> impl Iterator<Item = &str> {
        self.unlisted.iter().map(String::as_str)
    }

    /// 0: clean; 1: something is denied; 2: something could not be judged, which beats 1.
    pub fn exit_code(&self) -> u8 {
        match (self.not_judged, self.denied) {
            (0, 0) => 0,
            (0, _) => 1,
            _ => 2,
        }
    }
}
