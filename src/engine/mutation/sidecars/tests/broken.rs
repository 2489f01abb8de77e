//! B10: a fault of ours, put into a compiled document by hand, is found before anything is answered.

use serde_json::json;

use super::*;
use crate::engine::mutation::documents::Part;
use crate::engine::mutation::{Active, Documents, Rules, mutate};
use crate::engine::pod_security::LevelVersion;

/// A document that compiled, whose container has got a name since that no container may have.
fn broken(failure: &str) -> Documents {
    let spec = json!({"mode": "Always", "failure": {"onSelfCheck": failure}, "add": {"containers": [sidecar("proxy", json!({}))]}});
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": "SidecarInjection", "metadata": {"name": "mesh"}, "spec": spec});
    let document = Document::read(&json.to_string()).expect("a document");
    let mut active = Active::compile(&document).expect("no flaws");
    let Part::Injection(injection) = &mut active.part else { panic!("another kind") };
    injection.revisions[0].parts.items[0].json = r#"{"name":"Not A Name","image":"i"}"#.to_owned();
    Documents::new(vec![active.into()])
}

fn outcome(failure: &str) -> (bool, Vec<(Reason, Weight)>) {
    let documents = broken(failure);
    let candidates = documents.candidates(|_| None);
    let world = World { has_native_sidecars: true, ..World::default() };
    let pod = app().to_string();
    let rules =
        Rules { documents: &documents, candidates: &candidates, world: &world, enforced: LevelVersion::PRIVILEGED };
    let mutated = mutate(crate::engine::Unread::of(&pod), rules);
    let said = mutated.notes.iter().filter(|note| note.weight > Weight::Detail);
    (mutated.patch.is_some(), said.map(|note| (note.reason, note.weight)).collect())
}

#[test]
fn b10_a_patch_that_would_break_the_pod_never_leaves() {
    assert_eq!(outcome("Admit"), (false, vec![(Reason::SelfCheckFailed, Weight::Skipped)]));
    assert_eq!(outcome("Deny"), (false, vec![(Reason::SelfCheckFailed, Weight::Denied)]));
}
