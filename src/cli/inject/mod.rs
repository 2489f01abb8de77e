//! `portcullis inject`: carries out the documents on manifests, as the webhook would on their pods, and writes the manifests back with
//! the additions spliced in: comments, order and spelling stay. [`reverse`] takes them back.

mod pod;
pub(super) mod reverse;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::inputs::{Judging, ModeArgument, WorkloadsArgument};
use crate::engine::mutation::{Note, Weight};
use crate::engine::pod_security::LevelVersion;
use crate::engine::{Snapshot, Unread, passed_over, propose};
use text::{Edit, Site, Texts};

/// Carry out PodDefaults and SidecarInjections on manifests.
///
/// Reads Pods and the eight workload kinds from YAML and JSON, many documents and Lists included, and writes them with the additions
/// spliced in. Everything else passes to the letter.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: 0 when all is done, 1 when a document refuses a pod (which is written as it was),
2 when something could not be read or edited.

Examples:
  portcullis inject deployment.yaml --policies policies/log-shipper
  portcullis inject --diff manifests/ --policies mine.yaml --namespaces namespaces.yaml
  helm template shop ./chart | portcullis inject - --policies mine.yaml | kubectl apply -f -")]
pub(super) struct Arguments {
    #[command(flatten)]
    texts: Texts,
    /// Documents of portcullis.dev/v1 (PodDefaults, SidecarInjection): a file or a folder; repeatable.
    #[arg(long, value_name = "PATH", required = true)]
    policies: Vec<PathBuf>,
    /// Namespaces as kubectl prints them, whose labels count, with the LimitRanges, ServiceAccounts, PriorityClasses,
    /// RuntimeClasses and Nodes that documents look at; without it, every namespace is taken to exist without labels.
    #[arg(long, value_name = "FILE")]
    namespaces: Option<PathBuf>,
    /// A PodSecurityConfiguration: what the result is held against where a namespace's labels leave it open.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// Say on standard error what was decided about each pod, and why.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let judging = Judging {
        config: arguments.config.clone(),
        namespaces: arguments.namespaces.clone(),
        mode: ModeArgument::Enforce,
        workloads: WorkloadsArgument::Warn,
        policies: arguments.policies.clone(),
    };
    let (snapshot, _) = judging.snapshot(LevelVersion::PRIVILEGED)?;
    arguments.texts.edit(|site| inject(arguments, &snapshot, site))
}

fn inject(arguments: &Arguments, snapshot: &Snapshot, site: &Site<'_>) -> Edit {
    let Site { object, pod, title } = site;
    let name = object.namespace().unwrap_or(&arguments.namespace);
    let Some(namespace) = snapshot.namespace(name) else {
        eprintln!("{title}: left as it is: the namespace {name:?} is not among those of --namespaces");
        return Edit::Fail;
    };
    let json = pod.owned_json(object);
    let unread = Unread::of(&json);
    let proposal = propose(unread, name, namespace, snapshot, pod.subject);
    tell(title, &proposal.notes, arguments.explain);
    if arguments.explain {
        tell(title, &passed_over(unread, name, namespace, snapshot, pod.subject), true);
    }
    if proposal.denial().is_some() { Edit::Refuse } else { Edit::Change(proposal.patch) }
}

fn tell(title: &str, notes: &[Note], explain: bool) {
    for note in notes.iter().filter(|note| note.weight > Weight::Detail || explain) {
        let kind = match note.weight {
            Weight::Denied => "refused: ",
            Weight::Warning | Weight::Skipped => "warning: ",
            Weight::Detail => "",
        };
        eprintln!("{title}: {kind}{note}");
    }
}
