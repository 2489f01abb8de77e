//! What of a result the Pod Security Standards have to judge anew: what has changed, in the pod as it is around that.
//!
//! Every check looks at the pod's own fields and, one at a time, at containers, volumes and a few annotations. So a pod that consists of
//! the same fields and of what has changed has just those violations that the change can have brought.

use super::super::written::{begin_member, enclosed, quote};
use super::harmless::Harmless;
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
const VOLUMES: &str = "volumes";
/// Those that are lists, of which each element is judged by itself.
const LISTS: [&str; 4] = [VOLUMES, "initContainers", "containers", "ephemeralContainers"];
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

pub(super) fn judged(pod: &Node<'_>, harmless: &Harmless) -> Judged {
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
                        let items = change.items(|item| field == VOLUMES || is_read(item));
                        let items: Vec<_> = items.filter(|item| field == VOLUMES || !harmless.has(item, pod)).collect();
                        if !items.is_empty() {
                            lists.push((field, items));
                        }
                    }
                }
            }
            _ => return Judged::Whole,
        }
    }
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

/// Whether something has changed in a container that checks read.
pub(super) fn is_read(container: &Node<'_>) -> bool {
    container.changes().any(|(field, _)| CONTAINER_FIELDS.contains(&field))
}

/// Whether any annotation is one that checks read.
pub(super) fn has_profiles(pod: &Node<'_>) -> bool {
    let annotations = pod.at(&["metadata", "annotations"]).into_iter().flat_map(Node::members);
    annotations.into_iter().any(|(key, _)| is_judged_annotation(key))
}

/// A pod of the same fields and annotations with these lists.
fn part(pod: &Node<'_>, lists: &[(&str, Vec<&Node<'_>>)]) -> String {
    let mut text = String::with_capacity(1024);
    text.push_str(r#"{"metadata":{"annotations":"#);
    let annotations = pod.at(&["metadata", "annotations"]).into_iter().flat_map(Node::members);
    write_members(annotations.filter(|(key, _)| is_judged_annotation(key)), &mut text);
    text.push_str(r#"},"spec":{"#);
    for (key, value) in pod.get("spec").into_iter().flat_map(Node::members) {
        if POD_FIELDS.contains(&key) {
            begin_member(key, &mut text);
            value.write(&mut text);
        }
    }
    for (key, items) in lists {
        begin_member(key, &mut text);
        enclosed(&mut text, ('[', ']'), items.iter(), |text, item| {
            if *key == VOLUMES {
                item.write(text);
            } else {
                write_members(item.members().filter(|(field, _)| CONTAINER_FIELDS.contains(field)), text);
            }
        });
    }
    text.push_str("}}");
    text
}

fn write_members<'n, 'a: 'n>(members: impl Iterator<Item = (&'n str, &'n Node<'a>)>, text: &mut String) {
    enclosed(text, ('{', '}'), members, |text, (key, value)| {
        quote(key, text);
        text.push(':');
        value.write(text);
    });
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
