//! The command line: a file a command. Everything is wired here; nothing is decided here.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "talking to a terminal is what this room is for")]

mod backends;
mod certificates;
mod check;
mod completions;
mod disable;
mod duration;
mod enable;
mod explain;
mod inject;
mod inputs;
mod installation;
mod keeping;
mod policies;
mod render;
mod review;
mod serve;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A validating and mutating admission controller for Kubernetes pods.
#[derive(Debug, Parser)]
#[command(name = "portcullis", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Arguments>),
    Check(check::Arguments),
    Review(review::Arguments),
    Inject(Box<inject::Arguments>),
    Uninject(inject::reverse::Arguments),
    Explain(explain::Arguments),
    Disable(disable::Arguments),
    Enable(enable::Arguments),
    Render(render::Arguments),
    Completions(completions::Arguments),
}

/// Runs the command that the arguments name. Exit code 0: clean; 1: findings; 2: something could not be done or judged.
pub fn run() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(*arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Inject(arguments) => inject::run(&arguments),
        Command::Uninject(arguments) => inject::reverse::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Disable(arguments) => disable::run(&arguments),
        Command::Enable(arguments) => enable::run(&arguments),
        Command::Render(arguments) => render::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("portcullis: {error:#}");
        ExitCode::from(2)
    })
}
