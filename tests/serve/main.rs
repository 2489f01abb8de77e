//! The server over loopback with real TLS: every answer of `docs/reference/http.md`, every limit, reloading, draining, and
//! the command itself. Limits are made small where time matters; no test asserts how fast something is.

mod client;
mod command;
mod drain;
mod faults;
mod harness;
mod limits;
mod metrics;
mod requests;
mod tls;
