//! The containers of a case: adding, copying, moving and picking them, over all three lists.

use super::{
    edit::{field, list},
    minimal::Minimal,
    random::Random,
    words,
};
use serde_json::{Value, json};

pub const LISTS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

/// One of the pod's containers; none if the pod has none.
pub fn any_container<'a>(spec: &'a mut Value, random: &mut Random) -> Option<&'a mut Value> {
    let fields = spec.as_object_mut()?;
    let mut containers: Vec<&mut Value> = fields
        .iter_mut()
        .filter(|(key, _)| LISTS.contains(&key.as_str()))
        .filter_map(|(_, value)| value.as_array_mut())
        .flatten()
        .collect();
    let chosen = random.below(containers.len());
    if chosen < containers.len() { Some(containers.swap_remove(chosen)) } else { None }
}

/// Adds, moves, empties or doubles containers in one way.
pub fn rearrange(spec: &mut Value, minimal: Minimal, random: &mut Random) {
    match random.below(10) {
        0..=4 => add(spec, minimal, random),
        5 | 6 => move_one(spec, random),
        7 => rename(spec, random),
        8 => {
            let key = random.word(LISTS);
            *field(spec, key) = if random.percent(50) { json!([]) } else { Value::Null };
        }
        _ => list(spec, random.word(LISTS)).push(Value::Null),
    }
}

/// Adds containers as the level wants them, more often to the lists that are easily forgotten.
fn add(spec: &mut Value, minimal: Minimal, random: &mut Random) {
    let key = random.word(&["ephemeralContainers", "ephemeralContainers", "initContainers", "containers"]);
    for _ in 0..random.between(1, 3) {
        let name = words::name(random);
        list(spec, key).push(minimal.container(&name));
    }
}

fn move_one(spec: &mut Value, random: &mut Random) {
    let (from, to) = (random.word(LISTS), random.word(LISTS));
    if let Some(container) = list(spec, from).pop() {
        list(spec, to).push(container);
    }
}

fn rename(spec: &mut Value, random: &mut Random) {
    let name = if random.percent(20) { Value::Null } else { json!(words::name(random)) };
    if let Some(container) = any_container(spec, random) {
        *field(container, "name") = name;
    }
}
