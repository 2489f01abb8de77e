//! The annotations that somebody reads. Pods carry kilobytes of others, full of escapes, which are passed over unread.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::Text;

/// The beginnings of the keys that are kept: profiles of containers and pods from before they had fields.
const KEPT: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/pod",
];

/// Whether an annotation of this key is kept, since checks read it.
pub fn is_judged_annotation(key: &str) -> bool {
    KEPT.iter().any(|beginning| key.starts_with(beginning))
}

/// Annotations whose keys begin with one of [`KEPT`], in the order of their JSON. The others must be strings, too.
#[derive(Clone, Default, Debug)]
pub struct Annotations<'a>(Vec<(Text<'a>, Text<'a>)>);

impl Annotations<'_> {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Annotations<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(AnnotationsVisitor)
    }
}

struct AnnotationsVisitor;

impl<'de> Visitor<'de> for AnnotationsVisitor {
    type Value = Annotations<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of strings")
    }

    fn visit_none<E: Error>(self) -> Result<Annotations<'de>, E> {
        Ok(Annotations::default())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Annotations<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Annotations<'de>, A::Error> {
        let mut kept = Vec::new();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if is_judged_annotation(&key) {
                kept.push((key, map.next_value()?));
            } else {
                map.next_value::<Option<PassedString>>()?;
            }
        }
        Ok(Annotations(kept))
    }
}

/// A string that is not looked at, and so needs no unescaping.
struct PassedString;

impl<'de> Deserialize<'de> for PassedString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(PassedStringVisitor)
    }
}

struct PassedStringVisitor;

impl Visitor<'_> for PassedStringVisitor {
    type Value = PassedString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<PassedString, E> {
        Ok(PassedString)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<PassedString, E> {
        Ok(PassedString)
    }
}
