//! Where the pod stands in an object that holds one: as JSON for the engine, and the engine's patch as edits of the manifest.

use crate::engine::Subject;
use crate::engine::mutation::Patch;
use crate::engine::object::Workload;
use crate::manifest::{DocumentText, Entry, Node, Object, Operation, OperationKind, Span, Value, parse};

/// The pod of an object, or the template of one.
pub(in crate::cli) struct PodIn {
    /// Where it stands in its object.
    path: &'static [&'static str],
    pub(in crate::cli) subject: Subject,
    /// The kind of the pods' controller.
    owner: Option<&'static str>,
}

impl PodIn {
    /// None for an object of another kind, or without a version that is known.
    pub(super) fn of(object: &Object) -> Option<Self> {
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

    /// The pod's JSON, as it is written.
    pub(in crate::cli) fn json(&self, object: &Object) -> String {
        self.node(object).to_json()
    }

    /// The pod's JSON; that of a template says who its pods will belong to.
    pub(in crate::cli) fn owned_json(&self, object: &Object) -> String {
        let mut pod = self.node(object);
        let Some(owner) = self.owner else { return pod.to_json() };
        let owner = map(vec![
            ("kind", text(owner)),
            ("name", text(object.name().unwrap_or_default())),
            ("controller", unwritten(Value::Bool(true))),
        ]);
        if pod.field("metadata").is_none_or(Node::is_null) {
            pod.set("metadata", map(Vec::new()));
        }
        if let Some(metadata) = pod.field_mut("metadata") {
            metadata.set("ownerReferences", unwritten(Value::List(vec![owner])));
        }
        pod.to_json()
    }

    fn node(&self, object: &Object) -> Node {
        let found = self.path.iter().try_fold(&object.node, |node, key| node.field(key));
        found.filter(|node| !node.is_null()).cloned().unwrap_or_else(|| map(Vec::new()))
    }

    /// The operations of the pod's patch, for the place where the pod stands in its document.
    pub(super) fn operations(&self, object: &Object, patch: &Patch) -> Vec<Operation> {
        let prefix = object.prefix.split(['.', '[', ']']).filter(|token| !token.is_empty());
        let prefix: Vec<String> = prefix.chain(self.path.iter().copied()).map(str::to_owned).collect();
        let Ok(tree) = parse(&DocumentText::new(patch.json())) else { return Vec::new() };
        tree.items().iter().filter_map(|node| operation(node, &prefix)).collect()
    }
}

fn operation(node: &Node, prefix: &[String]) -> Option<Operation> {
    let kind = match node.field("op")?.text()? {
        "add" => OperationKind::Add,
        "replace" => OperationKind::Replace,
        _ => OperationKind::Remove,
    };
    let tokens =
        node.field("path")?.text()?.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    let value = node.field("value").cloned().unwrap_or_else(|| unwritten(Value::Null));
    Some(Operation { kind, path: prefix.iter().cloned().chain(tokens).collect(), value })
}

/// A value that stands in no text.
fn unwritten(value: Value) -> Node {
    Node { value, span: Span::default() }
}

fn text(text: &str) -> Node {
    unwritten(Value::String(text.to_owned()))
}

fn map(entries: Vec<(&str, Node)>) -> Node {
    let entry = |(key, value): (&str, Node)| Entry { key: key.to_owned(), key_span: Span::default(), value };
    unwritten(Value::Map(entries.into_iter().map(entry).collect()))
}
