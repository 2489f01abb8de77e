//! One run: pods created in dry runs, and what a webhook was shown of each held against the model.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use portcullis::engine::mutation::{Node, arrival};
use portcullis::manifest::{DocumentText, apply_api_defaults, parse};
use serde_json::{Value, json};

use crate::difference::differences;
use crate::edit::put;
use crate::harness::Api;
use crate::pod::{Case, Choice, all_choices, case};
use crate::settings::{say, setting};
use crate::stage::{NAMESPACES, Stage, account, name_of};
use crate::workers::share;

const PODS: u64 = 2_000;
const SEED: u64 = 20_261_121;
const IN_FLIGHT: usize = 8;
/// Of the differences, and of the refusals.
const SHOWN: usize = 12;

#[derive(Default)]
struct Tally {
    accepted: u64,
    refused: u64,
    /// Values of the tables that were in a pod that was accepted.
    seen: BTreeSet<Choice>,
    /// Differences by their path without indices, each with one that says all.
    differing: BTreeMap<String, (u64, String)>,
    differing_pods: u64,
    /// What is refused, by what the API server says.
    refusals: BTreeMap<String, u64>,
}

/// Runs everything and returns what is wrong.
pub fn run() -> Result<Vec<String>> {
    let (pods, seed) = (setting("N", PODS)?, setting("SEED", SEED)?);
    let stage = Stage::start()?;
    let tally = Mutex::new(Tally::default());
    // Far more than it takes: the share of pods that are accepted is judged below.
    share(
        0..pods * 4,
        IN_FLIGHT,
        || stage.plane.connect(),
        |api, index| {
            if tally.lock().unwrap_or_else(PoisonError::into_inner).accepted >= pods {
                return Ok(ControlFlow::Break(()));
            }
            let judged = judge(&stage, api, &case(seed, index), index)?;
            tally.lock().unwrap_or_else(PoisonError::into_inner).count(judged);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner).close(seed, pods))
}

enum Judged {
    Refused(String),
    Accepted { choices: Vec<Choice>, differences: Vec<(String, String)> },
}

fn judge(stage: &Stage, api: &mut Api, case: &Case, index: u64) -> Result<Judged> {
    let namespace = usize::try_from(index)? % NAMESPACES.len();
    let path = format!("/api/v1/namespaces/{}/pods?dryRun=All&fieldValidation=Strict", NAMESPACES[namespace]);
    let answer = api.post(&path, &case.pod)?;
    let name = name_of(&case.pod);
    let shown = stage.take_shown(&name);
    if answer.status != 201 {
        return Ok(Judged::Refused(format!("{} {}", answer.status, answer.message())));
    }
    let shown = as_it_was_sent(shown.with_context(|| format!("the webhook was not shown {name}"))?, &case.pod);
    let complete = |text: &str| -> Result<Value> {
        let mut tree = Node::new(text.to_owned());
        arrival::complete(&mut tree, &stage.world(namespace), account(&case.pod["spec"]));
        Ok(serde_json::from_str(&tree.to_json())?)
    };
    let sent = case.pod.to_string();
    let ours = complete(&sent)?;
    let mut found = differences(&ours, &shown);
    let mut note = |what: &str, more: Vec<(String, String)>| {
        found.extend(more.into_iter().map(|(path, text)| (format!("{what} {path}"), format!("{what} {text}"))));
    };
    note("completed again:", differences(&complete(&ours.to_string())?, &ours));
    note("what check fills in:", differences(&complete(&as_checked(&sent)?)?, &shown));
    note(
        "what check leaves to fill in:",
        differences(&serde_json::from_str(&as_checked(&shown.to_string())?)?, &shown),
    );
    note(
        "as stored:",
        differences(&without_storing(&shown), &without_storing(&as_it_was_sent(answer.body, &case.pod))),
    );
    Ok(Judged::Accepted { choices: case.choices.clone(), differences: found })
}

/// The pod without what the server alone sets, and with a name for the token's volume that is always the same.
fn as_it_was_sent(mut pod: Value, sent: &Value) -> Value {
    if let Some(metadata) = pod["metadata"].as_object_mut() {
        for field in ["managedFields", "namespace", "uid", "creationTimestamp", "generation"] {
            metadata.remove(field);
        }
        if metadata.contains_key("generateName") {
            metadata.remove("name");
        }
    }
    if let Some(pod) = pod.as_object_mut() {
        pod.remove("status");
    }
    let names = pod["spec"]["volumes"].as_array().into_iter().flatten().filter_map(|volume| volume["name"].as_str());
    let random =
        names.filter(|name| name.starts_with("kube-api-access-")).find(|name| !sent.to_string().contains(*name));
    match random {
        Some(random) => serde_json::from_str(&pod.to_string().replace(random, "kube-api-access-7x2zq")).unwrap_or(pod),
        None => pod,
    }
}

/// The pod as `check` judges it, before it is judged.
fn as_checked(pod: &str) -> Result<String> {
    let mut tree = parse(&DocumentText::new(pod))?;
    apply_api_defaults(&mut tree);
    let mut text = Vec::new();
    tree.write_json(&mut text);
    Ok(String::from_utf8(text)?)
}

/// Without what the API server changes when it stores a pod, which no webhook sees (`PrepareForCreate`), and without empty lists, which
/// are lost on the way.
fn without_storing(pod: &Value) -> Value {
    let mut pod = pod.clone();
    for source in pod["spec"]["volumes"].as_array_mut().into_iter().flatten().filter_map(|it| it.get_mut("projected")) {
        if source["sources"] == json!([]) {
            put(source, "sources", None);
        }
    }
    let selectors = ["topologySpreadConstraints", "affinity"];
    if let Some(spec) = pod["spec"].as_object_mut() {
        spec.remove("resources");
        for field in selectors {
            if spec.get(field).is_some_and(|found| found.to_string().contains("abelKeys")) {
                spec.remove(field);
            }
        }
    }
    pod
}

impl Tally {
    fn count(&mut self, judged: Judged) {
        match judged {
            Judged::Refused(why) => {
                self.refused += 1;
                *self.refusals.entry(without_numbers(&why)).or_default() += 1;
            }
            Judged::Accepted { choices, differences } => {
                self.accepted += 1;
                self.seen.extend(choices);
                self.differing_pods += u64::from(!differences.is_empty());
                for (path, text) in differences {
                    self.differing.entry(without_numbers(&path)).or_insert((0, text)).0 += 1;
                }
            }
        }
    }

    /// Prints the sums, and returns what is wrong with them.
    fn close(self, seed: u64, pods: u64) -> Vec<String> {
        let Self { accepted, refused, differing_pods, .. } = self;
        let mut complaints: Vec<String> =
            self.differing.values().take(SHOWN).map(|(count, text)| format!("{count} times {text}")).collect();
        if self.differing.len() > SHOWN {
            complaints.push(format!("… and at {} more places", self.differing.len() - SHOWN));
        }
        if accepted < pods || refused > accepted {
            let mut refusals: Vec<_> = self.refusals.into_iter().map(|(why, count)| (count, why)).collect();
            refusals.sort_by(|one, other| other.cmp(one));
            let most = refusals.iter().take(SHOWN).map(|(count, why)| format!("\n  {count} times {why}"));
            complaints.push(format!("{refused} pods were refused{}", most.collect::<String>()));
        }
        // A value that is in one of a hundred pods is hardly ever missing from two thousand.
        let unseen: Vec<Choice> = all_choices().into_iter().filter(|choice| !self.seen.contains(choice)).collect();
        if pods >= PODS && !unseen.is_empty() {
            complaints.push(format!("no pod that was accepted had {unseen:?}"));
        }
        say(&format!("seed {seed}; {accepted} pods, {refused} refused, {differing_pods} different"));
        complaints
    }
}

fn without_numbers(text: &str) -> String {
    text.chars().filter(|character| !character.is_ascii_digit()).collect()
}
