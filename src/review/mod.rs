//! The AdmissionReview v1 envelope: bytes to [`Request`](crate::engine::Request), [`Verdict`](crate::engine::Verdict) to bytes.
//!
//! The only place that knows the wire. The answer's uid is always the request's, and the request is never sent back.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, reason = "the review room is pure")]

mod decode;
mod encode;
mod envelope;
mod sketch;

pub use decode::{BadReview, decode};
pub use encode::encode;

#[cfg(test)]
mod tests;
