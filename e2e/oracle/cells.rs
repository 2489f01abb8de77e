//! Which cells of check x policy version x verdict the cases reach, by upstream's own word.
//!
//! A cell that no case reaches is a place where a mistake of ours would go unseen: the run fails and names it.

use crate::judge::Judge;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The newest policy version with a fixture of its own.
pub const NEWEST: u64 = 37;

/// For each policy, `level:version`, the variants that it runs, as `id@v1.N`, in upstream's order.
pub type Plans = BTreeMap<String, Vec<String>>;

/// Upstream's plans for both levels at every version.
pub fn plans(judge: &mut Judge) -> Result<Plans> {
    let levels = ["baseline", "restricted"];
    let policies: Vec<String> =
        levels.into_iter().flat_map(|level| (0..=NEWEST).map(move |minor| format!("{level}:v1.{minor}"))).collect();
    let answer = judge.ask(&json!({"op": "plan", "policies": policies}))?;
    let plans =
        serde_json::from_value::<Vec<Vec<String>>>(answer["plans"].clone()).context("the judge gave no plans")?;
    Ok(policies.into_iter().zip(plans).collect())
}

/// How many cases reached each cell.
pub struct Cells {
    counts: BTreeMap<(String, u64, bool), usize>,
    plans: Plans,
}

impl Cells {
    pub fn new(plans: Plans) -> Self {
        let ran = plans.iter().filter_map(|(policy, variants)| Some((minor(policy)?, variants)));
        let cells = ran.flat_map(|(minor, variants)| {
            variants
                .iter()
                .flat_map(move |variant| [true, false].map(|allowed| ((id(variant).to_owned(), minor, allowed), 0)))
        });
        Self { counts: cells.collect(), plans }
    }

    /// Counts what one pod reached.
    pub fn count(&mut self, question: &Value, upstream: &Value) {
        let policies = question["policies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let verdicts = upstream["verdicts"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (policy, verdict) in policies.iter().filter_map(Value::as_str).zip(verdicts) {
            let (Some(minor), Some(variants)) = (minor(policy), self.plans.get(policy)) else { continue };
            let denied = verdict["denied"].as_array().map(Vec::as_slice).unwrap_or_default();
            for variant in variants {
                let allowed = !denied.iter().any(|name| name.as_str() == Some(variant));
                *self.counts.entry((id(variant).to_owned(), minor, allowed)).or_default() += 1;
            }
        }
    }

    /// The cells that nothing reached, in words.
    pub fn unreached(&self) -> Vec<String> {
        let empty = self.counts.iter().filter(|(_, count)| **count == 0);
        empty
            .map(|((id, minor, allowed), _)| {
                format!("{id} at v1.{minor} never {}", if *allowed { "allowed" } else { "denied" })
            })
            .collect()
    }

    /// The cell with the fewest cases, and how many those are.
    pub fn thinnest(&self) -> Option<(String, usize)> {
        let ((id, minor, allowed), count) = self.counts.iter().min_by_key(|(_, count)| **count)?;
        Some((format!("{id} at v1.{minor}, {}", if *allowed { "allowed" } else { "denied" }), *count))
    }
}

fn id(variant: &str) -> &str {
    variant.split_once('@').map_or(variant, |(id, _)| id)
}

/// The minor version of a policy; none for `latest`.
fn minor(policy: &str) -> Option<u64> {
    policy.split_once(":v1.")?.1.parse().ok()
}
