//! Defaults and a sidecar through the driver: the sidecar is in proportion to what the defaults set, the pod is Guaranteed with both, and the
//! second pass gives no patch.

use serde_json::{Value, json};

use super::{World, arrived, world};
use crate::engine::Unread;
use crate::engine::mutation::document::Document;
use crate::engine::mutation::resources::{QosClass, class_of};
use crate::engine::mutation::{Active, Documents, Node, Note, Patch, Rules, mutate};
use crate::engine::pod_security::{Level, LevelVersion};

fn document(kind: &str, spec: Value) -> Active {
    let json = json!({"apiVersion": "portcullis.dev/v1", "kind": kind, "metadata": {"name": "d"}, "spec": spec});
    Active::compile(&Document::read(&json.to_string()).expect("a document")).expect("no flaws")
}

fn both() -> Documents {
    let defaults = json!({
        "resources": {"containers": {"requests": {"cpu": "400m", "memory": "64Mi"}}, "guaranteed": true},
        "security": {"seccompProfile": "RuntimeDefault", "runAsNonRoot": "Always", "denyPrivilegeEscalation": true,
                     "capabilities": {"dropAll": true}, "automountServiceAccountToken": {},
                     "readOnlyRootFilesystem": {"writable": [{"path": "/tmp"}]}},
    });
    let sidecar = json!({"mode": "Always", "add": {"containers": [{
        "container": {"name": "shipper", "image": "shipper:1"},
        "placement": {"kind": "Native"},
        "resources": {"requests": {"cpu": {"percent": 10, "min": "10m"}, "memory": "32Mi"}, "limits": {"cpu": {"fromRequest": 4}}},
    }]}});
    Documents::new(vec![document("SidecarInjection", sidecar).into(), document("PodDefaults", defaults).into()])
}

/// The pod as it would be, the patch, and what was said.
fn through(pod: &str, documents: &Documents, world: &World<'_>) -> (String, Option<Patch>, Vec<Note>) {
    let candidates = documents.candidates(|_| None);
    let enforced = LevelVersion { level: Level::Restricted, ..LevelVersion::default() };
    let mutated = mutate(Unread::of(pod), Rules { documents, candidates: &candidates, world, enforced });
    (mutated.pod.to_json().into_owned(), mutated.patch, mutated.notes)
}

#[test]
fn a_pod_with_nothing_comes_out_complete_guaranteed_and_restricted() {
    let world = World { has_native_sidecars: true, ..world() };
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}});
    let (documents, first) = (both(), arrived(&pod, &world).to_string());
    let (result, _, notes) = through(&first, &documents, &world);
    assert_eq!(class_of(&Node::new(&*result)), QosClass::Guaranteed);
    let result: Value = serde_json::from_str(&result).expect("JSON");
    let cpu = |list: &str| result["spec"][list][0]["resources"]["limits"]["cpu"].clone();
    assert_eq!((cpu("containers"), cpu("initContainers")), (json!("400m"), json!("40m")), "{notes:?}");
    let next = arrived(&result, &world).to_string();
    assert_eq!(class_of(&Node::new(&*next)), QosClass::Guaranteed);
    let (_, patch, notes) = through(&next, &documents, &world);
    assert_eq!(patch, None, "{notes:?}");
}
