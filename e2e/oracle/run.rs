//! One run: makes the cases in batches, asks both sides, and gathers everything that is wrong.

use crate::{
    broken,
    cells::{self, Cells, Plans},
    compare::{Comparison, Difference, Kind, pods, reviews},
    generate,
    judge::Judge,
    sayings::Sayings,
    settings::{say, setting},
    shrink::shrink,
};
use anyhow::{Context, Result};
use portcullis::engine::pod_security::registry;
use serde_json::Value;
use std::collections::BTreeSet;

const PODS: u64 = 20_000;
const SEED: u64 = 20_261_121;
/// Cases are held in memory this many at a time, however many are asked for.
const BATCH: u64 = 20_000;
/// The differences that are shown, and those that are shrunk to find so many that are not alike; the others are counted.
const SHOWN: usize = 10;
const SHRUNK: usize = 40;
const SHRINKING_TRIES: usize = 3_000;

/// How often the two sides disagree.
#[derive(Default)]
struct Tally {
    cases: u64,
    other_verdicts: u64,
    other_texts: u64,
    shrunk: usize,
    /// What upstream says and what we say, of each difference shown.
    shown: BTreeSet<(String, String)>,
}

/// Runs everything and returns what is wrong.
pub fn run() -> Result<Vec<String>> {
    let (pods, seed) = (setting("N", PODS)?, setting("SEED", SEED)?);
    let mut judge = Judge::start(say)?;
    let plans = cells::plans(&mut judge)?;
    let mut complaints = other_plans(&plans);
    let mut cells = Cells::new(plans);

    let mut quoted = Tally::default();
    quoted.compare(&mut judge, &generate::runes::questions(), pods::compare)?;
    complaints.extend(quoted.close("pods with every rune there is"));

    let (mut reviewed, mut sayings) = (Tally::default(), Sayings::new());
    for (first, end) in batches(pods / 4) {
        let questions: Vec<Value> = (first..end).map(|index| generate::review::question(seed, index)).collect();
        let answers = reviewed.compare(&mut judge, &questions, reviews::compare)?;
        answers.iter().for_each(|answer| sayings.count(answer));
    }
    let mut judged = Tally::default();
    for (first, end) in batches(pods) {
        let questions: Vec<Value> = (first..end).map(|index| generate::pod::question(seed, index)).collect();
        let answers = judged.compare(&mut judge, &questions, pods::compare)?;
        questions.iter().zip(&answers).for_each(|(question, answer)| cells.count(question, answer));
        // The first batch alone is held to catch every fault, and only where it is a whole one.
        if first == 0 && end >= PODS {
            let uncaught = broken::uncaught(&broken::faults(), &questions, &answers);
            complaints.extend(uncaught.into_iter().map(|fault| format!("no case shows that {fault}")));
        }
    }
    if pods >= PODS {
        complaints.extend(cells.unreached().into_iter().map(|cell| format!("no pod reaches a cell: {cell}")));
        complaints.extend(sayings.unheard().into_iter().map(|saying| format!("no review ends with: {saying}")));
    }
    if let (Some((cell, pods)), Some((saying, reviews))) = (cells.thinnest(), sayings.rarest()) {
        say(&format!(
            "seed {seed}; the thinnest cell is {cell}: {pods} pods; the rarest ending is {saying:?}: {reviews} reviews"
        ));
    }
    complaints.extend(reviewed.close("reviews"));
    complaints.extend(judged.close("pods"));
    Ok(complaints)
}

impl Tally {
    /// Asks both sides, counts and shows the differences, and returns upstream's answers.
    fn compare(&mut self, judge: &mut Judge, questions: &[Value], comparison: Comparison) -> Result<Vec<Value>> {
        let answers = judge.ask_all(questions)?;
        for (question, answer) in questions.iter().zip(&answers) {
            self.cases += 1;
            let Some(difference) = comparison(question, answer) else { continue };
            match difference.kind {
                Kind::Verdict => self.other_verdicts += 1,
                Kind::Text => self.other_texts += 1,
            }
            if self.shown.len() < SHOWN && self.shrunk < SHRUNK {
                self.shrunk += 1;
                self.show(judge, question, difference.kind, comparison)?;
            }
        }
        Ok(answers)
    }

    /// Shrinks a difference and prints what is left of it, unless one that reads the same was printed before.
    fn show(&mut self, judge: &mut Judge, question: &Value, kind: Kind, comparison: Comparison) -> Result<()> {
        let smallest = shrink(question.clone(), SHRINKING_TRIES, |candidate| {
            let answer = judge.ask(candidate);
            answer.is_ok_and(|answer| comparison(candidate, &answer).is_some_and(|difference| difference.kind == kind))
        });
        let answer = judge.ask(&smallest)?;
        let Difference { place, upstream, ours, .. } =
            comparison(&smallest, &answer).context("the smallest case no longer differs")?;
        if self.shown.insert((upstream.clone(), ours.clone())) {
            say(&format!(
                "\nanother {kind:?} ({place})\n  case      {smallest}\n  upstream  {upstream}\n  ours      {ours}"
            ));
        }
        Ok(())
    }

    /// Prints the sum, which is a complaint unless it is nothing.
    fn close(self, of: &str) -> Option<String> {
        let Self { cases, other_verdicts, other_texts, .. } = self;
        let sum = format!("{cases} {of}, {other_verdicts} other verdicts, {other_texts} other texts");
        say(&sum);
        (other_verdicts + other_texts > 0).then_some(sum)
    }
}

/// Where our registry plans other variants than upstream's, or in another order.
fn other_plans(plans: &Plans) -> Vec<String> {
    let ours = |policy: &str| -> Option<Vec<String>> {
        let planned = registry().plan(pods::parse(policy)?).iter();
        Some(planned.map(|(check, variant)| format!("{}@v1.{}", check.id, variant.since)).collect())
    };
    plans
        .iter()
        .filter(|(policy, upstream)| ours(policy).as_ref() != Some(upstream))
        .map(|(policy, upstream)| format!("{policy} runs {upstream:?} upstream, and here {:?}", ours(policy)))
        .collect()
}

fn batches(cases: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..cases).step_by(BATCH as usize).map(move |first| (first, cases.min(first + BATCH)))
}
