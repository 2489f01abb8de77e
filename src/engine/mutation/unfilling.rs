//! Takes back what PodDefaults filled in. Nothing records that, so it is found by trying: what a document puts back to the letter as
//! soon as it is gone need not be written.
//!
//! Kept true: carried out on what is left, the documents give the pod that was there before. A document that would change that pod was
//! not carried out on it, and takes nothing. An author who wrote what a document fills in anyway loses it, unless the pod's managed
//! fields say that he did; so all of it is told.

use serde_json::{Value, json};

use super::authored::is_authored;
use super::documents::{Active, Documents, Part};
use super::plan::{Note, Plan, Reason, Reserved, Weight, World};
use super::selection::{Outcome, Selection};
use super::tree::Node;

/// A step down into a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

type Path = Vec<Step>;

impl Documents {
    /// Takes back what PodDefaults filled in, with a note for each container, or the pod, that loses something.
    pub(super) fn unfill(&self, pod: &mut Node<'_>) -> Vec<Note> {
        let Ok(before) = serde_json::from_str::<Value>(&pod.to_json()) else { return Vec::new() };
        let is_filler = |document: &&Active| matches!(document.part, Part::Defaults(_)) && document.may_be_for(pod);
        let fillers: Vec<&Active> = self.iter().map(AsRef::as_ref).filter(is_filler).collect();
        let fillers: Vec<&Active> =
            fillers.into_iter().filter(|filler| filled(&before, &[filler]).as_ref() == Some(&before)).collect();
        let mut notes: Vec<Note> = Vec::new();
        let mut left = before.clone();
        if fillers.is_empty() {
            return notes;
        }
        let filled_bare = filled(&json!({"metadata": {}, "spec": {}}), &fillers).unwrap_or_default();
        for path in candidates(&before, &filled_bare).into_iter().filter(|path| !is_authored(&before, path)) {
            let mut without = left.clone();
            if !take(&mut without, &path) || filled(&without, &fillers).as_ref() != Some(&before) {
                continue;
            }
            left = without;
            take_node(pod, &path);
            let by =
                fillers.iter().find(|filler| filled(&left, &[filler]).is_some_and(|pod| find(&pod, &path).is_some()));
            let (place, what) = in_words(&before, &path);
            tell(&mut notes, by.or(fillers.first()).map_or("", |filler| &filler.title), &place, &what);
        }
        notes
    }
}

impl Active {
    /// Whether the document can have been for the pod, in some namespace.
    fn may_be_for(&self, pod: &Node<'_>) -> bool {
        let mut selection: Selection = self.selection.clone();
        selection.r#match.namespace_selector = Default::default();
        selection.r#match.service_account_selector = Default::default();
        let decision = selection.decide(pod, &World::default());
        decision.outcome == Outcome::Applies || decision.reason == Reason::OptedOutByDefault
    }
}

/// The pod with what these documents fill in.
fn filled(pod: &Value, documents: &[&Active]) -> Option<Value> {
    let text = pod.to_string();
    let world = World { has_native_sidecars: true, ..World::default() };
    let mut plan = Plan {
        pod: Node::new(text.as_str()),
        world: &world,
        own_containers: Vec::new(),
        notes: Vec::new(),
        reserved: Reserved::default(),
    };
    for document in documents {
        let before = plan.pod.clone();
        document.run(&mut plan, || before);
    }
    serde_json::from_str(&plan.pod.to_json()).ok()
}

/// Volumes that writable places of a read-only file system are in are listed here.
const SAFE_TO_EVICT: &str = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes";

/// Every place that a document may have filled in; of a list the last first, as they append. `filled_bare` is what the documents make
/// of a pod of nothing.
fn candidates(pod: &Value, filled_bare: &Value) -> Vec<Path> {
    let mut paths = Vec::new();
    let spec = [Step::key("spec")];
    for list in ["initContainers", "containers"] {
        for index in 0..elements(pod, &["spec", list]) {
            container(pod, &[Step::key("spec"), Step::key(list), Step::Index(index)], &mut paths);
        }
    }
    for keys in [
        &["securityContext", "seccompProfile"] as &[&str],
        &["securityContext", "runAsNonRoot"],
        &["automountServiceAccountToken"],
    ] {
        paths.push(below(&spec, keys));
    }
    let terms = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
    let terms = below(&spec, &terms);
    for index in 0..find(pod, &terms).and_then(Value::as_array).map_or(0, Vec::len) {
        let term = [terms.clone(), vec![Step::Index(index)]].concat();
        each_element(pod, &term, &["matchExpressions"], &mut paths);
    }
    for list in [&["tolerations"] as &[&str], &["topologySpreadConstraints"], &["imagePullSecrets"], &["volumes"]] {
        each_element(pod, &spec, list, &mut paths);
    }
    each_element(pod, &spec, &["dnsConfig", "options"], &mut paths);
    for map in ["labels", "annotations"] {
        members(filled_bare, &[], &["metadata", map], &mut paths);
    }
    paths.push(below(&[], &["metadata", "annotations", SAFE_TO_EVICT]));
    paths
}

fn container(pod: &Value, at: &[Step], paths: &mut Vec<Path>) {
    for side in ["limits", "requests"] {
        members(pod, at, &["resources", side], paths);
    }
    for field in ["seccompProfile", "runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem"] {
        paths.push(below(at, &["securityContext", field]));
    }
    each_element(pod, at, &["securityContext", "capabilities", "drop"], paths);
    paths.push(below(at, &["readinessProbe"]));
    each_element(pod, at, &["volumeMounts"], paths);
}

fn members(pod: &Value, at: &[Step], keys: &[&str], paths: &mut Vec<Path>) {
    let at = below(at, keys);
    let members = find(pod, &at).and_then(Value::as_object);
    paths.extend(members.into_iter().flatten().map(|(key, _)| [at.clone(), vec![Step::key(key)]].concat()));
}

fn each_element(pod: &Value, at: &[Step], keys: &[&str], paths: &mut Vec<Path>) {
    let at = below(at, keys);
    let count = find(pod, &at).and_then(Value::as_array).map_or(0, Vec::len);
    paths.extend((0..count).rev().map(|index| [at.clone(), vec![Step::Index(index)]].concat()));
}

fn elements(pod: &Value, keys: &[&str]) -> usize {
    find(pod, &below(&[], keys)).and_then(Value::as_array).map_or(0, Vec::len)
}

fn below(at: &[Step], keys: &[&str]) -> Path {
    at.iter().cloned().chain(keys.iter().map(|key| Step::key(key))).collect()
}

fn find<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}

/// Removes what is there, and what has nothing in it any more: an empty term of an affinity would match no node.
fn take(value: &mut Value, path: &[Step]) -> bool {
    let Some((step, rest)) = path.split_first() else { return false };
    let is_last = rest.is_empty();
    match (step, value) {
        (Step::Key(key), Value::Object(members)) => {
            if is_last {
                return members.remove(key).is_some();
            }
            let Some(member) = members.get_mut(key) else { return false };
            let is_taken = take(member, rest);
            if is_taken && is_vacant(member) {
                members.remove(key);
            }
            is_taken
        }
        (Step::Index(index), Value::Array(list)) if *index < list.len() => {
            if is_last {
                list.remove(*index);
                return true;
            }
            let is_taken = list.get_mut(*index).is_some_and(|element| take(element, rest));
            if is_taken && list.get(*index).is_some_and(is_vacant) {
                list.remove(*index);
            }
            is_taken
        }
        _ => false,
    }
}

fn is_vacant(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// The same in the tree from which the patch is read.
fn take_node(node: &mut Node<'_>, path: &[Step]) {
    match path {
        [Step::Key(key)] => drop(node.remove(key)),
        [Step::Index(index)] => drop(node.take_item(*index)),
        [Step::Key(key), rest @ ..] => {
            if let Some(member) = node.member(key) {
                take_node(member, rest);
            }
            if node.get(key).is_some_and(Node::is_empty) {
                node.remove(key);
            }
        }
        [Step::Index(index), rest @ ..] => {
            let Some(element) = node.item(*index) else { return };
            take_node(element, rest);
            if element.is_empty() {
                node.take_item(*index);
            }
        }
        [] => {}
    }
}

/// Where it was, and what: `container "app"` and `resources.requests.cpu`.
fn in_words(pod: &Value, path: &[Step]) -> (String, String) {
    let (place, rest) = match path {
        [Step::Key(spec), Step::Key(list), index @ Step::Index(_), rest @ ..] if list.ends_with("ontainers") => {
            let container = [Step::key(spec), Step::key(list), index.clone(), Step::key("name")];
            (format!("container {:?}", find(pod, &container).and_then(Value::as_str).unwrap_or_default()), rest)
        }
        _ => ("pod".to_owned(), path),
    };
    let mut words = String::new();
    for step in rest {
        match step {
            Step::Key(key) if words.is_empty() => words.push_str(key),
            Step::Key(key) => words.extend([".", key]),
            Step::Index(index) => words.push_str(&format!("[{index}]")),
        }
    }
    (place, words)
}

/// Adds it to the note on this place.
fn tell(notes: &mut Vec<Note>, document: &str, place: &str, what: &str) {
    let is_about = |note: &&mut Note| note.document == document && note.about.starts_with(&format!("{place}, "));
    match notes.iter_mut().find(is_about) {
        Some(note) => note.about.extend([", ", what]),
        None => notes.push(Note {
            document: document.to_owned(),
            reason: Reason::DefaultTakenBack,
            about: format!("{place}, {what}"),
            weight: Weight::Warning,
        }),
    }
}

impl Step {
    fn key(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}
