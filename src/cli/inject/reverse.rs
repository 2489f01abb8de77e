//! `portcullis uninject`: takes back what documents added to manifests, spliced out of their text.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::tell;
use super::text::{Edit, Site, Texts};
use crate::cli::policies;
use crate::engine::mutation::{Documents, Node, Patch};

/// Take back what documents added to manifests.
///
/// Containers, volumes, variables, mounts, labels and annotations go, and rewritten probes are what they were. Where that is not known
/// any more, standard error says so. What PodDefaults filled in goes too where they would fill it in again to the letter; as its author may
/// have written it all the same, standard error lists it. Leave these documents out of --policies to keep it.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 when all is done, 2 when something could not be read or edited.

Examples:
  portcullis uninject --diff deployment.yaml --policies policies/log-shipper
  kubectl get deployment web -o yaml | portcullis uninject - --policies mine.yaml | kubectl apply -f -")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    texts: Texts,
    /// The documents of portcullis.dev/v1 that were carried out: a file or a folder; repeatable.
    #[arg(long, value_name = "PATH", required = true)]
    policies: Vec<PathBuf>,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let documents = policies::load(&arguments.policies)?;
    arguments.texts.edit(|site| uninject(&documents, site))
}

fn uninject(documents: &Documents, site: &Site<'_>) -> Edit {
    let json = site.pod.json(site.object);
    let mut pod = Node::new(json.as_str());
    let notes = documents.uninject(&mut pod);
    tell(&site.title, &notes, false);
    Edit::Change(Patch::of(&pod))
}
