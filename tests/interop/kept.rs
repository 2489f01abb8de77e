//! What may never change: everything that came with the pod, and every container that is somebody else's.

use serde_json::Value;

/// The containers of the fixtures that are the user's. All others are injectors'.
const APPS: [&str; 6] = ["app", "app-admin", "migrate", "step-build", "step-test", "user-container"];

/// Members that a document may give another value, each by a rule of its own: handlers of rewritten probes, a raised grace period, a
/// variable that is appended to, a list in an annotation.
const CHANGING: [&str; 6] =
    ["grpc", "httpGet", "tcpSocket", "terminationGracePeriodSeconds", "value", "safe-to-evict-local-volumes"];

/// Asserts that all of a pod is still there, and in its order.
pub(super) fn assert_kept(before: &Value, after: &Value, title: &str) {
    if let Some(path) = lost(before, after) {
        panic!("{title}: {path} was lost or moved: {after:#}");
    }
}

/// Asserts that the containers and volumes of other injectors, which are those of the fixture, are what they were.
pub(super) fn assert_theirs_equal(fixture: &Value, before: &Value, after: &Value, title: &str) {
    for list in ["initContainers", "containers"] {
        let theirs = |pod: &Value| {
            let containers = pod["spec"][list].as_array().cloned().unwrap_or_default();
            containers.into_iter().filter(|container| is_theirs(container, fixture)).collect::<Vec<_>>()
        };
        assert_eq!(theirs(after), theirs(before), "{title}");
    }
    assert_eq!(volumes(after, fixture), volumes(before, fixture), "{title}");
}

/// Whether a container of a fixture is an injector's.
pub(super) fn is_theirs(container: &Value, pod: &Value) -> bool {
    let name = container["name"].as_str().unwrap_or_default();
    let lists = [&pod["spec"]["initContainers"], &pod["spec"]["containers"]];
    let was_there = lists.iter().any(|list| crate::names(list).contains(&name));
    // What tekton puts before its steps is no proxy; nobody knows it from the user's.
    was_there && !APPS.contains(&name) && !["prepare", "place-scripts"].contains(&name)
}

fn volumes(pod: &Value, original: &Value) -> Vec<Value> {
    let there = crate::names(&original["spec"]["volumes"]);
    let volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
    volumes.into_iter().filter(|volume| there.contains(&volume["name"].as_str().unwrap_or_default())).collect()
}

/// The path of something that is not in the later value; lists keep the order of what they had.
fn lost(before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before.iter().find_map(|(key, value)| {
            let may_change = CHANGING.iter().any(|end| key.ends_with(end));
            let lost = match after.get(key) {
                _ if may_change => None,
                Some(found) => lost(value, found),
                None => Some(String::new()),
            };
            lost.map(|path| format!("/{key}{path}"))
        }),
        (Value::Array(before), Value::Array(after)) => {
            let mut rest = after.iter();
            let is_lost = |element: &&Value| !rest.any(|found| lost(element, found).is_none());
            before.iter().find(is_lost).map(|element| format!("/{element}"))
        }
        _ => (before != after).then(String::new),
    }
}
