//! What a YAML scalar means: kubectl's reading, which is that of go-yaml v2.
//!
//! Source: go.yaml.in/yaml/v2 v2.4.2 (`resolve.go`, `decode.go`) and sigs.k8s.io/yaml v1.6.0 (`yaml.go`), which
//! kubectl 1.37 is built with. Its quirks are kept: `y` and `on` are true, `010` is 8, `1_000` is 1000, `08` is 8.

use base64::Engine;
use saphyr_parser::Tag;

use super::Value;

/// A scalar's meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// Every integer from -2^63 to 2^64-1.
    Integer(i128),
    Float(f64),
    Text,
    /// Text that differs from what is written.
    Decoded(String),
}

impl Scalar {
    /// What `text` means; `plain` when it is not quoted. An error says why the tag does not fit.
    pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Self, String> {
        let Some(tag) = tag else {
            return Ok(if plain { Self::untagged(text) } else { Self::Text });
        };
        match short(tag).as_deref() {
            Some("binary") => binary(text),
            Some(name @ ("bool" | "int" | "float" | "null")) => Self::tagged(text, name),
            _ => Ok(Self::Text),
        }
    }

    /// What plain text without a tag means.
    fn untagged(text: &str) -> Self {
        match text.as_bytes().first() {
            Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') | None => word(text),
            Some(b'.') => match word(text) {
                Self::Text => finite(text).map_or(Self::Text, Scalar::Float),
                special => special,
            },
            Some(b'+' | b'-' | b'0'..=b'9') => match word(text) {
                Self::Text => number(text),
                special => special,
            },
            _ => Self::Text,
        }
    }

    fn tagged(text: &str, name: &str) -> Result<Self, String> {
        match (name, Self::untagged(text)) {
            ("float", Self::Integer(integer)) => Ok(Self::Float(integer as f64)),
            (_, scalar) if scalar.kind() == name => Ok(scalar),
            _ => Err(format!("`{text}` is not what its tag `!!{name}` says")),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Integer(_) => "int",
            Self::Float(_) => "float",
            Self::Text | Self::Decoded(_) => "str",
        }
    }

    /// The value as JSON has it. JSON has no word for infinity and for what is not a number.
    pub(super) fn into_value(self, text: std::borrow::Cow<'_, str>) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Integer(integer) => Value::Number(integer.to_string()),
            Self::Float(float) if float.is_finite() => Value::Number(float_text(float)),
            Self::Float(_) => return Err(format!("`{text}` is a number that JSON cannot express")),
            Self::Text => Value::String(text.into_owned()),
            Self::Decoded(decoded) => Value::String(decoded),
        })
    }

    /// The scalar as a key: numbers and truth values become strings, null cannot.
    pub(super) fn into_key(self, text: std::borrow::Cow<'_, str>) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(truth) => truth.to_string(),
            Self::Integer(integer) => integer.to_string(),
            Self::Float(float) => float_key(float),
            Self::Text => text.into_owned(),
            Self::Decoded(decoded) => decoded,
        })
    }
}

/// The name of one of YAML's own tags.
fn short(tag: &Tag) -> Option<String> {
    format!("{}{}", tag.handle, tag.suffix).strip_prefix("tag:yaml.org,2002:").map(str::to_owned)
}

/// The words that stand for something else than themselves.
fn word(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => Scalar::Text,
    }
}

/// Text that begins with a sign or a digit.
fn number(text: &str) -> Scalar {
    let digits = text.replace('_', "");
    match integer(&digits) {
        Some(integer) => Scalar::Integer(integer),
        None if is_float(&digits) => finite(&digits).map_or(Scalar::Text, Scalar::Float),
        None => Scalar::Text,
    }
}

/// An integer as Go writes it: decimal, `0x`, `0o`, `0b`, or octal after a leading zero; a sign only up to 63 bits.
/// A sign behind `0b` is go-yaml's own.
fn integer(text: &str) -> Option<i128> {
    if let Some(signed) = text.strip_prefix("0b").filter(|digits| digits.starts_with(['+', '-'])) {
        return i64::from_str_radix(signed, 2).ok().map(i128::from);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, unsigned.get(2..)?),
        [b'0', _, ..] => (8, unsigned.get(1..)?),
        _ => (10, unsigned),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if text.starts_with('-') { -magnitude } else { magnitude };
    let signed = unsigned.len() != text.len();
    (!signed || i64::try_from(value).is_ok()).then_some(value)
}

/// Digits with at most one point and an exponent.
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some = !whole.is_empty() || !fraction.is_empty();
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    some && digits(whole) && digits(fraction) && exponent.is_none_or(|part| !part.is_empty() && digits(part))
}

/// The float that `text` writes, unless it is beyond what 64 bits hold. Single underscores between digits are allowed.
fn finite(text: &str) -> Option<f64> {
    let separated = text
        .as_bytes()
        .windows(3)
        .filter(|around| matches!(around, [_, b'_', _]))
        .all(|around| matches!(around, [left, _, right] if left.is_ascii_digit() && right.is_ascii_digit()));
    let digits = text.replace('_', "");
    if !separated || text.ends_with('_') || !is_float(&digits) {
        return None;
    }
    digits.parse().ok().filter(|float: &f64| float.is_finite())
}

/// A number of a JSON text as kubectl passes it on: integers as they are, everything else as a float of 64 bits.
pub(super) fn json_number(text: &str) -> Option<String> {
    let whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if let Some(integer) = integer(text).filter(|_| whole) {
        return Some(integer.to_string());
    }
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(float_text)
}

/// A finite float as Go's JSON encoder writes it.
fn float_text(float: f64) -> String {
    let size = float.abs();
    if float == 0.0 || (1e-6..1e21).contains(&size) {
        return float.to_string();
    }
    signed_exponent(&format!("{float:e}"), 1)
}

/// A float as a key: Go's shortest form for 32 bits.
fn float_key(float: f64) -> String {
    let float = float as f32;
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let exponent = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()).unwrap_or(0);
    if (-4..6).contains(&exponent) { float.to_string() } else { signed_exponent(&scientific, 2) }
}

/// Gives the exponent of `1e21` its sign and at least so many digits: `1e+21`.
fn signed_exponent(scientific: &str, digits: usize) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{exponent:0>digits$}")
}

/// What `!!binary` holds; bytes that are not UTF-8 become U+FFFD, as in Go.
fn binary(text: &str) -> Result<Scalar, String> {
    let compact: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
    match base64::engine::general_purpose::STANDARD.decode(compact) {
        Ok(bytes) => Ok(Scalar::Decoded(String::from_utf8_lossy(&bytes).into_owned())),
        Err(_) => Err("the text after `!!binary` is not base64".to_owned()),
    }
}
