//! JSON as it is written: the span of a value, and the parts of an object or array one level at a time.
//!
//! Nothing is interpreted but the brackets and the keys, so whatever a part holds is kept to the letter.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DecodeError, from_slice};
use crate::engine::object::Text;

/// The text of one value, undecoded. Only this room's decoder knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<'a>(&'a str);

impl<'a> Span<'a> {
    pub fn text(self) -> &'a str {
        self.0
    }
}

/// By this name the decoder knows that a span is asked for.
pub(super) const SPAN: &str = "portcullis::engine::json::Span";

impl<'de: 'a, 'a> Deserialize<'de> for Span<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SPAN, SpanVisitor)
    }
}

struct SpanVisitor;

impl<'de> Visitor<'de> for SpanVisitor {
    type Value = Span<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value, by the decoder that gives spans")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Span<'de>, E> {
        Ok(Span(text))
    }
}

/// The members of an object, in their order.
///
/// # Errors
/// The text is no JSON object, as far as its brackets and keys tell.
pub fn members(text: &str) -> Result<Vec<(Text<'_>, &str)>, DecodeError> {
    from_slice::<Members<'_>>(text.as_bytes()).map(|members| members.0)
}

/// The elements of an array, in their order.
///
/// # Errors
/// The text is no JSON array, as far as its brackets tell.
pub fn elements(text: &str) -> Result<Vec<&str>, DecodeError> {
    from_slice::<Elements<'_>>(text.as_bytes()).map(|elements| elements.0)
}

struct Members<'a>(Vec<(Text<'a>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some((key, Span(text))) = map.next_entry()? {
            members.push((key, text));
        }
        Ok(Members(members))
    }
}

struct Elements<'a>(Vec<&'a str>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ElementsVisitor)
    }
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Elements<'de>, A::Error> {
        let mut all = Vec::with_capacity(4);
        while let Some(Span(text)) = elements.next_element()? {
            all.push(text);
        }
        Ok(Elements(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_to_the_letter() {
        let members = members(r#" {"a" : [1, 2.50] ,"b\u0041":{"c": "}"}, "d": null} "#).expect("an object");
        let members: Vec<_> = members.iter().map(|(key, text)| (&**key, *text)).collect();
        assert_eq!(members, [("a", "[1, 2.50]"), ("bA", r#"{"c": "}"}"#), ("d", "null")]);
        assert_eq!(elements(r#"[ "x,y" ,-1e5,[ ],{}]"#).expect("an array"), [r#""x,y""#, "-1e5", "[ ]", "{}"]);
        assert_eq!(elements("[]").expect("an array"), Vec::<&str>::new());
    }

    #[test]
    fn what_has_no_parts_is_refused() {
        for text in ["", "1", "[", "{\"a\"}", "{\"a\":}", "[1,]", "[1 2]", "{} x", "\"{}\""] {
            assert!(members(text).is_err() && elements(text).is_err(), "{text}");
        }
    }
}
