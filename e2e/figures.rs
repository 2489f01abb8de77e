//! Figures behind a real API server: what a call costs beside a null webhook, and what a large cluster costs us.
//!
//! `make bench-cluster` compares, `make soak` fills etcd and watches. Neither is a test: both print what they measured, and
//! the second says where a goal was missed.

mod harness;

#[path = "../benches/webhook/kernel.rs"]
#[allow(dead_code, reason = "the other bench uses the rest of it")]
mod kernel;
#[path = "../benches/webhook/null_server.rs"]
#[allow(dead_code, reason = "the other bench uses the rest of it")]
mod null_server;
#[path = "../benches/webhook/report.rs"]
#[allow(dead_code, reason = "the other bench uses the rest of it")]
mod report;

#[path = "figures/compare.rs"]
mod compare;
#[path = "figures/fill.rs"]
mod fill;
#[path = "figures/pod.rs"]
mod pod;
#[path = "figures/soak.rs"]
mod soak;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// The word that turns this program into the null webhook.
const NULL_SERVER: &str = "null-server";

/// Measures Portcullis behind a real API server.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    what: What,

    /// Cargo hands this to every bench.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum What {
    /// CPU of the API server and latency, with Portcullis and with a null webhook in its place.
    Compare(compare::Options),
    /// Time to ready and memory in a large cluster.
    Soak(soak::Options),
}

fn main() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(NULL_SERVER) {
        null_server::run(arguments)?;
    }
    match Options::parse().what {
        What::Compare(options) => compare::run(&options).map(|()| ExitCode::SUCCESS),
        What::Soak(options) => soak::run(&options),
    }
}
