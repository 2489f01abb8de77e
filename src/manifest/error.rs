//! The room's one error: what is wrong with a text, where, and what to do instead.

use std::fmt::Display;

use super::Position;

/// Text that cannot be read as a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ParseError {
    /// Counted from 1 within the whole input.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do instead, where that is known.
    pub hint: Option<String>,
}

impl ParseError {
    pub(super) fn new(position: Position, fault: Fault) -> Self {
        let Position { line, column } = position;
        Self { line, column, message: fault.message, hint: fault.hint }
    }

    /// All that is known of it, on one line, for a text of this name: `FILE:LINE:COLUMN: MESSAGE (HINT)`.
    pub fn within(&self, file: impl Display) -> String {
        let Self { line, column, message, hint } = self;
        let hint = hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        format!("{file}:{line}:{column}: {message}{hint}")
    }
}

/// An error whose places are still offsets in the document's text.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// A second place that the message is to name, after these words.
    pub(super) also: Option<(&'static str, u32)>,
}

impl Fault {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into(), hint: None, also: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn also(self, words: &'static str, offset: u32) -> Self {
        Self { also: Some((words, offset)), ..self }
    }
}
