//! `portcullis check`: judges manifests before they reach a cluster.
//!
//! Two passes over the inputs: the first collects the labels of Namespaces, wherever they stand; the second judges, a batch
//! of documents at a time. What is kept in memory does not grow with the number of objects.

mod judge;
mod namespaces;
mod pipeline;
mod progress;
mod sources;
mod units;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use self::judge::Judge;
use self::sources::Source;
use super::inputs::{World, configuration};
use crate::engine::object::StringMap;
use crate::engine::pod_security::{Configuration, Level, LevelVersion, Policy, UnknownLevel, Version};
use crate::engine::{Snapshot, Unlisted, WORKLOADS_LABEL, Workloads};
use crate::report::{Format, Look, Writer};

/// Judge manifests before they reach a cluster.
///
/// Reads Pods and the eight workload kinds from YAML and JSON, many documents and Lists included, and says what the Pod
/// Security Standards forbid in them, where, and what to write instead. A workload is judged by its pod template, as its
/// pods will be. Objects of other kinds pass.
#[derive(Debug, Args)]
#[command(disable_version_flag = true, after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Files, folders (their *.yaml, *.yml and *.json, recursively; hidden ones left out), and - for standard input.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The level to judge by [default: restricted, or that of --config].
    #[arg(long, value_parser = level_parser())]
    level: Option<Level>,
    /// The policy version to judge by, latest or v1.N [default: latest, or that of --config].
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,
    /// Namespaces as kubectl prints them, whose labels count.
    #[arg(long, value_name = "FILE")]
    namespaces: Option<PathBuf>,
    /// A PodSecurityConfiguration (pod-security.admission.config.k8s.io): defaults for what labels leave open, and exemptions.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// How to write the findings.
    #[arg(short, long, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// When to use colours; auto looks at the terminal, NO_COLOR, CLICOLOR and CLICOLOR_FORCE.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    color: Color,
    /// Show notes, and name the objects that pass.
    #[arg(short, long)]
    verbose: bool,
}

const AFTER_HELP: &str = "\
What an object is judged by, the first that says something:
  1. the labels of its namespace, from a Namespace among the inputs, else from --namespaces
  2. --level and --version
  3. the defaults of --config
  4. restricted, latest
The exemptions of --config always hold.

Exit code: 0 when nothing is denied (there may be warnings), 1 when something is,
2 when something could not be judged.

Examples:
  portcullis check manifests/
  helm template shop ./chart | portcullis check - --namespace shop
  kustomize build overlays/production | portcullis check -o json -
  kubectl get namespaces -o yaml > namespaces.yaml
  portcullis check manifests/ --namespaces namespaces.yaml";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// One array of objects.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit's XML, for test reports.
    Junit,
    /// Workflow commands, for annotations in GitHub Actions.
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

fn level_parser() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::name))
        .try_map(|name| -> Result<Level, UnknownLevel> { name.parse() })
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.paths.is_empty() {
        bail!(
            "nothing to check: name files or folders, or - for standard input\n\
             for example: portcullis check manifests/\n             \
             helm template ./chart | portcullis check -"
        );
    }
    let mut snapshot = snapshot(arguments)?;
    let sources: Vec<Source> = arguments.paths.iter().map(|path| Source::open(path)).collect();
    let total = namespaces::collect(&sources, |name, labels| insert(&mut snapshot, name, labels));
    let judge = Judge {
        snapshot: &snapshot,
        namespace: &arguments.namespace,
        knows_namespaces: arguments.namespaces.is_some(),
    };
    let writer = Writer { format: arguments.output.into(), look: look(arguments) };
    let summary = pipeline::run(&sources, &judge, writer, total)?;
    Ok(ExitCode::from(summary.exit_code()))
}

fn snapshot(arguments: &Arguments) -> Result<Snapshot> {
    let base = match &arguments.config {
        Some(path) => configuration(path)?,
        None => Configuration {
            // Enforced alone, so that a namespace whose labels ask for less is not warned of more.
            defaults: Policy { enforce: LevelVersion::RESTRICTED, ..Policy::default() },
            ..Configuration::default()
        },
    };
    let mut snapshot = Snapshot::new(overridden(base, arguments), Unlisted::Unlabelled);
    snapshot.workloads = Workloads::Deny;
    if let Some(path) = &arguments.namespaces {
        for (name, namespace) in &World::read(path)?.namespaces {
            insert(&mut snapshot, name, &namespace.labels);
        }
    }
    Ok(snapshot)
}

fn overridden(base: Configuration, arguments: &Arguments) -> Configuration {
    let mut configuration = base;
    let enforce = &mut configuration.defaults.enforce;
    enforce.level = arguments.level.unwrap_or(enforce.level);
    enforce.version = arguments.version.unwrap_or(enforce.version);
    configuration
}

/// Adds a namespace. That it would only warn of workloads plays no part: here they are judged as their pods will be.
fn insert(snapshot: &mut Snapshot, name: &str, labels: &StringMap<'_>) {
    let kept = labels.iter().filter(|(key, _)| *key != WORKLOADS_LABEL);
    let labels: StringMap<'_> = kept.map(|(key, value)| (key.into(), value.into())).collect();
    snapshot.insert_namespace(name, &labels);
}

/// How the output looks, by the flags and by what the streams are.
fn look(arguments: &Arguments) -> Look {
    let wanted = |automatic: anstream::ColorChoice| match arguments.color {
        Color::Auto => automatic != anstream::ColorChoice::Never,
        Color::Always => true,
        Color::Never => false,
    };
    let width = if std::io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
    Look {
        color: wanted(anstream::AutoStream::choice(&std::io::stdout())),
        color_of_faults: wanted(anstream::AutoStream::choice(&std::io::stderr())),
        width: width.map_or(WIDTH, |(width, _)| usize::from(width.0).max(40)),
        verbose: arguments.verbose,
    }
}

/// Columns where no terminal says how many it has.
const WIDTH: usize = 120;

impl From<Output> for Format {
    fn from(output: Output) -> Self {
        match output {
            Output::Text => Self::Text,
            Output::Json => Self::Json,
            Output::Sarif => Self::Sarif,
            Output::Junit => Self::Junit,
            Output::Github => Self::Github,
        }
    }
}
