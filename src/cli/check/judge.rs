//! Judges the objects of a document: a request as the API server would send it for each, and the one decision function.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::units::{Read, Text, Unit};
use crate::engine::object::{GroupVersionKind, Object, Workload};
use crate::engine::pod_security::quote;
use crate::engine::{
    Annotation, Carried, Details, Event, Facts, ObjectKind, Operation, Phase, Request, Resource, Snapshot, Status,
    Verdict, decide, json,
};
use crate::manifest::{DocumentText, Lines, Node, Object as Manifest, Span, Value, apply_api_defaults, objects, parse};
use crate::report::{Answer, Outcome, Place, findings, warnings};

/// What objects are judged by.
pub(super) struct Judge<'s> {
    pub(super) snapshot: &'s Snapshot,
    /// The namespace of objects that name none.
    pub(super) namespace: &'s str,
    /// Whether the user said which namespaces there are.
    pub(super) knows_namespaces: bool,
}

/// Where a kind belongs.
enum Judged {
    /// The API group and plural by which requests for it come.
    As(&'static str, &'static str),
    /// Its kind is not judged.
    Other,
    /// What is wrong with what it says of itself, and what to do instead.
    Misnamed(String, String),
}

impl Judge<'_> {
    /// What becomes of everything in a unit.
    pub(super) fn unit<'u>(&self, unit: &'u Unit) -> Vec<Outcome<'u>> {
        let mut outcomes = Vec::new();
        for text in &unit.texts {
            self.text(text, &mut outcomes);
        }
        outcomes
    }

    fn text<'u>(&self, text: &'u Text, outcomes: &mut Vec<Outcome<'u>>) {
        let file = &*text.file;
        match &text.content {
            Read::Unreadable(why) => outcomes.push(Outcome::of_input(file, &why.message, &why.hint)),
            Read::Fault(fault) => outcomes.push(Outcome::of_fault(file, None, fault.clone())),
            Read::Document(document) => {
                let before = outcomes.len();
                let judged = catch_unwind(AssertUnwindSafe(|| self.document(file, document, outcomes)));
                if judged.is_err() {
                    outcomes.truncate(before);
                    let hint = "please report it, with the document if you can";
                    outcomes.push(Outcome::of_input(file, "a fault of Portcullis interrupted the judging", hint));
                }
            }
        }
    }

    fn document<'u>(&self, file: &'u str, document: &'u DocumentText, outcomes: &mut Vec<Outcome<'u>>) {
        let root = match parse(document) {
            Ok(root) => root,
            Err(fault) => return outcomes.push(Outcome::of_fault(file, Some(document), fault)),
        };
        let lines = Lines::of(document);
        if root.is_null() {
            let place = Place::of(&lines, root.span);
            let message = "the document is null, so that there is nothing to judge";
            let blank = Outcome::new(file, Some(document), Answer::NotJudged);
            let hint = Some("remove it, or write an object with `apiVersion` and `kind`".to_owned());
            return outcomes.push(Outcome { place: Some(place), message: message.to_owned(), hint, ..blank });
        }
        for object in objects(document, root) {
            outcomes.push(match object {
                Ok(object) => self.object(Outcome::new(file, Some(document), Answer::Allow), object, &lines),
                Err(fault) => Outcome::of_fault(file, Some(document), fault),
            });
        }
    }

    fn object<'u>(&self, blank: Outcome<'u>, object: Manifest, lines: &Lines<'_>) -> Outcome<'u> {
        let mut outcome = blank;
        outcome.place = Some(Place::of(lines, beginning(&object.node)));
        outcome.kind = object.kind().unwrap_or_default().to_owned();
        outcome.namespace = object.namespace().unwrap_or_default().to_owned();
        outcome.name = name_of(&object);
        match classify(&object, outcome.file) {
            Judged::As(group, resource) => self.judge(&mut outcome, object.node, (group, resource), lines),
            Judged::Other => {
                outcome.answer = Answer::PassedOver;
                outcome.notes.push("objects of this kind are not judged".to_owned());
            }
            Judged::Misnamed(message, hint) => {
                outcome.answer = Answer::NotJudged;
                (outcome.message, outcome.hint) = (message, Some(hint));
            }
        }
        outcome
    }

    fn judge(&self, outcome: &mut Outcome<'_>, mut node: Node, (group, resource): (&str, &str), lines: &Lines<'_>) {
        apply_api_defaults(&mut node);
        let mut text = Vec::new();
        node.write_json(&mut text);
        let object = match json::from_slice::<Object<'_>>(&text) {
            Ok(object) => object,
            Err(error) => return undecodable(outcome, &error, &node, lines),
        };
        if resource == "namespaces" {
            outcome.namespace.clone_from(&outcome.name);
        } else if outcome.namespace.is_empty() {
            self.namespace.clone_into(&mut outcome.namespace);
        }
        let request = request(outcome, group, resource, object);
        let verdict = decide(&request, self.snapshot, &Facts::default());
        record(outcome, &verdict);
        outcome.findings = findings(&verdict, &node, lines);
        if resource == "namespaces" {
            outcome.namespace.clear();
            note_namespace(outcome);
        } else if self.knows_namespaces && !self.snapshot.lists_namespace(&outcome.namespace) {
            outcome.namespace_unlisted = true;
            outcome.notes.push(format!("its namespace {:?} is not listed; judged by the defaults", outcome.namespace));
        }
    }
}

/// The first key, so that the place of an object is where its text begins.
fn beginning(node: &Node) -> Span {
    node.entries().first().map_or(node.span, |entry| entry.key_span)
}

fn name_of(object: &Manifest) -> String {
    let metadata = object.node.field("metadata");
    let field =
        |key| metadata.and_then(|metadata| metadata.field(key)).and_then(Node::text).filter(|text| !text.is_empty());
    field("name").or_else(|| field("generateName")).unwrap_or_default().to_owned()
}

fn classify(object: &Manifest, file: &str) -> Judged {
    let (Some(version), Some(kind)) = (object.api_version(), object.kind()) else {
        return nameless(object, file);
    };
    if version == "v1" && kind == "Pod" {
        return Judged::As("", "pods");
    }
    if version == "v1" && kind == "Namespace" {
        return Judged::As("", "namespaces");
    }
    if let Some((_, known, kind, resource)) = Workload::ALL.iter().find(|row| row.1 == version && row.2 == kind) {
        return Judged::As(GroupVersionKind::of(known, kind).group, resource);
    }
    misplaced(version, kind).unwrap_or(Judged::Other)
}

/// An object that does not say what it is. A kustomization need not.
fn nameless(object: &Manifest, file: &str) -> Judged {
    let is_kustomization =
        [".yaml", ".yml"].iter().any(|end| file.ends_with(&format!("kustomization{end}"))) && object.kind().is_none();
    if is_kustomization {
        return Judged::Other;
    }
    let missing = match (object.api_version(), object.kind()) {
        (None, None) => "neither `apiVersion` nor `kind`",
        (None, Some(_)) => "no `apiVersion`",
        _ => "no `kind`",
    };
    let message = format!("the object has {missing} that is a string, so that nothing is known of it");
    Judged::Misnamed(
        message,
        "write both, such as `apiVersion: v1` and `kind: Pod`; leave out files that are no manifests".to_owned(),
    )
}

/// A kind that is judged, in a group of Kubernetes' own but at a version that no API server knows it by.
fn misplaced(version: &str, kind: &str) -> Option<Judged> {
    let pod = (kind == "Pod").then_some("v1");
    let right = pod.or_else(|| Workload::ALL.iter().find(|row| row.2 == kind).map(|row| row.1))?;
    let group = GroupVersionKind::of(version, kind).group;
    ["", "apps", "batch", "extensions"].contains(&group).then(|| {
        let message = format!("there is no {kind} in {version:?}, so that it is not judged");
        Judged::Misnamed(message, format!("write `apiVersion: {right}`"))
    })
}

fn request<'a>(outcome: &'a Outcome<'_>, group: &'a str, resource: &'a str, object: Object<'a>) -> Request<'a> {
    Request {
        phase: Phase::Validate,
        uid: "".into(),
        operation: Operation::Create,
        kind: ObjectKind { group: group.into(), kind: outcome.kind.as_str().into() },
        resource: Resource { group: group.into(), resource: resource.into() },
        subresource: "".into(),
        name: outcome.name.as_str().into(),
        namespace: outcome.namespace.as_str().into(),
        username: "".into(),
        dry_run: false,
        object: Carried::Object(Box::new(object)),
        old_object: Carried::Absent,
        review: &[],
    }
}

/// Writes down what the verdict says, but for its findings.
fn record(outcome: &mut Outcome<'_>, verdict: &Verdict) {
    let is_unjudged = verdict.events().iter().any(|event| matches!(event, Event::Error { fatal: true }));
    for annotation in verdict.annotations() {
        match annotation {
            Annotation::Error(why) if is_unjudged => outcome.message.clone_from(why),
            Annotation::Error(why) => outcome.notes.push(why.clone()),
            Annotation::Exempt(exempt) => outcome.notes.push(format!("exempt by its {}, so not judged", exempt.name())),
            Annotation::EnforcePolicy(_)
            | Annotation::AuditViolations(_)
            | Annotation::WouldDeny(_)
            | Annotation::Mutation(_)
            | Annotation::WouldPatch(_) => {}
        }
    }
    outcome.warnings = warnings(verdict);
    outcome.answer = match verdict.denial() {
        _ if is_unjudged => Answer::NotJudged,
        None => Answer::Allow,
        Some(status) => {
            unprefixed(status).clone_into(&mut outcome.message);
            Answer::Deny
        }
    };
}

/// The message without what names the object, `pods "web" is forbidden: `.
fn unprefixed(status: &Status) -> &str {
    let Details { name, group, kind, .. } = &status.details;
    let dot = if group.is_empty() { "" } else { "." };
    let name = if name.is_empty() { String::new() } else { format!(" {}", quote(name)) };
    let prefix = format!("{kind}{dot}{group}{name} is forbidden: ");
    status.message.strip_prefix(&prefix).unwrap_or(&status.message)
}

/// A Namespace whose labels can be read is not judged any further.
fn note_namespace(outcome: &mut Outcome<'_>) {
    if outcome.answer == Answer::Allow {
        outcome.answer = Answer::PassedOver;
        outcome.notes.push("a Namespace: its labels count for the objects in it".to_owned());
    }
}

/// An object with a field of a wrong type.
fn undecodable(outcome: &mut Outcome<'_>, error: &json::DecodeError, node: &Node, lines: &Lines<'_>) {
    let (path, place) = innermost(node, error.at());
    let text = error.to_string();
    let what = text.rsplit_once(" at byte ").map_or(text.as_str(), |(what, _)| what);
    outcome.answer = Answer::NotJudged;
    outcome.place = Some(Place::of(lines, place));
    outcome.message = if path.is_empty() { what.to_owned() } else { format!("{path}: {what}") };
    outcome.hint = Some(match node.find(&path).node.value {
        Value::Map(_) | Value::List(_) => {
            "compare it with `kubectl explain`: a field has a value of another type".to_owned()
        }
        _ => "write a value of the type that the field has; `kubectl explain` tells it".to_owned(),
    });
}

/// The path and place of the value whose text holds, or ends at, byte `at` of the node written as JSON.
fn innermost(node: &Node, at: usize) -> (String, Span) {
    let (mut path, mut node, mut span, mut rest) = (String::new(), node, beginning(node), at);
    'descend: loop {
        let mut offset = 1;
        for (step, key, child) in children(node) {
            let start = offset + key.as_ref().map_or(0, |(_, length)| length + 1);
            let end = start + json_length(child);
            if (start..=end).contains(&rest) {
                path.push_str(if path.is_empty() { step.trim_start_matches('.') } else { &step });
                let written = if child.span.is_empty() { None } else { Some(child.span) };
                span = written.or(key.map(|(span, _)| span)).unwrap_or(child.span);
                (node, rest) = (child, rest - start);
                continue 'descend;
            }
            offset = end + 1;
        }
        return (path, span);
    }
}

/// A child's step in a path, its key's place and length in JSON, and its value.
type Child<'n> = (String, Option<(Span, usize)>, &'n Node);

fn children(node: &Node) -> Vec<Child<'_>> {
    let items = node.items().iter().enumerate().map(|(index, item)| (format!("[{index}]"), None, item));
    let entries = node.entries().iter().map(|entry| {
        let key = Node { value: Value::String(entry.key.clone()), span: entry.key_span };
        (format!(".{}", entry.key), Some((entry.key_span, json_length(&key))), &entry.value)
    });
    items.chain(entries).collect()
}

fn json_length(node: &Node) -> usize {
    let mut text = Vec::new();
    node.write_json(&mut text);
    text.len()
}
