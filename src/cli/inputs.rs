//! What commands read besides what they judge: the configuration, and what a cluster is taken to hold.
//!
//! Every error says which file, line and column, and what to write instead.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};

use super::policies;
use crate::engine::mutation::{
    LimitRanges, RuntimeClass, RuntimeClasses, ServiceAccounts, Surroundings, limits_of, priority_of,
};
use crate::engine::object::{StringMap, Text};
use crate::engine::pod_security::{Configuration, LevelVersion};
use crate::engine::{Mode, Snapshot, Unlisted, Workloads};
use crate::manifest::{DocumentText, Documents, Lines, Node, Object, ParseError, Value, objects, parse};

/// The arguments that say how requests are judged; the same for `serve` and `review`.
#[derive(Debug, Args)]
pub(super) struct Judging {
    /// A PodSecurityConfiguration (pod-security.admission.config.k8s.io): defaults for what labels leave open, and exemptions.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Namespaces as kubectl prints them, whose labels count; and Pods, for the dry run when a namespace's policy tightens. For
    /// --policies: LimitRanges, ServiceAccounts, PriorityClasses and RuntimeClasses too, and Nodes, for the version of their kubelets.
    #[arg(long, value_name = "FILE")]
    pub(super) namespaces: Option<PathBuf>,
    /// Whether anything is ever denied.
    #[arg(long, value_enum, default_value_t = ModeArgument::Enforce)]
    pub(super) mode: ModeArgument,
    /// What becomes of a workload whose pods would be refused; the namespace label portcullis.dev/workloads wins over it.
    #[arg(long, value_enum, default_value_t = WorkloadsArgument::Warn)]
    pub(super) workloads: WorkloadsArgument,
    /// Documents of portcullis.dev/v1 (PodDefaults, SidecarInjection): a file or a folder; repeatable.
    #[arg(long, value_name = "PATH")]
    pub(super) policies: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModeArgument {
    /// Deny what the policies forbid.
    Enforce,
    /// Deny nothing; report everything that would have been denied.
    Audit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum WorkloadsArgument {
    /// Admit it with a warning, as upstream does; its pods are refused later.
    Warn,
    /// Refuse it as well.
    Deny,
}

impl Judging {
    /// The snapshot that these arguments describe, where `otherwise` is the policy without a configuration; and the pods.
    pub(super) fn snapshot(&self, otherwise: LevelVersion) -> Result<(Snapshot, Pods)> {
        let world = self.namespaces.as_deref().map(World::read).transpose()?;
        let unlisted = if world.is_some() { Unlisted::Unknown } else { Unlisted::Unlabelled };
        let world = world.unwrap_or_default();
        let mut snapshot = self.rules(otherwise, unlisted)?;
        for (name, NamespaceGiven { labels, annotations }) in &world.namespaces {
            snapshot.insert_annotated_namespace(name, labels, annotations);
        }
        let asked = snapshot.documents().asks().service_account_labels.clone();
        snapshot.surroundings = Arc::new(world.surroundings(ServiceAccounts::keeping(asked)));
        Ok((snapshot, world.pods))
    }

    /// The same without any namespace.
    pub(super) fn rules(&self, otherwise: LevelVersion, unlisted: Unlisted) -> Result<Snapshot> {
        let configuration = match &self.config {
            Some(path) => configuration(path)?,
            None => Configuration::uniform(otherwise),
        };
        let documents = policies::load(&self.policies)?;
        let mut snapshot = Snapshot::new(configuration, unlisted).with_documents(Arc::new(documents));
        snapshot.surroundings = Arc::new(World::default().surroundings(ServiceAccounts::default()));
        snapshot.mode = match self.mode {
            ModeArgument::Enforce => Mode::Enforce,
            ModeArgument::Audit => Mode::Audit,
        };
        snapshot.workloads = match self.workloads {
            WorkloadsArgument::Warn => Workloads::Warn,
            WorkloadsArgument::Deny => Workloads::Deny,
        };
        Ok(snapshot)
    }
}

/// Reads a PodSecurityConfiguration as strictly as upstream does; an empty file is the default one.
pub(super) fn configuration(path: &Path) -> Result<Configuration> {
    let mut documents = documents(path)?;
    let document = match documents.next() {
        None => return Ok(Configuration::default()),
        Some(document) => document.map_err(|error| placed(path, &error))?,
    };
    if let Some(Ok(second)) = documents.next() {
        bail!("{}:{}: a second document; a configuration is one", path.display(), second.first_line);
    }
    let node = parse(&document).map_err(|error| placed(path, &error))?;
    let value =
        serde_json::from_str(&node.to_json()).with_context(|| format!("{}: not a configuration", path.display()))?;
    Configuration::read(&value).map_err(|errors| {
        let lines = Lines::of(&document);
        let texts: Vec<String> = errors
            .iter()
            .map(|error| {
                let position = lines.position(node.find(&error.path).span.start);
                format!("{}:{}:{}: {error}", path.display(), position.line, position.column)
            })
            .collect();
        anyhow!(texts.join("\n"))
    })
}

/// Pods as JSON by namespace, each list in the order of its file.
pub(super) type Pods = BTreeMap<String, Vec<Box<[u8]>>>;

/// What a file says exists.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) namespaces: BTreeMap<String, NamespaceGiven>,
    pub(super) pods: Pods,
    /// By namespace and name: the labels.
    service_accounts: BTreeMap<(String, String), StringMap<'static>>,
    limit_ranges: LimitRanges,
    priority_classes: BTreeMap<Box<str>, (i32, Box<str>)>,
    runtime_classes: RuntimeClasses,
    /// Whether a node to which pods may go has a kubelet that does not know native sidecars.
    has_old_kubelet: bool,
}

/// A namespace that a file says exists.
#[derive(Debug, Default)]
pub(super) struct NamespaceGiven {
    pub(super) labels: StringMap<'static>,
    pub(super) annotations: StringMap<'static>,
}

impl World {
    /// Reads objects of the kinds that count, single, in Lists or as many documents.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let mut world = Self::default();
        for document in documents(path)? {
            let document = document.map_err(|error| placed(path, &error))?;
            let root = parse(&document).map_err(|error| placed(path, &error))?;
            for object in objects(&document, root) {
                let object = object.map_err(|error| placed(path, &error))?;
                world.add(&object).map_err(|(node, problem)| {
                    let position = document.position(node.span.start);
                    anyhow!("{}:{}:{}: {problem}", path.display(), position.line, position.column)
                })?;
            }
        }
        Ok(world)
    }

    fn add<'n>(&mut self, object: &'n Object) -> Result<(), (&'n Node, String)> {
        let node = &object.node;
        let name = object.name().unwrap_or_default().to_owned();
        let namespace = object.namespace().unwrap_or("default");
        let unreadable = |error: serde_json::Error| (node, error.to_string());
        match (object.api_version(), object.kind()) {
            (Some("v1"), Some("Namespace")) => {
                let given = NamespaceGiven { labels: labels(node)?, annotations: texts(node, "annotations")? };
                if self.namespaces.insert(name.clone(), given).is_some() {
                    return Err((node, format!("the namespace {name:?} stands here twice; leave one out")));
                }
            }
            (Some("v1"), Some("Pod")) => {
                let pod = node.to_json().into_bytes().into_boxed_slice();
                self.pods.entry(namespace.to_owned()).or_default().push(pod);
            }
            (Some("v1"), Some("ServiceAccount")) => {
                self.service_accounts.insert((namespace.to_owned(), name), labels(node)?);
            }
            (Some("v1"), Some("LimitRange")) => {
                let limits = limits_of(&node.to_json()).map_err(unreadable)?;
                self.limit_ranges.entry(namespace.into()).or_default().push((name.into(), limits));
            }
            (Some("scheduling.k8s.io/v1"), Some("PriorityClass")) => {
                self.priority_classes.insert(name.into(), priority_of(&node.to_json()).map_err(unreadable)?);
            }
            (Some("node.k8s.io/v1"), Some("RuntimeClass")) => {
                self.runtime_classes.insert(name.into(), RuntimeClass::read(&node.to_json()).map_err(unreadable)?);
            }
            (Some("v1"), Some("Node")) => self.has_old_kubelet |= is_old(node)?,
            (_, kind) => {
                return Err((node, format!("found {}; {READ_HERE}", kind.unwrap_or("an object without a kind"))));
            }
        }
        Ok(())
    }

    /// What documents need to know beside namespaces. Without a cluster and its nodes nobody knows of old kubelets.
    fn surroundings(&self, mut service_accounts: ServiceAccounts) -> Surroundings {
        for ((namespace, name), labels) in &self.service_accounts {
            let labels = service_accounts.kept_of(labels);
            service_accounts.put(namespace, name, Arc::new(labels));
        }
        Surroundings {
            limit_ranges: Arc::new(self.limit_ranges.clone()),
            priority_classes: self.priority_classes.clone(),
            runtime_classes: self.runtime_classes.clone(),
            service_accounts,
            has_native_sidecars: !self.has_old_kubelet,
        }
    }
}

const READ_HERE: &str = "only objects of the kinds Namespace, Pod, ServiceAccount, LimitRange, Node (v1), PriorityClass \
                         (scheduling.k8s.io/v1) and RuntimeClass (node.k8s.io/v1) are read here";

/// The first minor version whose kubelets know native sidecars without being told to (KEP-753).
const FIRST_WITH_NATIVE_SIDECARS: u32 = 29;

/// Whether a node takes pods and its kubelet, by `status.nodeInfo.kubeletVersion`, is older than native sidecars.
fn is_old(object: &Node) -> Result<bool, (&Node, String)> {
    let is_cordoned = object.field("spec").and_then(|spec| spec.field("unschedulable"));
    if is_cordoned.is_some_and(|found| found.value == Value::Bool(true)) {
        return Ok(false);
    }
    let info = object.field("status").and_then(|status| status.field("nodeInfo"));
    let Some(version) = info.and_then(|info| info.field("kubeletVersion")) else {
        return Err((object, "the node does not say its status.nodeInfo.kubeletVersion".to_owned()));
    };
    let text = version.text().unwrap_or_default();
    if text.is_empty() {
        // Its kubelet has never reported, so no pod is there.
        return Ok(false);
    }
    let minor = text.strip_prefix("v1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    minor
        .map(|minor| minor < FIRST_WITH_NATIVE_SIDECARS)
        .ok_or_else(|| (version, format!("{text:?} is no version of a kubelet, such as v1.33.2")))
}

/// The labels of an object, each a string.
pub(super) fn labels(object: &Node) -> Result<StringMap<'static>, (&Node, String)> {
    texts(object, "labels")
}

/// The labels or the annotations of an object.
fn texts<'n>(object: &'n Node, field: &str) -> Result<StringMap<'static>, (&'n Node, String)> {
    let labels = object.field("metadata").and_then(|metadata| metadata.field(field));
    let mut pairs = Vec::new();
    for entry in labels.map(Node::entries).unwrap_or_default() {
        let value = match &entry.value.value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            _ => {
                let (what, found) = (field.trim_end_matches('s'), entry.value.describe());
                return Err((&entry.value, format!("the {what} {:?} is {found}; put it in quotes", entry.key)));
            }
        };
        pairs.push((Text::from(entry.key.clone()), Text::from(value)));
    }
    Ok(pairs.into_iter().collect())
}

fn documents(path: &Path) -> Result<impl Iterator<Item = Result<DocumentText, ParseError>> + use<>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Documents::new(BufReader::new(file)))
}

fn placed(path: &Path, error: &ParseError) -> anyhow::Error {
    anyhow!(error.within(path.display()))
}
