//! A text read value by value, as deep as its user wants to look.
//!
//! What nobody looks into is passed by its brackets and quotes alone, and what is known already is passed at once.

use super::decoder::{Decoder, Result};
use crate::engine::object::Text;

/// The text of the member of this name, if it is there and not null; none of what is no object. What comes behind it is not looked at:
/// the API server writes each once.
pub fn member<'de>(object: &'de str, name: &str) -> Option<&'de str> {
    let mut cursor = Cursor::new(object);
    cursor.decoder.open(b'{', "expected an object").ok()?;
    let mut is_first = true;
    while let Some(key) = cursor.next_key(&mut is_first).ok()? {
        let value = cursor.value().ok()?;
        if *key == *name {
            return (value != "null").then_some(value);
        }
    }
    None
}

/// Reads a text value by value, as deep as its user wants to look.
pub struct Cursor<'de> {
    decoder: Decoder<'de>,
    /// Values within the text whose ends need not be looked for.
    known: Option<[&'de str; 3]>,
}

impl<'de> Cursor<'de> {
    pub fn new(text: &'de str) -> Self {
        Self { decoder: Decoder::of_text(text), known: None }
    }

    /// The same for a text of which some values are known already, as parts of the very same text; empty texts are none.
    pub fn knowing(text: &'de str, known: [&'de str; 3]) -> Self {
        Self { known: Some(known), ..Self::new(text) }
    }

    /// How many bytes the whole text has.
    pub fn length(&self) -> usize {
        self.decoder.text.len()
    }

    /// The first byte of the value that comes next; none at the end.
    pub fn peek(&mut self) -> Option<u8> {
        self.decoder.peek().ok()
    }

    /// Passes the value that comes next.
    ///
    /// # Errors
    /// There is none, as far as its brackets and quotes tell.
    #[inline]
    pub fn value(&mut self) -> Result<&'de str> {
        let ((), text) = self.spanned(|cursor| match cursor.known_length(cursor.decoder.at) {
            0 => cursor.decoder.skip(),
            length => {
                cursor.decoder.at += length;
                Ok(())
            }
        })?;
        Ok(text)
    }

    /// Reads the value that comes next, and gives its text too. `read` has to pass it.
    ///
    /// # Errors
    /// Those of `read`.
    #[inline]
    pub fn spanned<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, &'de str)> {
        self.decoder.skip_blanks();
        let start = self.decoder.at;
        let value = read(self)?;
        Ok((value, self.decoder.passed(start)?))
    }

    /// How many bytes the value has that starts there; 0 if that is not known.
    #[inline(always)]
    fn known_length(&self, start: usize) -> usize {
        let Some(known) = &self.known else { return 0 };
        let here = self.decoder.text.as_ptr().addr() + start;
        known.iter().find(|known| known.as_ptr().addr() == here).map_or(0, |known| known.len())
    }

    /// Goes through the members of the object that comes next. `member` is given each key, and has to pass the value.
    ///
    /// # Errors
    /// There is no object, as far as its brackets and keys tell; or those of `member`.
    #[inline]
    pub fn members(&mut self, mut member: impl FnMut(Text<'de>, &mut Self) -> Result<()>) -> Result<()> {
        self.decoder.open(b'{', "expected an object")?;
        let mut is_first = true;
        while let Some(key) = self.next_key(&mut is_first)? {
            member(key, self)?;
        }
        Ok(())
    }

    /// The same for what may be `null` instead: false if it is.
    ///
    /// # Errors
    /// There is neither, as far as its brackets and keys tell; or those of `member`.
    #[inline]
    pub fn members_or_null(&mut self, member: impl FnMut(Text<'de>, &mut Self) -> Result<()>) -> Result<bool> {
        if self.decoder.is_null()? {
            return Ok(false);
        }
        self.members(member).map(|()| true)
    }

    /// The string that comes next; `null` is the empty one.
    ///
    /// # Errors
    /// Something else comes next, or it is not UTF-8.
    pub fn text(&mut self) -> Result<Text<'de>> {
        if self.decoder.is_null()? { Ok(Text::default()) } else { self.decoder.text() }
    }

    /// The boolean that comes next; none if it is `null`.
    ///
    /// # Errors
    /// Something else comes next.
    pub fn boolean(&mut self) -> Result<Option<bool>> {
        match self.value()? {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            "null" => Ok(None),
            _ => self.decoder.fail("expected true or false"),
        }
    }

    /// The key of the member that comes next in an object that has been opened; none at its end. Not inlined: everybody who goes through
    /// objects would have it again.
    #[inline(never)]
    fn next_key(&mut self, is_first: &mut bool) -> Result<Option<Text<'de>>> {
        if let Some(key) = self.decoder.compact_key(*is_first) {
            *is_first = false;
            return Ok(Some(Text::from(key)));
        }
        if !self.decoder.advance(b'}', is_first)? {
            return Ok(None);
        }
        let key = self.decoder.text()?;
        self.decoder.colon()?;
        Ok(Some(key))
    }

    /// Goes through the elements of the array that comes next. `element` has to pass each.
    ///
    /// # Errors
    /// There is no array, as far as its brackets tell; or those of `element`.
    #[inline]
    pub fn elements(&mut self, mut element: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.decoder.open(b'[', "expected an array")?;
        let mut is_first = true;
        while self.decoder.advance(b']', &mut is_first)? {
            element(self)?;
        }
        Ok(())
    }

    /// An error at this place.
    ///
    /// # Errors
    /// Always.
    pub fn refuse<T>(&self, what: &str) -> Result<T> {
        self.decoder.fail(what)
    }

    /// Passes the end.
    ///
    /// # Errors
    /// Something else comes next.
    pub fn end(&mut self) -> Result<()> {
        self.decoder.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members_of(text: &str) -> Result<Vec<(String, &str)>> {
        let (mut cursor, mut all) = (Cursor::new(text), Vec::new());
        cursor.members(|key, cursor| {
            all.push((key.to_string(), cursor.value()?));
            Ok(())
        })?;
        cursor.end().map(|()| all)
    }

    fn elements_of(text: &str) -> Result<Vec<&str>> {
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
        let (mut cursor, mut all) = (Cursor::new(" [ [1, 2] ,[]]"), Vec::new());
        let read = cursor.elements(|cursor| {
            let mut count = 0;
            let ((), text) = cursor.spanned(|cursor| cursor.elements(|cursor| cursor.value().map(|_| count += 1)))?;
            all.push((count, text));
            Ok(())
        });
        assert_eq!((read.is_ok(), all), (true, vec![(2, "[1, 2]"), (0, "[]")]));
    }

    #[test]
    fn null_is_no_object_an_empty_text_and_no_boolean() {
        let text = r#"{"a":null,"b":null,"c":null,"d":"t","e":true}"#;
        let mut found = (None, Text::from("x"), Some(false), Text::default(), None);
        let read = Cursor::new(text).members(|key, cursor| {
            match &*key {
                "a" => found.0 = Some(cursor.members_or_null(|_, _| Ok(()))?),
                "b" => found.1 = cursor.text()?,
                "c" => found.2 = cursor.boolean()?,
                "d" => found.3 = cursor.text()?,
                _ => found.4 = cursor.boolean()?,
            }
            Ok(())
        });
        assert!(read.is_ok());
        assert_eq!(found, (Some(false), Text::default(), None, Text::from("t"), Some(true)));
        for (text, what) in [("1", "text"), ("{}", "text"), ("7", "boolean"), ("nul", "null")] {
            let mut cursor = Cursor::new(text);
            let is_refused = match what {
                "text" => cursor.text().is_err(),
                "boolean" => cursor.boolean().is_err(),
                _ => cursor.members_or_null(|_, _| Ok(())).is_err(),
            };
            assert!(is_refused, "{text} as {what}");
        }
    }
}
