//! A serde `Deserializer` over bytes: recursion only where the target type recurses, so depth is bounded by the type.

use std::borrow::Cow;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::scan::Scanned;
use super::{DecodeError, Failure, scan};
use crate::engine::object::Text;

/// Deeper than any Kubernetes type, and shallow enough for any stack.
const DEPTH: u16 = 128;

pub(super) type Result<T> = std::result::Result<T, DecodeError>;

pub(super) fn decode<'de, T: de::Deserialize<'de>>(mut decoder: Decoder<'de>) -> Result<T> {
    let value = T::deserialize(&mut decoder).map_err(|error| error.placed(decoder.at))?;
    decoder.end()?;
    Ok(value)
}

/// An error of serde's own has no place yet.
const NOWHERE: usize = usize::MAX;

impl DecodeError {
    #[cold]
    fn placed(mut self, at: usize) -> Self {
        if self.0.at == NOWHERE {
            self.0.at = at;
        }
        self
    }
}

impl de::Error for DecodeError {
    #[cold]
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(Box::new(Failure { what: message.to_string(), at: NOWHERE }))
    }
}

pub(super) struct Decoder<'de> {
    pub(super) text: &'de [u8],
    /// The same, if it is known to be UTF-8 as a whole; else empty.
    valid: &'de str,
    pub(super) at: usize,
    depth: u16,
}

impl<'de> Decoder<'de> {
    pub(super) fn of_bytes(text: &'de [u8]) -> Self {
        Self { text, valid: "", at: 0, depth: 0 }
    }

    pub(super) fn of_text(text: &'de str) -> Self {
        Self { valid: text, ..Self::of_bytes(text.as_bytes()) }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn fail<T>(&self, what: &str) -> Result<T> {
        Err(DecodeError(Box::new(Failure { what: what.to_owned(), at: self.at })))
    }

    #[inline(always)]
    pub(super) fn skip_blanks(&mut self) {
        while let Some(&byte) = self.text.get(self.at)
            && byte <= b' '
            && matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
        {
            self.at += 1;
        }
    }

    #[inline(always)]
    pub(super) fn peek(&mut self) -> Result<u8> {
        self.skip_blanks();
        match self.text.get(self.at) {
            Some(&byte) => Ok(byte),
            None => self.fail("unexpected end of the text"),
        }
    }

    #[inline(always)]
    fn literal(&mut self, literal: &[u8]) -> Result<()> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(literal)) {
            self.at += literal.len();
            Ok(())
        } else {
            self.fail("expected a value")
        }
    }

    /// Passes a string whose opening quote is at `self.at`.
    #[inline(always)]
    fn raw_string(&mut self) -> Result<Scanned<'de>> {
        match scan::string(self.text, self.at + 1) {
            Some(scanned) => {
                self.at = scanned.end;
                Ok(scanned)
            }
            None => self.fail("a string that does not end, or holds a control character"),
        }
    }

    #[inline]
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.text()?.into() {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    /// Escapes are rare, and stock serde_json knows them all.
    #[cold]
    fn escaped(&self, start: usize) -> Result<String> {
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_slice(quoted).or_else(|error| self.fail(&format!("a string that is not valid: {error}")))
    }

    /// A key that is compared with known ones: bytes will do, and one that is not UTF-8 is simply none of them.
    #[inline]
    fn identifier<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        if self.peek()? != b'"' {
            return self.fail("expected a key");
        }
        let start = self.at;
        let scanned = self.raw_string()?;
        if scanned.has_escapes {
            visitor.visit_string(self.escaped(start)?)
        } else {
            visitor.visit_borrowed_bytes(scanned.raw)
        }
    }

    /// The text of a number that is valid JSON.
    fn number(&mut self) -> Result<&'de str> {
        self.skip_blanks();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = scan::number_length(rest);
        match rest.get(..length).and_then(|digits| std::str::from_utf8(digits).ok()) {
            Some(number) if length > 0 => {
                self.at += length;
                Ok(number)
            }
            _ => self.fail("expected a value"),
        }
    }

    #[inline]
    pub(super) fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            b'"' => self.raw_string().map(|_| ()),
            b'{' => self.skip_container(b'{', b'}'),
            b'[' => self.skip_container(b'[', b']'),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => match scan::number_like_length(self.text.get(self.at..).unwrap_or_default()) {
                0 => self.fail("expected a value"),
                length => {
                    self.at += length;
                    Ok(())
                }
            },
        }
    }

    pub(super) fn end(&mut self) -> Result<()> {
        self.skip_blanks();
        if self.at == self.text.len() { Ok(()) } else { self.fail("trailing characters") }
    }

    /// Whether `null` comes next, which is passed then.
    #[inline]
    pub(super) fn is_null(&mut self) -> Result<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.literal(b"null").map(|()| true)
    }

    /// The string that comes next.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Result<Text<'de>> {
        if self.peek()? != b'"' {
            return self.fail("expected a string");
        }
        let start = self.at;
        let scanned = self.raw_string()?;
        if scanned.has_escapes {
            return self.escaped(start).map(Text::from);
        }
        scanned.text().map_or_else(|| self.fail("a string that is not UTF-8"), |text| Ok(Text::from(text)))
    }

    /// The key that comes next, as the API server writes it: behind its comma, before its colon, and no blanks. None if it is written in
    /// another way, or is not there.
    #[inline(always)]
    pub(super) fn compact_key(&mut self, is_first: bool) -> Option<&'de str> {
        let quote = match self.text.get(self.at)? {
            b',' if !is_first => self.at + 1,
            _ if is_first => self.at,
            _ => return None,
        };
        if *self.text.get(quote)? != b'"' {
            return None;
        }
        let scanned = scan::string(self.text, quote + 1)?;
        if scanned.has_escapes || *self.text.get(scanned.end)? != b':' {
            return None;
        }
        let key = scanned.text()?;
        self.at = scanned.end + 1;
        Some(key)
    }

    /// The text from there to here.
    #[inline(always)]
    pub(super) fn passed(&self, start: usize) -> Result<&'de str> {
        if let Some(text) = self.valid.get(start..self.at) {
            return Ok(text);
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        std::str::from_utf8(text).or_else(|_| self.fail("a value that is not UTF-8"))
    }

    fn skip_container(&mut self, open: u8, close: u8) -> Result<()> {
        match scan::container_end(self.text, self.at + 1, open, close) {
            Some(end) => {
                self.at = end;
                Ok(())
            }
            None => self.fail("an object or array that does not end"),
        }
    }

    #[inline]
    fn enter(&mut self, open: u8, expected: &str) -> Result<Items<'_, 'de>> {
        self.open(open, expected)?;
        Ok(Items { decoder: self, is_first: true })
    }

    #[inline(always)]
    pub(super) fn open(&mut self, open: u8, expected: &str) -> Result<()> {
        if self.peek()? != open {
            return self.fail(expected);
        }
        if self.depth == DEPTH {
            return self.fail("nested too deep");
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// Moves to the next item of the object or array; false after the last, with the closing bracket passed.
    #[inline(always)]
    pub(super) fn advance(&mut self, close: u8, is_first: &mut bool) -> Result<bool> {
        let byte = self.peek()?;
        if byte == close {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            if byte != b',' {
                return self.fail("expected a comma or a closing bracket");
            }
            self.at += 1;
        }
        Ok(true)
    }

    #[inline(always)]
    pub(super) fn colon(&mut self) -> Result<()> {
        if self.peek()? != b':' {
            return self.fail("expected a colon");
        }
        self.at += 1;
        Ok(())
    }
}

/// The members of the object, or the elements of the array, that the decoder has just entered.
struct Items<'d, 'de> {
    decoder: &'d mut Decoder<'de>,
    is_first: bool,
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.decoder.advance(b'}', &mut self.is_first)? {
            seed.deserialize(&mut *self.decoder).map(Some)
        } else {
            Ok(None)
        }
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.decoder.colon()?;
        seed.deserialize(&mut *self.decoder)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.decoder.advance(b']', &mut self.is_first)? {
            seed.deserialize(&mut *self.decoder).map(Some)
        } else {
            Ok(None)
        }
    }
}

macro_rules! integers {
    ($($method:ident $visit:ident $type:ty),*) => { $(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            self.skip_blanks();
            let start = self.at;
            match self.number()?.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => {
                    self.at = start;
                    self.fail("a number that does not fit its field")
                }
            }
        }
    )* };
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek()? {
            b'"' => self.string(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            b'n' => {
                self.literal(b"null")?;
                visitor.visit_unit()
            }
            _ => {
                let number = self.number()?;
                match (number.parse::<i64>(), number.parse::<f64>()) {
                    (Ok(integer), _) => visitor.visit_i64(integer),
                    (_, Ok(float)) => visitor.visit_f64(float),
                    _ => self.fail("expected a number"),
                }
            }
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek()? {
            b't' => {
                self.literal(b"true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.literal(b"false")?;
                visitor.visit_bool(false)
            }
            _ => self.fail("expected true or false"),
        }
    }

    integers!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64
    );

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.string(visitor)
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.string(visitor)
    }

    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.identifier(visitor)
    }

    /// The bytes of a string as they are written, escapes and all: for one that is passed over.
    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek()? != b'"' {
            return self.fail("expected a string");
        }
        visitor.visit_borrowed_bytes(self.raw_string()?.raw)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek()? == b'n' {
            self.literal(b"null")?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_seq(self.enter(b'[', "expected an array")?)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_map(self.enter(b'{', "expected an object")?)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        v: V,
    ) -> Result<V::Value> {
        self.deserialize_map(v)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char byte_buf unit unit_struct tuple tuple_struct enum
    }
}
