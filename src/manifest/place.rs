//! Places in a text: spans of bytes, and the lines and columns that people read.
//!
//! Kept true: turning an offset into a line and a column costs a bounded amount of work, also in a text of one line.

use super::DocumentText;

/// A range of bytes in the text of one document: `start` is the first byte, `end` the byte after the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The span between two byte offsets. Offsets beyond 4 GiB do not occur: documents are far smaller.
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }

    /// A span without text, at `offset`.
    pub fn empty(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// True when the span holds no text, as that of a value which is not written (`key:`).
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The bytes of the span, for slicing the text of its document.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A place for people: line and column, both counted from 1 within the whole input; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Characters are counted up front in steps of this many bytes.
const STEP: usize = 4096;

/// An index of a document's lines. Worth keeping while several places of the same document are looked up.
pub struct Lines<'a> {
    document: &'a DocumentText,
    /// The offset at which each line begins.
    starts: Vec<usize>,
    /// The number of characters that begin before each multiple of [`STEP`].
    steps: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Reads through the document's text once.
    pub fn of(document: &'a DocumentText) -> Self {
        let bytes = document.text.as_bytes();
        let starts = std::iter::once(0).chain(memchr::memchr_iter(b'\n', bytes).map(|at| at + 1)).collect();
        let mut steps = vec![0];
        let mut total = 0;
        for chunk in bytes.chunks(STEP) {
            total += characters(chunk);
            steps.push(total);
        }
        Self { document, starts, steps }
    }

    /// The line and column of a byte offset in the document's text.
    pub fn position(&self, offset: u32) -> Position {
        let offset = (offset as usize).min(self.document.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let before = if line == 0 { self.document.first_column.saturating_sub(1) } else { 0 };
        let column = before + self.characters_before(offset) - self.characters_before(start) + 1;
        Position { line: self.document.first_line + line, column }
    }

    fn characters_before(&self, offset: usize) -> usize {
        let step = offset / STEP;
        let counted = self.steps.get(step).copied().unwrap_or(0);
        let rest = self.document.text.as_bytes().get(step * STEP..offset).unwrap_or_default();
        counted + characters(rest)
    }
}

/// The number of characters that begin in these bytes of UTF-8.
pub(super) fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}
