//! Portcullis: a validating and mutating admission controller for Kubernetes pods.
//!
//! Everything that it says comes out of one pure function, [`engine::decide`]. The rooms, in reading order:

#![warn(unreachable_pub)]

pub mod engine;
pub mod manifest;
pub mod review;

pub mod certs;
pub mod report;
pub mod serve;
pub mod telemetry;

pub mod cli;
