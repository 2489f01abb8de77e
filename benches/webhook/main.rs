//! `make bench`: what Portcullis costs, beside a null webhook that is made of the same hyper and rustls.
//!
//! Both get the same bytes from the same client, in turn, in the same run, each alone on a core. So a ratio is always
//! measured and never remembered. Every server is started anew for every slice, and is killed by its id.

mod bodies;
mod client;
mod instructions;
mod kernel;
mod load;
mod manifests;
mod null_server;
mod report;
mod server;
mod stage;
mod webhook;

use anyhow::Result;
use clap::Parser;
use report::Report;
use stage::{NULL_SERVER, Stage};
use std::io::{self, Write};

/// Compares Portcullis with a null webhook and writes target/bench/report.json.
#[derive(Parser)]
struct Options {
    /// The binary to measure instead of the one just built; `null` measures the null webhook against itself.
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_portcullis"))]
    ours: String,

    /// How many times both programs are started anew for each scenario; each then gets eight slices of the load.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// Small reviews in each slice; big ones are a quarter of that.
    #[arg(long, default_value_t = 1_600, value_parser = clap::value_parser!(u32).range(40..))]
    requests: u32,

    /// Manifests that `check` reads.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(10..))]
    manifests: u32,

    /// Measure only rows with this in their names, such as `validate small`, `start` or `instructions`.
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    only: String,

    /// A minute's work in seconds: one round of few requests, no callgrind. Shows that the bench works, and no more.
    #[arg(long)]
    quick: bool,

    /// Cargo hands this to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(NULL_SERVER) {
        return null_server::run(arguments);
    }
    let mut options = Options::parse();
    if options.quick {
        (options.rounds, options.requests, options.manifests) = (1, 100, 200);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(bench(&options))
}

async fn bench(options: &Options) -> Result<()> {
    let stage = Stage::set(&options.ours, &options.only)?;
    let mut report = Report::default();
    webhook::measure(&stage, usize::from(options.rounds), options.requests as usize, &mut report).await?;
    if !options.quick {
        instructions::measure(&stage, &webhook::scenarios(), &mut report).await?;
    }
    report.add(manifests::measure(&stage, options.manifests as usize)?);
    report.print()?;
    let path = stage.folder.join("report.json");
    report.write(&path)?;
    writeln!(io::stderr(), "written to {}", path.display())?;
    Ok(())
}
