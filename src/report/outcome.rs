//! What became of one object, or of a text that could not be read as one.

use crate::engine::pod_security::{Finding, LevelVersion, Violation};
use crate::manifest::{DocumentText, Lines, ParseError, Position, Span};

/// What is reported of one object, or of an input that holds none.
#[derive(Debug)]
pub struct Outcome<'d> {
    /// The input as the user named it; `-` for standard input.
    pub file: &'d str,
    /// The document that it stands in, where that could be read.
    pub document: Option<&'d DocumentText>,
    /// Where the object begins, or where the fault is; none for a fault of the whole input.
    pub place: Option<Place>,
    /// Empty where there is none, as are namespace and name.
    pub kind: String,
    pub namespace: String,
    /// The name, or what a name will be generated from.
    pub name: String,
    pub answer: Answer,
    /// Why it is denied, in upstream's words, or why it was not judged; else empty.
    pub message: String,
    /// What to do instead, for a fault.
    pub hint: Option<String>,
    pub findings: Vec<Located>,
    pub warnings: Vec<String>,
    /// What is worth knowing and no fault.
    pub notes: Vec<String>,
    /// Whether its namespace is not among those that were given, so that the defaults were taken.
    pub namespace_unlisted: bool,
}

impl<'d> Outcome<'d> {
    /// An outcome that says nothing yet.
    pub fn new(file: &'d str, document: Option<&'d DocumentText>, answer: Answer) -> Self {
        Self {
            file,
            document,
            place: None,
            kind: String::new(),
            namespace: String::new(),
            name: String::new(),
            answer,
            message: String::new(),
            hint: None,
            findings: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            namespace_unlisted: false,
        }
    }

    /// A whole input that could not be judged.
    pub fn of_input(file: &'d str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let base = Self::new(file, None, Answer::NotJudged);
        Self { message: message.into(), hint: Some(hint.into()), ..base }
    }

    /// A text that could not be read.
    pub fn of_fault(file: &'d str, document: Option<&'d DocumentText>, fault: ParseError) -> Self {
        let place = Place::of_fault(document, &fault);
        let base = Self::new(file, document, Answer::NotJudged);
        Self { place: Some(place), message: fault.message, hint: fault.hint, ..base }
    }

    /// Line and column, counted from 1; those of the beginning for a fault of the whole input.
    pub fn position(&self) -> Position {
        self.place.map_or(Position { line: 1, column: 1 }, |place| place.position)
    }

    /// `Pod shop/web`, as far as it is known; empty if nothing is. One line without control characters, whatever it holds.
    pub fn subject(&self) -> String {
        let separator = if self.namespace.is_empty() || self.name.is_empty() { "" } else { "/" };
        let subject = format!("{} {}{separator}{}", self.kind, self.namespace, self.name);
        subject.trim().replace(char::is_control, "\u{FFFD}")
    }
}

/// What is said of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Allow,
    /// Of a kind that is not judged.
    PassedOver,
    Deny,
    /// It should have been judged and could not be.
    NotJudged,
}

impl Answer {
    /// Its name in every format: what is passed over is allowed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow | Self::PassedOver => "allow",
            Self::Deny => "deny",
            Self::NotJudged => "not-judged",
        }
    }
}

/// A place in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub position: Position,
    /// What to underline, in bytes of the document's text.
    pub span: Span,
}

impl Place {
    /// The place of a span in the document of `lines`.
    pub fn of(lines: &Lines<'_>, span: Span) -> Self {
        Self { position: lines.position(span.start), span }
    }

    /// A fault names a line and a column; a document, where there is one, has the offset.
    fn of_fault(document: Option<&DocumentText>, fault: &ParseError) -> Self {
        let position = Position { line: fault.line, column: fault.column };
        let span = document.map_or_else(Span::default, |document| Span::empty(offset_of(document, position)));
        Self { position, span }
    }
}

/// The offset of a line and column in the document's text.
fn offset_of(document: &DocumentText, position: Position) -> usize {
    let text = document.text.as_str();
    let skipped = position.line.saturating_sub(document.first_line);
    let start = match skipped.checked_sub(1) {
        None => 0,
        Some(nth) => memchr::memchr_iter(b'\n', text.as_bytes()).nth(nth).map_or(text.len(), |at| at + 1),
    };
    let before = if skipped == 0 { document.first_column } else { 1 };
    let characters = text.get(start..).unwrap_or_default().char_indices();
    let at = characters.map(|(at, _)| start + at).nth(position.column.saturating_sub(before));
    at.unwrap_or(text.len())
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The enforced policy is violated: the object is denied.
    Error,
    /// The policy of the warn mode is.
    Warning,
}

/// What one check found in an object.
#[derive(Debug)]
pub struct Located {
    pub severity: Severity,
    /// The policy that asks for the check.
    pub policy: LevelVersion,
    pub finding: Finding,
    /// The place of each violation, and whether the whole of its path exists.
    pub places: Vec<(Place, bool)>,
}

/// As much text may the violations of one check repeat in one object, in bytes.
const REPEATED: usize = 1 << 20;

impl Located {
    /// Upstream's detail, for each violation: it speaks of all of them. Where it would be repeated so often that a hostile
    /// manifest had a report without measure, only the first violation has it, and each other has the detail of its own.
    pub fn details(&self) -> Vec<String> {
        let whole = self.finding.detail();
        let violations = &self.finding.violations;
        if whole.len().saturating_mul(violations.len()) <= REPEATED {
            return vec![whole; violations.len()];
        }
        let alone =
            |violation: &Violation| Finding { check: self.finding.check, violations: vec![violation.clone()] }.detail();
        std::iter::once(whole).chain(violations.iter().skip(1).map(alone)).collect()
    }
}
