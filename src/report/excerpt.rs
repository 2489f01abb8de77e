//! Cuts out of a document the lines around some places, to be shown.
//!
//! Kept true: an excerpt is small however long the document or its lines are, and its ends are those of characters.

use super::Place;
use crate::manifest::{DocumentText, Span};

/// How far an excerpt reaches to either side of a place within one line, in bytes.
const REACH: usize = 240;
/// How large an excerpt with several places may be, in bytes.
const LIMIT: usize = 16 << 10;

/// Some lines of a document.
pub(super) struct Excerpt<'d> {
    pub(super) text: &'d str,
    /// The number of the first line in the whole input.
    pub(super) first_line: usize,
    /// Whether it begins where a line does, so that columns can be counted in it.
    pub(super) is_whole: bool,
    /// The offset of the text in its document.
    start: usize,
}

impl<'d> Excerpt<'d> {
    /// The lines that hold all of `places`, or nothing where they are too far apart.
    pub(super) fn around_all(document: &'d DocumentText, places: &[Place]) -> Option<Self> {
        let first = places.iter().min_by_key(|place| place.span.start)?;
        let last = places.iter().map(|place| place.span.start).max()?;
        let is_near = (last - first.span.start) as usize <= LIMIT;
        is_near.then(|| Self::between(document, *first, last as usize))
    }

    /// The line that holds the beginning of `place`.
    pub(super) fn around(document: &'d DocumentText, place: Place) -> Self {
        Self::between(document, place, place.span.start as usize)
    }

    fn between(document: &'d DocumentText, first: Place, last: usize) -> Self {
        let text = document.text.as_str();
        let start = line_start(text, (first.span.start as usize).min(text.len()));
        let lines = text.get(start..line_end(text, last.min(text.len()))).unwrap_or_default();
        let before = text.get(..start).unwrap_or_default();
        let is_whole = before.is_empty() && document.first_column == 1 || before.ends_with('\n');
        Self { text: lines, first_line: first.position.line, is_whole, start }
    }

    /// What to underline for a span of the document: at least one character, and nothing beyond the span's first line.
    pub(super) fn range(&self, span: Span) -> std::ops::Range<usize> {
        let start = (span.start as usize).saturating_sub(self.start).min(self.text.len());
        let end = (span.end as usize).saturating_sub(self.start).clamp(start, self.text.len());
        let within = self.text.get(start..end).unwrap_or_default();
        let line = within.lines().next().unwrap_or_default();
        if !line.is_empty() {
            return start..start + line.len();
        }
        let next = self.text.get(start..).unwrap_or_default().chars().next().filter(|next| !next.is_control());
        start..start + next.map_or(0, char::len_utf8)
    }
}

fn line_start(text: &str, at: usize) -> usize {
    let floor = floor_boundary(text, at.saturating_sub(REACH));
    let before = text.get(floor..at).unwrap_or_default();
    before.rfind('\n').map_or(floor, |newline| floor + newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    let ceiling = floor_boundary(text, (at + REACH).min(text.len()));
    let after = text.get(at..ceiling).unwrap_or_default();
    let end = after.find('\n').map_or(ceiling, |newline| at + newline);
    if text.get(at..end).is_some_and(|line| line.ends_with('\r')) { end - 1 } else { end }
}

/// The nearest beginning of a character at or before `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
