//! Reads strict JSON with the place of every value.
//!
//! Kept true: what it accepts is JSON without repeated keys, no deeper than [`DEPTH_LIMIT`]; everything else is an
//! error with its offset.

use super::error::Fault;
use super::parse::{Budget, DEPTH_LIMIT, check_repeated_keys};
use super::scalar::json_number;
use super::{Entry, Node, Span, Value};

/// Why a text was not read as JSON.
pub(super) enum Refusal {
    /// It is not JSON; YAML might make sense of it.
    Syntax(Fault),
    /// It is JSON, but not such as is accepted.
    Final(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Final(fault)
    }
}

/// Reads the one value that `text` holds at or after `start`.
pub(super) fn read(text: &str, start: usize) -> Result<Node, Refusal> {
    let mut reader = Reader { text, at: start, depth: 0, budget: Budget::default() };
    let node = reader.value()?;
    match reader.peek() {
        None => Ok(node),
        Some(_) => reader.refuse("there is more text after the end of the JSON value"),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    budget: Budget,
}

impl<'a> Reader<'a> {
    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn refuse<T>(&self, message: &str) -> Result<T, Refusal> {
        Err(Refusal::Syntax(Fault::new(self.at, message)))
    }

    fn value(&mut self) -> Result<Node, Refusal> {
        let first = self.peek();
        let start = self.at;
        self.budget.spend(1, start)?;
        let value = match first {
            Some(b'{') => self.nested(Self::map)?,
            Some(b'[') => self.nested(Self::list)?,
            Some(b'"') => Value::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            None => return self.refuse("the JSON ends in the middle of a value"),
            Some(_) => return self.refuse("a JSON value is expected here"),
        };
        Ok(Node { value, span: Span::new(start, self.at) })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Refusal>) -> Result<Value, Refusal> {
        if self.depth == DEPTH_LIMIT {
            return Err(Budget::too_deep(self.at).into());
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn list(&mut self) -> Result<Value, Refusal> {
        let mut items = Vec::new();
        if self.closes(b']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.closes(b']') {
                return Ok(Value::List(items));
            }
            self.comma("`,` or `]` is expected after a list's item")?;
        }
    }

    fn map(&mut self) -> Result<Value, Refusal> {
        let mut entries = Vec::new();
        if self.closes(b'}') {
            return Ok(Value::Map(entries));
        }
        loop {
            entries.push(self.entry()?);
            if self.closes(b'}') {
                check_repeated_keys(&entries)?;
                return Ok(Value::Map(entries));
            }
            self.comma("`,` or `}` is expected after a value")?;
        }
    }

    fn entry(&mut self) -> Result<Entry, Refusal> {
        if self.peek() != Some(b'"') {
            return self.refuse("a key in double quotes is expected here");
        }
        let start = self.at;
        let key = self.string()?;
        let key_span = Span::new(start, self.at);
        if self.peek() != Some(b':') {
            return self.refuse("`:` is expected after a key");
        }
        self.at += 1;
        Ok(Entry { key, key_span, value: self.value()? })
    }

    fn closes(&mut self, bracket: u8) -> bool {
        let closes = self.peek() == Some(bracket);
        self.at += usize::from(closes);
        closes
    }

    fn comma(&mut self, message: &str) -> Result<(), Refusal> {
        if self.peek() != Some(b',') {
            return self.refuse(message);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return self.refuse("a JSON value is expected here");
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().take_while(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        let text = rest.get(..length).unwrap_or_default();
        if !is_number(text) {
            return self.refuse("this is not a number as JSON writes it");
        }
        let Some(number) = json_number(text) else {
            return Err(Fault::new(self.at, format!("the number {text} is too large")).into());
        };
        self.at += length;
        Ok(Value::Number(number))
    }

    /// Reads a string, from its opening quote to behind the closing one.
    fn string(&mut self) -> Result<String, Refusal> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            string.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match rest.as_bytes().get(plain) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return self.refuse("a control character or line end within a string"),
                None => return self.refuse("a string is not closed"),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Refusal> {
        let escaped = self.text.as_bytes().get(self.at + 1).copied();
        let character = match escaped {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            _ => return self.refuse("JSON has no such escape"),
        };
        self.at += 2;
        Ok(character)
    }

    /// Reads `\uXXXX`, or two of them that are a surrogate pair; half a pair becomes U+FFFD, as in Go.
    fn unicode_escape(&mut self) -> Result<char, Refusal> {
        let Some(unit) = self.hexadecimal(self.at) else { return self.refuse("`\\u` needs four hexadecimal digits") };
        let low = self.hexadecimal(self.at + 6).filter(|low| matches!(low, 0xDC00..0xE000));
        self.at += 6;
        if let (0xD800..0xDC00, Some(low)) = (unit, low) {
            self.at += 6;
            let point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return Ok(char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hexadecimal(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

/// True for a number in JSON's grammar.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}
