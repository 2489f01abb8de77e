//! Variables in a container's list, in which order matters: `$(NAME)` refers to those before it.

use serde_json::Value;

use super::super::tree::Node;
use super::meaning::is_same_at;

/// The value that the kubelet makes this text of: it would expand `$(NAME)`, and takes `$$` for `$`.
pub(super) fn literally(text: &str) -> String {
    text.replace('$', "$$")
}

/// The other way round.
pub(super) fn as_expanded(value: &str) -> String {
    value.replace("$$", "$")
}

/// The place of the variable that counts, of several of one name the last.
pub(super) fn place_of(container: &Node<'_>, name: &str) -> Option<usize> {
    let variables = container.list("env").enumerate();
    variables
        .filter(|(_, variable)| variable.string_at("name").is_some_and(|found| found == name))
        .last()
        .map(|(at, _)| at)
}

/// Brings the variables of `wanted` into a container: one that is there has its value set, one that is missing comes after the one
/// that precedes it in `wanted`. Others stay.
pub(super) fn merge_variables<'a>(container: &mut Node<'a>, wanted: &Node<'a>) {
    let mut next = 0;
    for variable in wanted.list("env") {
        let name = variable.string_at("name").unwrap_or_default();
        let place = place_of(container, &name);
        let Some(env) = container.member("env") else { return };
        match place {
            Some(place) => {
                if let Some(found) = env.item(place) {
                    set_variable(found, variable);
                }
                next = place + 1;
            }
            None => {
                env.insert(next, variable.to_json().into_owned());
                next += 1;
            }
        }
    }
}

/// Gives a variable the value, or the source of a value, that another one has.
pub(super) fn set_variable(found: &mut Node<'_>, wanted: &Node<'_>) {
    if is_same_variable(found, wanted) {
        return;
    }
    for key in ["value", "valueFrom"] {
        match wanted.get(key) {
            // The API server leaves an empty value out.
            Some(value) if found.is_new(key) && value.to_json() == "\"\"" => drop(found.remove(key)),
            Some(value) => drop(found.set(key, value.to_json().into_owned())),
            None => drop(found.remove(key)),
        }
    }
}

/// Whether two variables have the same value, or the same source of one. What else is in them is nobody's business here.
pub(super) fn is_same_variable(one: &Node<'_>, other: &Node<'_>) -> bool {
    let member = |node: &Node<'_>, key: &str| {
        node.get(key).and_then(|value| serde_json::from_str::<Value>(&value.to_json()).ok()).unwrap_or_default()
    };
    ["value", "valueFrom"].iter().all(|key| is_same_at(key, &member(one, key), &member(other, key)))
}
