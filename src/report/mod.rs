//! Located findings in somebody's format: text for people, JSON, SARIF, JUnit and GitHub's workflow commands.
//!
//! Knows nothing of files, terminals or flags: it is handed outcomes and hands back text. Formats are written as a stream, a
//! batch of outcomes at a time, so that no format needs more memory for more objects.

mod excerpt;
mod github;
mod json;
mod junit;
mod locate;
mod outcome;
mod sarif;
mod summary;
mod text;

#[cfg(test)]
mod tests;

pub use locate::{findings, warnings};
pub use outcome::{Answer, Located, Outcome, Place, Severity};
pub use summary::Summary;

use std::fmt::Write;

/// The formats that a report can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0, which code scanning reads.
    Sarif,
    /// JUnit's XML, which test reports read.
    Junit,
    /// Workflow commands, from which GitHub Actions makes annotations.
    Github,
}

/// How text for people looks; the other formats have one look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Whether findings have colours.
    pub color: bool,
    /// Whether what could not be judged, which goes to another stream, has colours.
    pub color_of_faults: bool,
    /// Columns, for cutting long lines of source.
    pub width: usize,
    /// Whether notes are shown, and objects that pass are named.
    pub verbose: bool,
}

/// What is written of one batch.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The report.
    pub report: String,
    /// What could not be judged, where that does not belong into the report itself: in text for people.
    pub faults: String,
}

/// Writes outcomes in one format.
#[derive(Debug, Clone, Copy)]
pub struct Writer {
    pub format: Format,
    pub look: Look,
}

impl Writer {
    /// What stands before everything else.
    pub fn opening(&self) -> String {
        match self.format {
            Format::Text | Format::Github => String::new(),
            Format::Json => json::OPENING.to_owned(),
            Format::Sarif => sarif::opening(),
            Format::Junit => junit::OPENING.to_owned(),
        }
    }

    /// Outcomes that follow each other in the input. Batches may be rendered in any order, on any thread.
    pub fn batch(&self, outcomes: &[Outcome<'_>]) -> Rendered {
        match self.format {
            Format::Text => text::batch(outcomes, &self.look),
            Format::Json => Rendered { report: json::batch(outcomes), ..Rendered::default() },
            Format::Sarif => Rendered { report: sarif::batch(outcomes), ..Rendered::default() },
            Format::Junit => Rendered { report: junit::batch(outcomes), ..Rendered::default() },
            Format::Github => Rendered { report: github::batch(outcomes), ..Rendered::default() },
        }
    }

    /// What stands between two batches of which neither is empty.
    pub fn separator(&self) -> &'static str {
        match self.format {
            Format::Json | Format::Sarif => ",\n",
            Format::Text | Format::Junit | Format::Github => "",
        }
    }

    /// What stands after everything else.
    pub fn closing(&self, summary: &Summary) -> String {
        match self.format {
            Format::Text => text::closing(summary, &self.look),
            Format::Json => json::CLOSING.to_owned(),
            Format::Sarif => sarif::closing(summary),
            Format::Junit => junit::CLOSING.to_owned(),
            Format::Github => String::new(),
        }
    }
}

/// Appends formatted text. Writing into a `String` cannot fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = text.write_fmt(arguments);
    debug_assert!(written.is_ok(), "a String takes all that is written");
}
