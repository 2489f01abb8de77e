//! YAML and JSON text to objects, with the place of every field.
//!
//! The way of a manifest: [`Documents`] cuts an input into documents, [`parse`] turns one document into a [`Node`],
//! [`objects`] takes the Kubernetes objects out of it, and [`apply_api_defaults`] fills in what the API server would.
//! Scalars mean what kubectl takes them to mean; every node knows where it is written. Where YAML's readers disagree
//! on a text, so that a field could hide from one of them, the text is refused rather than guessed at.
//!
//! Kept true: no files, environment or clock. Memory is bounded by the largest document, nesting and the number of
//! nodes are bounded, and no input panics. One bad document never hides the others.

mod default;
mod documents;
mod emit;
mod error;
mod hint;
mod json;
mod json_stream;
mod node;
mod objects;
mod open_map;
mod parse;
mod path;
mod place;
mod scalar;
mod splice;
mod word;
mod yaml;

#[cfg(test)]
mod tests;

pub use default::apply_api_defaults;
pub use documents::{DOCUMENT_LIMIT, DocumentText, Documents};
pub use error::ParseError;
pub use node::{Entry, Node, Value};
pub use objects::{Object, objects};
pub use parse::{DEPTH_LIMIT, NODE_LIMIT, parse};
pub use path::Found;
pub use place::{Lines, Position, Span};
pub use splice::{Operation, OperationKind, SpliceError, splice};
pub use word::word;
