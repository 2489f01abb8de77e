//! The figures: a table for people, and the same rows as JSON for whatever watches them over time.

use anyhow::{Context, Result};
use serde::Serialize;
use std::io::{self, Write};
use std::{fs, path::Path};

/// One figure of both programs. `null` and `ratio` are absent where the null webhook has no such figure.
#[derive(Serialize)]
pub struct Row {
    pub name: String,
    pub unit: &'static str,
    pub null: Option<f64>,
    pub ours: f64,
    pub ratio: Option<f64>,
}

/// The same thing measured on both programs, one right after the other.
pub struct Round<T> {
    pub null: T,
    pub ours: T,
}

impl Row {
    /// A figure that only Portcullis has.
    pub fn alone(name: impl Into<String>, unit: &'static str, ours: f64) -> Self {
        Self { name: name.into(), unit, null: None, ours, ratio: None }
    }

    /// Medians over all rounds. The ratio is the median of the rounds' ratios, so that a slow minute of the machine,
    /// which slows both, does not count.
    pub fn compared<T>(
        name: impl Into<String>,
        unit: &'static str,
        rounds: &[Round<T>],
        figure: impl Fn(&T) -> f64,
    ) -> Self {
        let null = median(rounds.iter().map(|round| figure(&round.null)));
        let ours = median(rounds.iter().map(|round| figure(&round.ours)));
        let ratio = median(rounds.iter().map(|round| figure(&round.ours) / figure(&round.null)));
        Self { name: name.into(), unit, null: Some(null), ours, ratio: Some(ratio) }
    }
}

/// The middle one, or the mean of the two in the middle; 0 of nothing.
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    let upper = figures.get(figures.len() / 2).copied().unwrap_or_default();
    let lower = figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default();
    f64::midpoint(lower, upper)
}

#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    pub fn add(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }

    /// Something that a reader of the table has to know, such as a row that is not there and why.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub fn print(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{:32} {:>12} {:>12} {:>7}  unit", "", "null", "ours", "ratio")?;
        for row in &self.rows {
            let null = row.null.map_or_else(|| "-".to_owned(), number);
            let ratio = row.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            writeln!(out, "{:32} {null:>12} {:>12} {ratio:>7}  {}", row.name, number(row.ours), row.unit)?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        Ok(())
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(&self.rows)?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Three digits or more that mean something, and no more.
fn number(figure: f64) -> String {
    match figure.abs() {
        size if size >= 1000.0 => format!("{figure:.0}"),
        size if size >= 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.2}"),
    }
}

/// Tells a waiting person what is being measured, beside the table and not in it.
pub fn progress(what: &str) {
    // A closed standard error is no reason to stop.
    drop(writeln!(io::stderr(), "measuring {what}"));
}
