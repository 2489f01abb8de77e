//! Fields of the future: one in every object of a pod, as an API server newer than anybody here would send them.

use serde_json::{Value, json};

/// Objects whose keys are free.
const MAPS: [&str; 8] =
    ["annotations", "labels", "limits", "matchLabels", "nodeSelector", "overhead", "requests", "volumeAttributes"];

/// The pod with such fields, each with a value of its own.
pub(super) fn with_unknown_ones(pod: &Value) -> Value {
    let mut pod = pod.clone();
    add(&mut pod, &mut 0);
    pod
}

fn add(value: &mut Value, count: &mut u32) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| add(element, count)),
        Value::Object(members) => {
            for (_, member) in members.iter_mut().filter(|(key, _)| !MAPS.contains(&key.as_str())) {
                add(member, count);
            }
            *count += 1;
            members.insert("fieldOfTheFuture".to_owned(), json!({"a/b~c": [*count, null, {}], "": 1.50}));
        }
        _ => {}
    }
}
