//! `portcullis inject`: carries out the documents on manifests, as the webhook would on their pods, and writes the manifests back with
//! the additions spliced in: comments, order and spelling stay.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::inputs::Judging;
use super::walk::Walk;
use crate::engine::mutation::{Patch, Weight};
use crate::engine::object::Workload;
use crate::engine::pod_security::LevelVersion;
use crate::engine::{Proposal, Snapshot, Subject, propose};
use crate::manifest::{
    DocumentText, Documents, Entry, Lines, Node, Object, Operation, OperationKind, ParseError, Span, Value, objects,
    parse, splice,
};

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
    /// Files, folders (their *.yaml, *.yml and *.json, recursively), and - for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    /// The namespace of objects that name none.
    #[arg(long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// Show what would change, as a unified diff.
    #[arg(long, conflicts_with = "in_place")]
    diff: bool,
    /// Write the files themselves.
    #[arg(short, long)]
    in_place: bool,
    /// Say on standard error what was decided about each pod, and why.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.judging.policies.is_empty() {
        bail!("nothing to carry out: name documents with --policies PATH");
    }
    let (snapshot, _) = arguments.judging.snapshot(LevelVersion::PRIVILEGED)?;
    let mut injector = Injector { arguments, snapshot: &snapshot, code: 0, has_written: false };
    for path in &arguments.paths {
        if path.is_dir() {
            for file in Walk::new(path) {
                let file =
                    file.map_err(|fault| fault.error).with_context(|| format!("cannot read {}", path.display()))?;
                injector.file(&file)?;
            }
        } else {
            injector.file(path)?;
        }
    }
    Ok(ExitCode::from(injector.code))
}

struct Injector<'a> {
    arguments: &'a Arguments,
    snapshot: &'a Snapshot,
    code: u8,
    has_written: bool,
}

impl Injector<'_> {
    fn file(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let before = read(path)?;
        let after = self.text(&name, &before);
        if self.arguments.in_place {
            if after != before {
                fs::write(path, after).with_context(|| format!("cannot write {name}"))?;
            }
            return Ok(());
        }
        let output = if self.arguments.diff { difference(&name, &before, &after) } else { after };
        let separator =
            if self.has_written && !self.arguments.diff && !output.starts_with("---") { "---\n" } else { "" };
        self.has_written |= !output.is_empty();
        write!(std::io::stdout().lock(), "{separator}{output}").context("cannot write the result")
    }

    /// The text with everything carried out in it. What cannot be read or edited stays as it is.
    fn text(&mut self, file: &str, text: &str) -> String {
        let starts: Vec<usize> =
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1)).collect();
        let (mut result, mut done) = (String::with_capacity(text.len() + 4096), 0);
        for document in Documents::new(text.as_bytes()) {
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    self.fault(file, &error);
                    continue;
                }
            };
            let line = starts.get(document.first_line - 1).copied().unwrap_or_default();
            let Some(start) = text.get(line..).and_then(|rest| rest.find(&document.text)).map(|at| line + at) else {
                continue;
            };
            result.push_str(text.get(done..start).unwrap_or_default());
            result.push_str(&self.document(file, &document));
            done = start + document.text.len();
        }
        result.push_str(text.get(done..).unwrap_or_default());
        result
    }

    fn document(&mut self, file: &str, document: &DocumentText) -> String {
        let root = match parse(document) {
            Ok(root) => root,
            Err(error) => {
                self.fault(file, &error);
                return document.text.clone();
            }
        };
        let mut operations = Vec::new();
        for object in objects(document, root) {
            match object {
                Ok(object) => operations.extend(self.object(file, document, &object)),
                Err(error) => self.fault(file, &error),
            }
        }
        splice(document, &operations).unwrap_or_else(|error| {
            eprintln!("{file}:{}: left as it is: {error}", document.first_line);
            self.code = 2;
            document.text.clone()
        })
    }

    fn object(&mut self, file: &str, document: &DocumentText, object: &Object) -> Vec<Operation> {
        let Some(pod) = PodIn::of(object) else { return Vec::new() };
        let namespace = object.namespace().unwrap_or(&self.arguments.namespace);
        let position = Lines::of(document).position(object.node.span.start);
        let title = format!(
            "{file}:{}: {}/{}",
            position.line,
            object.kind().unwrap_or_default(),
            object.name().unwrap_or_default()
        );
        let Some(known) = self.snapshot.namespace(namespace) else {
            eprintln!("{title}: the namespace {namespace:?} is not among those of --namespaces; left as it is");
            self.code = 2;
            return Vec::new();
        };
        let proposal = propose(&pod.json(object), namespace, known, self.snapshot, pod.subject);
        self.tell(&title, &proposal);
        if proposal.denial().is_some() {
            self.code = self.code.max(1);
            return Vec::new();
        }
        let prefix = object.prefix.split(['.', '[', ']']).filter(|token| !token.is_empty());
        let prefix: Vec<String> = prefix.chain(pod.path.iter().copied()).map(str::to_owned).collect();
        proposal.patch.map(|patch| operations(&patch, &prefix)).unwrap_or_default()
    }

    fn tell(&self, title: &str, proposal: &Proposal) {
        for note in &proposal.notes {
            if note.weight > Weight::Detail || self.arguments.explain {
                let kind = match note.weight {
                    Weight::Denied => "refused: ",
                    Weight::Warning | Weight::Skipped => "warning: ",
                    Weight::Detail => "",
                };
                eprintln!("{title}: {kind}{note}");
            }
        }
    }

    fn fault(&mut self, file: &str, error: &ParseError) {
        let hint = error.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        eprintln!("{file}:{}:{}: {}{hint}", error.line, error.column, error.message);
        self.code = 2;
    }
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    if path == Path::new("-") {
        std::io::stdin().lock().read_to_string(&mut text).context("standard input is not UTF-8 text")?;
    } else {
        text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    Ok(text)
}

fn difference(name: &str, before: &str, after: &str) -> String {
    similar::TextDiff::from_lines(before, after).unified_diff().header(name, name).to_string()
}

/// The pod of an object, or the template of one.
struct PodIn {
    /// Where it stands in its object.
    path: &'static [&'static str],
    subject: Subject,
    /// The kind of the pods' controller.
    owner: Option<&'static str>,
}

impl PodIn {
    fn of(object: &Object) -> Option<Self> {
        let (version, kind) = (object.api_version()?, object.kind()?);
        if (version, kind) == ("v1", "Pod") {
            return Some(Self { path: &[], subject: Subject::Pod, owner: None });
        }
        let (path, owner): (&[&str], _) = match Workload::of(version, kind)? {
            Workload::CronJob => (&["spec", "jobTemplate", "spec", "template"], Some("Job")),
            Workload::PodTemplate => (&["template"], None),
            Workload::Deployment => (&["spec", "template"], Some("ReplicaSet")),
            Workload::DaemonSet => (&["spec", "template"], Some("DaemonSet")),
            Workload::Job => (&["spec", "template"], Some("Job")),
            Workload::ReplicaSet => (&["spec", "template"], Some("ReplicaSet")),
            Workload::ReplicationController => (&["spec", "template"], Some("ReplicationController")),
            Workload::StatefulSet => (&["spec", "template"], Some("StatefulSet")),
        };
        Some(Self { path, subject: Subject::Template, owner })
    }

    /// The pod's JSON; that of a template says who its pods will belong to.
    fn json(&self, object: &Object) -> String {
        let found = self.path.iter().try_fold(&object.node, |node, key| node.field(key));
        let nothing = || Node { value: Value::Map(Vec::new()), span: Span::default() };
        let mut pod = found.cloned().unwrap_or_else(nothing);
        if let Some(owner) = self.owner {
            if pod.field("metadata").is_none_or(Node::is_null) {
                pod.set("metadata", nothing());
            }
            let text = |text: &str| Node { value: Value::String(text.to_owned()), span: Span::default() };
            let entry = |key: &str, value| Entry { key: key.to_owned(), key_span: Span::default(), value };
            let controls = Node { value: Value::Bool(true), span: Span::default() };
            let name = text(object.name().unwrap_or_default());
            let owner = vec![entry("kind", text(owner)), entry("name", name), entry("controller", controls)];
            let owner = Node { value: Value::Map(owner), span: Span::default() };
            let owners = Node { value: Value::List(vec![owner]), span: Span::default() };
            if let Some(metadata) = pod.field_mut("metadata") {
                metadata.set("ownerReferences", owners);
            }
        }
        let mut json = Vec::new();
        pod.write_json(&mut json);
        String::from_utf8_lossy(&json).into_owned()
    }
}

/// The operations of a patch, for the place where the pod stands in its document.
fn operations(patch: &Patch, prefix: &[String]) -> Vec<Operation> {
    let Ok(tree) = parse(&DocumentText::new(patch.json())) else { return Vec::new() };
    let operation = |node: &Node| {
        let kind = match node.field("op")?.text()? {
            "add" => OperationKind::Add,
            "replace" => OperationKind::Replace,
            _ => OperationKind::Remove,
        };
        let tokens =
            node.field("path")?.text()?.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
        let value = node.field("value").cloned().unwrap_or(Node { value: Value::Null, span: Span::default() });
        Some(Operation { kind, path: prefix.iter().cloned().chain(tokens).collect(), value })
    };
    tree.items().iter().filter_map(operation).collect()
}
