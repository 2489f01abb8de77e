//! Portcullis beside upstream: the same question to both, and what differs in the answers.
//!
//! Equal means equal to the letter, but for the texts of Go's own decoder, which nobody else can speak.

pub mod metrics;
pub mod pods;
pub mod reviews;

use serde_json::Value;

/// Something on which Portcullis and upstream disagree.
#[derive(Debug)]
pub struct Difference {
    pub kind: Kind,
    pub place: String,
    pub upstream: String,
    pub ours: String,
}

/// How bad a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One allows what the other denies, or answers where the other does not.
    Verdict,
    /// Both decide alike, and say or count something else.
    Text,
}

impl Difference {
    pub fn verdict(place: &str, upstream: &impl ToString, ours: &impl ToString) -> Self {
        Self { kind: Kind::Verdict, place: place.into(), upstream: upstream.to_string(), ours: ours.to_string() }
    }

    pub fn text(place: &str, upstream: &impl ToString, ours: &impl ToString) -> Self {
        Self { kind: Kind::Text, place: place.into(), upstream: upstream.to_string(), ours: ours.to_string() }
    }
}

/// Whether a question is one of this kind, which it is no more when the shrinking took that away.
pub fn asks(question: &Value, op: &str) -> bool {
    question.get("op").and_then(Value::as_str) == Some(op)
}

/// A comparison of one question with upstream's answer to it; none if they agree.
pub type Comparison = fn(question: &Value, upstream: &Value) -> Option<Difference>;
