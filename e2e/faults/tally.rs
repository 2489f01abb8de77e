//! What became of the requests of one fault: its line, and what must not be in it.

use super::{
    labels::Level,
    request::Expected,
    traffic::{Outcome, Record, Sent, Window},
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// For how long a label may be in force before an admission that it forbids is wrong: the default of `--stale-after`.
const STALE: Duration = Duration::from_secs(60);
/// How many requests are shown when something is asserted in vain.
const SHOWN: usize = 8;

/// The requests of one fault.
pub struct Tally {
    name: String,
    records: Vec<(Record, Count)>,
    window: Option<Window>,
}

/// What a request counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Right,
    /// It should have passed, and did not.
    Failed,
    /// It was admitted, against labels in force for longer than may be.
    Wrong,
    /// The same, while the API server had been told not to ask us.
    Slipped,
    /// The API server itself could not serve it.
    Unserved,
}

fn count(record: &Record) -> Count {
    let Record { expected, outcome, in_force, .. } = record;
    let is_bound_to_be_known = in_force.is_some_and(|(_, since)| since > STALE);
    let should = match (expected, in_force) {
        (Expected::Admitted | Expected::Uncovered, _) => Some(Level::Privileged),
        (Expected::Refused, _) => Some(Level::Restricted),
        (Expected::ByLabels(_), Some((level, _))) => Some(*level),
        (Expected::ByLabels(_), None) => None,
    };
    let may_be_late = matches!(expected, Expected::ByLabels(_)) && !is_bound_to_be_known;
    match (should, outcome) {
        (_, Outcome::Unserved(_)) => Count::Unserved,
        (_, Outcome::Odd(_)) => Count::Failed,
        (Some(Level::Restricted), Outcome::Admitted) if !may_be_late => Count::Wrong,
        (Some(Level::Privileged), Outcome::Denied) if !may_be_late => Count::Failed,
        (Some(Level::Privileged), Outcome::Uncalled(_)) => Count::Failed,
        _ => Count::Right,
    }
}

impl Tally {
    pub fn new(name: &str, sent: Sent) -> Self {
        let Sent { records, window, unguarded } = sent;
        let is_unguarded =
            |record: &Record| unguarded.iter().any(|(begin, end)| record.sent <= *end && record.answered >= *begin);
        let counted = records.into_iter().map(|record| {
            let counts = match count(&record) {
                Count::Wrong if is_unguarded(&record) => Count::Slipped,
                other => other,
            };
            (record, counts)
        });
        Self { name: name.to_owned(), records: counted.collect(), window }
    }

    /// In no fault.
    pub fn assert_nothing_wrong(&self) {
        self.assert_none("wrong", |_, counts| counts == Count::Wrong);
    }

    pub fn assert_nothing_failed(&self) {
        self.assert_none("failed", |_, counts| counts == Count::Failed);
    }

    /// Whatever was sent after `left` passed, but for so many.
    pub fn assert_failed_only_until(&self, left: Instant, spared: usize) {
        let late = self.those(|record, counts| counts == Count::Failed && record.sent > left);
        assert!(
            late.len() <= spared,
            "{self}\n{} failed after the window, not {spared} at most:\n{}",
            late.len(),
            show(&late)
        );
        self.assert_uncovered_served();
    }

    /// Nothing that is covered passed while nobody was there to judge it.
    pub fn assert_refused_between(&self, (begin, end): Window) {
        self.assert_none("admitted unjudged", |record, _| {
            record.expected != Expected::Uncovered
                && record.outcome == Outcome::Admitted
                && record.sent > begin
                && record.answered < end
        });
    }

    /// Whatever Portcullis has no business with passed all the time.
    pub fn assert_uncovered_served(&self) {
        self.assert_none("failed although not covered", |record, counts| {
            record.expected == Expected::Uncovered && counts == Count::Failed
        });
    }

    /// Some that are covered passed afterwards, and from a few seconds on none failed.
    pub fn assert_recovered_after(&self, start: Instant) {
        let passed = self.those(|record, _| {
            record.sent > start && record.expected == Expected::Admitted && record.outcome == Outcome::Admitted
        });
        assert!(!passed.is_empty(), "{self}\nnothing has passed since");
        let last = self.records.iter().map(|(record, _)| record.sent).max().unwrap_or(start);
        let settled = last - super::stage::TAIL / 2;
        self.assert_none("failed at the end", |record, counts| record.sent > settled && counts == Count::Failed);
    }

    fn assert_none(&self, what: &str, is_one: impl Fn(&Record, Count) -> bool) {
        let found = self.those(is_one);
        assert!(found.is_empty(), "{self}\n{} {what}:\n{}", found.len(), show(&found));
    }

    fn those(&self, are: impl Fn(&Record, Count) -> bool) -> Vec<&Record> {
        self.records.iter().filter(|(record, counts)| are(record, *counts)).map(|(record, _)| record).collect()
    }

    fn counted(&self, as_what: Count) -> usize {
        self.those(|_, counts| counts == as_what).len()
    }

    /// For how long at most a label was in force before an admission that it forbids.
    fn stalest(&self) -> Duration {
        let stale = self.records.iter().filter_map(|(record, counts)| match (&record.outcome, record.in_force) {
            (Outcome::Admitted, Some((Level::Restricted, since))) if *counts != Count::Slipped => Some(since),
            _ => None,
        });
        stale.max().unwrap_or_default()
    }

    fn window(&self) -> Duration {
        let failed = self.those(|_, counts| counts == Count::Failed);
        let failed = failed.iter().map(|record| record.sent);
        let of_failures = failed.clone().min().zip(failed.max());
        self.window.or(of_failures).map_or(Duration::ZERO, |(begin, end)| end - begin)
    }
}

/// What was said, and how often: the ends of the texts, for they say why; names and numbers stand before.
fn reasons(records: &[&Record], of: Count) -> String {
    let mut counts = BTreeMap::<String, (usize, Duration)>::new();
    for record in records {
        let (Outcome::Uncalled(text) | Outcome::Unserved(text) | Outcome::Odd(text)) = &record.outcome else {
            continue;
        };
        let ends: Vec<&str> = text.rsplit(": ").take(2).collect();
        let (count, longest) = counts.entry(ends.into_iter().rev().collect::<Vec<_>>().join(": ")).or_default();
        *count += 1;
        *longest = (*longest).max(record.answered - record.sent);
    }
    let line = |(text, (count, longest)): (&String, &(usize, Duration))| {
        format!("\n  {of:?}: {count} x {text} (after {:.1} s at most)", longest.as_secs_f64())
    };
    counts.iter().map(line).collect()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: sent {}, failed {}, wrong {} (window {:.1} s); the API server itself could not serve {}; the oldest label \
             that was not known yet: {:.0} ms",
            self.name,
            self.records.len(),
            self.counted(Count::Failed),
            self.counted(Count::Wrong),
            self.window().as_secs_f64(),
            self.counted(Count::Unserved),
            self.stalest().as_secs_f64() * 1e3,
        )?;
        if self.counted(Count::Slipped) > 0 {
            write!(f, "; slipped in {}", self.counted(Count::Slipped))?;
        }
        let those = |of| self.those(|_, counts| counts == of);
        [Count::Failed, Count::Unserved].into_iter().try_for_each(|of| f.write_str(&reasons(&those(of), of)))
    }
}

fn show(records: &[&Record]) -> String {
    let first = records.first().map(|record| record.sent);
    let line = |record: &&Record| {
        let since = first.map_or(Duration::ZERO, |first| record.sent.saturating_duration_since(first));
        let took = record.answered - record.sent;
        format!("  +{since:.1?} took {took:.1?} {:?} {:?} {:?}", record.expected, record.in_force, record.outcome)
    };
    records.iter().take(SHOWN).map(line).collect::<Vec<_>>().join("\n")
}
