//! One run: cases on two threads, and what breaks a law made small and shown.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use serde_json::Value;

use crate::case::case;
use crate::laws::{Broken, Kept, hold, is_pod};
use crate::outcome::Setting;
use crate::settings::{say, setting};
use crate::shrink::shrink;
use crate::workers::share;

const PODS: u64 = 10_000;
const SEED: u64 = 20_261_121;
const THREADS: usize = 2;
const SHRINKING_TRIES: usize = 3_000;

#[derive(Default)]
struct Tally {
    changed: u64,
    unchanged: u64,
    denied: u64,
    operations: usize,
    /// Documents that do not compile, by what is wrong with them.
    flawed: BTreeMap<String, u64>,
    /// By law: how often, and the first case.
    broken: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    fn held(&self) -> u64 {
        self.changed + self.unchanged + self.denied
    }
}

/// Runs everything and returns what is wrong.
pub fn run() -> Result<Vec<String>> {
    let (pods, seed) = (setting("N", PODS)?, setting("SEED", SEED)?);
    let tally = Mutex::new(Tally::default());
    // The share of documents that compile is judged below.
    share(
        0..pods * 3,
        THREADS,
        || Ok(()),
        |(), index| {
            if tally.lock().unwrap_or_else(PoisonError::into_inner).held() >= pods {
                return Ok(ControlFlow::Break(()));
            }
            let outcome = outcome(&case(seed, index));
            count(&mut tally.lock().unwrap_or_else(PoisonError::into_inner), index, outcome);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(complaints(&tally.into_inner().unwrap_or_else(PoisonError::into_inner), pods, seed))
}

enum Outcome {
    Flawed(String),
    Held(Result<Kept, Broken>),
}

fn outcome(case: &Value) -> Outcome {
    match Setting::of(case) {
        Err(flaws) => Outcome::Flawed(flaws),
        Ok(setting) => Outcome::Held(hold(case, &setting)),
    }
}

fn count(tally: &mut Tally, index: u64, outcome: Outcome) {
    match outcome {
        Outcome::Flawed(flaws) => *tally.flawed.entry(flaws).or_default() += 1,
        Outcome::Held(Ok(Kept::Denied)) => tally.denied += 1,
        Outcome::Held(Ok(Kept::Unchanged)) => tally.unchanged += 1,
        Outcome::Held(Ok(Kept::Changed { operations })) => {
            tally.changed += 1;
            tally.operations += operations;
        }
        Outcome::Held(Err(broken)) => {
            tally.changed += 1;
            let (count, first) = tally.broken.entry(broken.law).or_insert((0, index));
            *count += 1;
            *first = (*first).min(index);
        }
    }
}

fn complaints(tally: &Tally, pods: u64, seed: u64) -> Vec<String> {
    let Tally { changed, unchanged, denied, operations, .. } = tally;
    let flawed: u64 = tally.flawed.values().sum();
    say(&format!(
        "seed {seed}; {changed} pods changed by {operations} operations, {unchanged} left as they were, {denied} refused; {flawed} flawed"
    ));
    let mut complaints: Vec<String> = tally.broken.iter().map(|(law, found)| shown(law, *found, seed)).collect();
    for (what, count, most) in [("were refused", *denied, pods * 3 / 10), ("had flawed documents", flawed, pods / 2)] {
        if count > most {
            complaints.push(format!("{count} of {pods} {what}; {most} are the most"));
        }
    }
    if flawed > pods / 10 || tally.held() < pods {
        let mut flaws: Vec<_> = tally.flawed.iter().map(|(flaw, count)| (count, flaw)).collect();
        flaws.sort_by(|one, other| other.cmp(one));
        complaints.extend(flaws.iter().take(25).map(|(count, flaw)| format!("  {count} times {flaw}")));
    }
    if *changed * 2 < pods {
        complaints.push(format!("only {changed} of {pods} were changed"));
    }
    complaints
}

/// A law that was broken, with the smallest case that breaks it.
fn shown(law: &str, (count, index): (u64, u64), seed: u64) -> String {
    let breaks = |case: &Value| {
        let documents: Vec<&Value> = case["documents"].as_array().into_iter().flatten().collect();
        let names: BTreeSet<String> =
            documents.iter().map(|document| document["metadata"]["name"].to_string()).collect();
        is_pod(&case["pod"])
            && names.len() == documents.len()
            && matches!(outcome(case), Outcome::Held(Err(broken)) if broken.law == law)
    };
    let smallest = shrink(case(seed, index), SHRINKING_TRIES, breaks);
    let about = |case: &Value| match outcome(case) {
        Outcome::Held(Err(broken)) => broken.about,
        _ => String::new(),
    };
    let (first, least) = (about(&case(seed, index)), about(&smallest));
    format!("broken {count} times: {law}\n  case {index}: {first}\n  smallest: {smallest}\n  {least}")
}
