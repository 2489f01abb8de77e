//! What of a result the Pod Security Standards have to judge anew: what has changed, in the pod as it is around that.
//!
//! Every check looks at the pod's own fields and, one at a time, at containers, volumes and a few annotations. So a pod that consists of
//! the same fields and of what has changed has just those violations that the change can have brought.

use super::super::tree::quote;
use super::{Change, Node};
use crate::engine::object::is_judged_annotation;

/// The fields of a pod's spec that checks read in whole: see [`crate::engine::object::Spec`].
const POD_FIELDS: [&str; 9] = [
    "template",
    "jobTemplate",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "os",
    "runtimeClassName",
    "securityContext",
];
/// Those that are lists, of which each element is judged by itself.
const LISTS: [&str; 4] = ["volumes", "initContainers", "containers", "ephemeralContainers"];
/// The fields of a container that checks read: see [`crate::engine::object::Container`].
const CONTAINER_FIELDS: [&str; 8] =
    ["name", "image", "ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "securityContext"];

/// What there is to judge.
pub(super) enum Judged {
    /// No check reads anything that has changed.
    Nothing,
    /// The JSON of a pod that violates whatever the change does.
    Part(String),
    /// The change may make a violation of anything.
    Whole,
}

pub(super) fn judged(pod: &Node<'_>) -> Judged {
    let mut lists = Vec::new();
    for (key, change) in pod.changes() {
        match (key, change) {
            ("metadata", Change::Within(metadata)) if !changes_profiles(metadata) => {}
            ("spec", Change::Within(spec)) => {
                for (field, change) in spec.changes() {
                    if POD_FIELDS.contains(&field) {
                        return Judged::Whole;
                    }
                    if LISTS.contains(&field) {
                        lists.push((field, changed(change, field == "volumes")));
                    }
                }
            }
            _ => return Judged::Whole,
        }
    }
    lists.retain(|(_, items)| !items.is_empty());
    if lists.is_empty() { Judged::Nothing } else { Judged::Part(part(pod, &lists)) }
}

/// Whether annotations changed that checks read.
fn changes_profiles(metadata: &Node<'_>) -> bool {
    metadata.changes().filter(|(field, _)| *field == "annotations").any(|(_, change)| match change {
        Change::New(annotations) => annotations.members().any(|(key, _)| is_judged_annotation(key)),
        Change::Within(annotations) => annotations.changes().any(|(key, _)| is_judged_annotation(key)),
        Change::Gone => true,
    })
}

/// The elements that are to be judged: new ones, and those in which something has changed that is read.
fn changed<'n, 'a>(list: Change<'n, 'a>, are_volumes: bool) -> Vec<&'n Node<'a>> {
    let is_read = |item: &Node<'_>| are_volumes || item.changes().any(|(field, _)| CONTAINER_FIELDS.contains(&field));
    match list {
        Change::New(list) => list.items().collect(),
        Change::Within(list) => list
            .item_changes()
            .filter_map(|change| match change {
                Change::New(item) => Some(item),
                Change::Within(item) => is_read(item).then_some(item),
                Change::Gone => None,
            })
            .collect(),
        Change::Gone => Vec::new(),
    }
}

/// A pod of the same fields and annotations with these lists.
fn part(pod: &Node<'_>, lists: &[(&str, Vec<&Node<'_>>)]) -> String {
    let mut text = String::with_capacity(2048);
    text.push_str(r#"{"metadata":{"annotations":{"#);
    let annotations = pod.at(&["metadata", "annotations"]).into_iter().flat_map(Node::members);
    for (key, value) in annotations.filter(|(key, _)| is_judged_annotation(key)) {
        member(&mut text, key, &value.to_json());
    }
    text.push_str(r#"}},"spec":{"#);
    for (key, value) in pod.get("spec").into_iter().flat_map(Node::members) {
        if POD_FIELDS.contains(&key) {
            member(&mut text, key, &value.to_json());
        }
    }
    for (key, items) in lists {
        let items: Vec<_> = items.iter().map(|item| item.to_json()).collect();
        member(&mut text, key, &format!("[{}]", items.join(",")));
    }
    text.push_str("}}");
    text
}

fn member(object: &mut String, key: &str, value: &str) {
    if !object.ends_with('{') {
        object.push(',');
    }
    quote(key, object);
    object.push(':');
    object.push_str(value);
}

#[cfg(test)]
mod tests {
    //! Every field that a check can read is one whose change is looked at.

    use std::collections::BTreeSet;

    use serde::de::{Deserialize, Deserializer, Error, Visitor, value};
    use serde::forward_to_deserialize_any;

    use super::*;
    use crate::engine::object::{Container, Spec};

    /// Takes down which fields a struct decodes, and gives it nothing.
    struct Fields<'f>(&'f mut BTreeSet<&'static str>);

    impl<'de> Deserializer<'de> for Fields<'_> {
        type Error = value::Error;

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            self.0.extend(fields);
            Err(Error::custom("only the fields were asked for"))
        }

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Error::custom("this is no struct"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
            seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn fields_of<'de, T: Deserialize<'de>>() -> BTreeSet<&'static str> {
        let mut fields = BTreeSet::new();
        assert!(T::deserialize(Fields(&mut fields)).is_err(), "nothing was decoded");
        fields
    }

    #[test]
    fn every_field_that_is_decoded_of_a_pod_s_spec_is_judged_anew_when_it_changes() {
        assert_eq!(fields_of::<Spec<'_>>(), POD_FIELDS.into_iter().chain(LISTS).collect());
    }

    #[test]
    fn every_field_that_is_decoded_of_a_container_makes_it_be_judged_anew() {
        assert_eq!(fields_of::<Container<'_>>(), CONTAINER_FIELDS.into_iter().collect());
    }
}
