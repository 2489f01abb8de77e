//! JSON as it is written: the span of a value, and the parts of an object or array one level at a time.
//!
//! Nothing is interpreted but the brackets and the keys, so whatever a part holds is kept to the letter.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

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

/// A value together with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<'a, T> {
    pub value: T,
    pub text: &'a str,
}

/// By this name the decoder knows that a value is asked for together with its text.
pub(super) const SPANNED: &str = "portcullis::engine::json::Spanned";

impl<'de: 'a, 'a, T: Deserialize<'de>> Deserialize<'de> for Spanned<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(SPANNED, 2, SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value, by the decoder that gives spans")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<'de, T>, A::Error> {
        let none = || A::Error::custom("only the decoder that gives spans decodes this");
        let value = parts.next_element()?.ok_or_else(none)?;
        let text = parts.next_element()?.ok_or_else(none)?;
        Ok(Spanned { value, text })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Cursor, DecodeError};
    use super::*;

    fn members_of(text: &str) -> Result<Vec<(String, &str)>, DecodeError> {
        let (mut cursor, mut all) = (Cursor::new(text), Vec::new());
        cursor.members(|key, cursor| {
            all.push((key.to_string(), cursor.value()?));
            Ok(())
        })?;
        cursor.end().map(|()| all)
    }

    fn elements_of(text: &str) -> Result<Vec<&str>, DecodeError> {
        let (mut cursor, mut all) = (Cursor::new(text), Vec::new());
        cursor.elements(|cursor| {
            all.push(cursor.value()?);
            Ok(())
        })?;
        cursor.end().map(|()| all)
    }

    #[test]
    fn parts_are_kept_to_the_letter() {
        let members =
            members_of(r#" {"a" : [1, 2.50] ,"b\u0041":{"c": "}"}, "é": "é", "d": null} "#).expect("an object");
        let members: Vec<_> = members.iter().map(|(key, text)| (key.as_str(), *text)).collect();
        assert_eq!(members, [("a", "[1, 2.50]"), ("bA", r#"{"c": "}"}"#), ("é", "\"é\""), ("d", "null")]);
        assert_eq!(elements_of(r#"[ "x,y" ,-1e5,[ ],{}]"#).expect("an array"), [r#""x,y""#, "-1e5", "[ ]", "{}"]);
        assert_eq!(elements_of("[]").expect("an array"), Vec::<&str>::new());
    }

    #[test]
    fn what_has_no_parts_is_refused() {
        for text in ["", "1", "[", "{\"a\"}", "{\"a\":}", "[1,]", "[1 2]", "{} x", "\"{}\"", "{\"\\x\":1}"] {
            assert!(members_of(text).is_err() && elements_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_comes_with_its_text() {
        let pair: Vec<Spanned<'_, Vec<u8>>> = super::super::from_slice(b" [ [1, 2] ,[]]").expect("two arrays");
        assert_eq!(pair, [Spanned { value: vec![1, 2], text: "[1, 2]" }, Spanned { value: vec![], text: "[]" }]);
    }
}
