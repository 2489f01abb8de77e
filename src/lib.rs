//! Portcullis: a validating and mutating admission controller for Kubernetes pods.
//!
//! Everything that it says comes out of one pure function, [`engine::decide`]. The rooms, in reading order:

#![warn(unreachable_pub)]
#![cfg_attr(not(test), warn(clippy::needless_pass_by_value))]
// No panics: each exception says why. Only the command line prints.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::exit
    )
)]

pub mod engine;
pub mod manifest;
pub mod review;

pub mod certs;
pub mod cluster;
pub mod report;
pub mod serve;
pub mod telemetry;

pub mod cli;
