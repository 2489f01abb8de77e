//! The borrowing JSON decoder, behind one function.
//!
//! It reads what the target type asks for and skips the rest by matching brackets and quotes, sixty-four bytes at a time.
//! What is skipped is not validated: the API server writes its own JSON, and a reader of human input checks it first.
//! Whatever stock serde_json accepts is accepted here with the same value (`fuzz/decode` and the tests below hold the two
//! against each other), and every error leaves the object undecoded, which is a denial.

mod cursor;
mod decoder;
mod quote;
mod scan;

pub use cursor::{Cursor, member};
pub use quote::quote;

use serde::Deserialize;

/// Why a text was not decoded, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} at byte {}", .0.what, .0.at)]
pub struct DecodeError(Box<Failure>); // Boxed, so that what succeeds is handed on in registers.

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    what: String,
    at: usize,
}

impl DecodeError {
    /// The offset in bytes from the start of the text.
    pub fn at(&self) -> usize {
        self.0.at
    }
}

/// Decodes the whole of `text` as one JSON value, borrowing its strings where they hold no escapes.
///
/// # Errors
/// The first thing that is not JSON, not UTF-8, not of the type asked for, or nested deeper than 128 levels in what is read.
pub fn from_slice<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, DecodeError> {
    decoder::decode(decoder::Decoder::of_bytes(text))
}

/// The same for a text that is known to be UTF-8, of which spans are cheaper.
///
/// # Errors
/// The first thing that is not JSON, not of the type asked for, or nested deeper than 128 levels in what is read.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, DecodeError> {
    decoder::decode(decoder::Decoder::of_text(text))
}

#[cfg(test)]
mod tests;
