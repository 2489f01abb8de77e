//! What an owner is told: one Event for each document and reason.
//!
//! Its text is made of names, paths and our own words; nothing of the pod's values is in it.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::super::event::{Event, MOST_OF_A_NOTE};
use super::super::question::is_name;
use super::bounds::hash;
use crate::engine::Request;
use crate::engine::json::member;
use crate::engine::mutation::{Controller, Note, Reason, Weight};

/// How many places of one pod are named for one reason.
const MOST_PLACES: usize = 5;

/// The most bytes of each text that a pod says of its owner; Kubernetes has no longer ones.
const MOST_OF_A_NAME: usize = 253;

/// Something that an owner is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Telling {
    pub(super) namespace: String,
    owner: Owner,
    reason: Reason,
    text: String,
    /// The same for the same owner, document and reason.
    pub(super) key: u64,
}

/// The controller that made a pod, as the pod says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Owner {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
}

/// Whether whoever wrote the pod has to know it. Details are for who asks.
pub(super) fn is_worth_telling(note: &Note) -> bool {
    note.weight > Weight::Detail
}

/// What the owner of a request's pod is to be told of these notes: what of it is news. Nothing if nobody owns the pod.
pub(super) fn tellings(request: &Request<'_>, notes: &[Note], is_news: impl Fn(u64) -> bool) -> Vec<Telling> {
    let Some(owner) = owner(request.metadata()).filter(|_| is_name(&request.namespace)) else { return Vec::new() };
    let mut told: Vec<(&Note, Vec<&str>)> = Vec::new();
    for note in notes.iter().filter(|note| is_worth_telling(note) && !is_told_by(&owner, note)) {
        let same = |(other, _): &&mut (&Note, _)| other.document == note.document && other.reason == note.reason;
        match told.iter_mut().find(same) {
            Some((_, places)) => places.push(&note.about),
            None => told.push((note, vec![&note.about])),
        }
    }
    let telling = |(note, places): (&Note, Vec<&str>)| {
        let key = hash(&(&owner.uid, &*note.document, note.reason));
        is_news(key).then(|| Telling {
            namespace: request.namespace.to_string(),
            owner: owner.clone(),
            reason: note.reason,
            text: text(note, &places),
            key,
        })
    };
    told.into_iter().filter_map(telling).collect()
}

/// The controllers of Kubernetes write an Event of their own where a pod is refused, with our message.
fn is_told_by(owner: &Owner, note: &Note) -> bool {
    let is_of_kubernetes = matches!(
        (owner.api_version.as_str(), owner.kind.as_str()),
        ("apps/v1", "ReplicaSet" | "StatefulSet" | "DaemonSet") | ("batch/v1", "Job") | ("v1", "ReplicationController")
    );
    note.weight == Weight::Denied && is_of_kubernetes
}

fn text(note: &Note, places: &[&str]) -> String {
    let mut about: Vec<&str> = places.iter().copied().take(MOST_PLACES).collect();
    let more = places.len().saturating_sub(MOST_PLACES);
    let more = format!("{more} more");
    if places.len() > MOST_PLACES {
        about.push(&more);
    }
    let all = Note { about: about.join("; "), ..note.clone() };
    let refused = if note.weight == Weight::Denied { "a pod is refused: " } else { "" };
    let mut text = format!("{refused}{all}. {}", note.reason.advice());
    // Names have not been looked at by the API server yet, and what waits is held in memory.
    text.truncate(text.floor_char_boundary(MOST_OF_A_NOTE));
    text.shrink_to_fit();
    text
}

impl Telling {
    /// The Event's name: the same from every replica, so that the owner is told once.
    pub(super) fn name(&self, reporter: &str) -> String {
        format!("{reporter}-{:016x}", hash(&(self.key, &self.text)))
    }

    /// The owner, as an Event has it.
    pub(super) fn regarding(&self) -> Value {
        let Owner { api_version, kind, name, uid } = &self.owner;
        json!({"apiVersion": api_version, "kind": kind, "namespace": self.namespace, "name": name, "uid": uid})
    }

    pub(super) fn event(&self) -> Event<'_> {
        Event { reason: self.reason.code(), action: "Mutating", note: &self.text, is_warning: true }
    }
}

/// The controller of a pod with this metadata. The API server has not looked at it yet: what cannot be one is none.
fn owner(metadata: &str) -> Option<Owner> {
    let owner = Controller::among(member(metadata, "ownerReferences")?)?;
    let texts = [owner.api_version(), owner.kind(), owner.name(), owner.uid()];
    let are_names = texts.iter().all(|text| (1..=MOST_OF_A_NAME).contains(&text.len()));
    are_names.then(|| {
        let [api_version, kind, name, uid] = texts.map(Cow::into_owned);
        Owner { api_version, kind, name, uid }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Carried, ObjectKind, Operation, Phase, Resource};

    fn replica_set(uid: &str) -> Value {
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d", "uid": uid, "controller": true})
    }

    fn told(owner: &Value, notes: &[Note]) -> Vec<Telling> {
        let pod = json!({"metadata": {"generateName": "web-", "ownerReferences": [owner]}, "spec": {"containers": []}});
        let review = json!({"kind": "AdmissionReview", "request": {"uid": "u", "object": pod}}).to_string();
        let request = Request {
            phase: Phase::Mutate,
            uid: "u".into(),
            operation: Operation::Create,
            kind: ObjectKind::default(),
            resource: Resource::default(),
            subresource: "".into(),
            name: "".into(),
            namespace: "shop".into(),
            username: "".into(),
            dry_run: false,
            object: Carried::Absent,
            old_object: Carried::Absent,
            review: review.as_bytes(),
        };
        tellings(&request, notes, |_| true)
    }

    fn note(reason: Reason, weight: Weight, about: &str) -> Note {
        Note { document: "SidecarInjection/mesh".to_owned(), reason, about: about.to_owned(), weight }
    }

    fn skipped(about: &str) -> Note {
        note(Reason::UidTaken, Weight::Skipped, about)
    }

    #[test]
    fn an_owner_is_told_the_reason_s_code_and_what_to_do() {
        let told =
            told(&replica_set("7"), &[note(Reason::PodLabel, Weight::Detail, "a"), skipped("container \"app\"")]);
        let [telling] = told.as_slice() else { panic!("{told:?}") };
        let event = telling.event();
        assert_eq!((event.reason, event.is_warning), ("uid_taken", true));
        let expected = format!("{}. {}", skipped("container \"app\""), Reason::UidTaken.advice());
        assert_eq!(event.note, expected);
        let regarding =
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "namespace": "shop", "name": "web-5d", "uid": "7"});
        assert_eq!(telling.regarding(), regarding);
    }

    #[test]
    fn what_is_about_several_containers_is_told_at_once() {
        let notes: Vec<Note> = (0..7).map(|number| skipped(&format!("container \"c{number}\""))).collect();
        let told = told(&replica_set("7"), &notes);
        assert_eq!(told.len(), 1);
        assert!(told[0].text.contains("\"c3\"; container \"c4\"; 2 more: "), "{}", told[0].text);
    }

    #[test]
    fn a_name_of_any_length_makes_no_longer_text_than_the_api_allows() {
        let told = told(&replica_set("7"), &[skipped(&"ä".repeat(1 << 20))]);
        assert!(told[0].text.capacity() <= MOST_OF_A_NOTE, "{}", told[0].text.capacity());
    }

    #[test]
    fn the_same_has_the_same_name_from_every_replica_and_anything_else_another() {
        let name = |uid: &str, note: Note| told(&replica_set(uid), &[note])[0].name("portcullis");
        let first = name("7", skipped("container \"a\""));
        assert_eq!(first, name("7", skipped("container \"a\"")));
        assert_ne!(first, name("8", skipped("container \"a\"")));
        assert_ne!(first, name("7", skipped("container \"b\"")));
        assert_ne!(first, name("7", note(Reason::PortTaken, Weight::Skipped, "container \"a\"")));
    }

    #[test]
    fn a_refusal_is_told_where_no_controller_of_kubernetes_tells_of_it() {
        let denied = [note(Reason::UidTaken, Weight::Denied, "container \"a\"")];
        assert_eq!(told(&replica_set("7"), &denied), []);
        let custom = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "w", "uid": "7", "controller": true});
        let told = told(&custom, &denied);
        assert!(told.len() == 1 && told[0].text.starts_with("a pod is refused: SidecarInjection/mesh: "), "{told:?}");
    }

    #[test]
    fn pods_that_nobody_owns_have_nobody_to_tell() {
        let mut bystander = replica_set("7");
        bystander["controller"] = json!(false);
        for owner in [bystander, replica_set(""), replica_set(&"7".repeat(300)), json!(null), json!(7)] {
            assert_eq!(told(&owner, &[skipped("container \"a\"")]), [], "{owner}");
        }
    }
}
