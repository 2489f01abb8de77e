//! Which texts YAML takes without quotes.
//!
//! Kept true: whoever reads YAML, 1.1 or 1.2, takes what is written for the same text.

use std::borrow::Cow;

/// Words that YAML 1.1 or 1.2 takes for something else.
const RESERVED: [&str; 12] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf", "infinity"];

/// A text as YAML on one line: as it is where every reader takes it for a text, else in double quotes.
pub fn word(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    // A string always has a JSON form.
    Cow::Owned(serde_json::to_string(text).unwrap_or_default())
}

fn is_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@');
    // A colon within a word separates nothing: `nginx:1.29`.
    let is_colon_within = !text.ends_with(':');
    begins_well
        && is_colon_within
        && text.bytes().all(|byte| is_usual(byte) || byte == b':')
        && !RESERVED.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{DocumentText, Value, parse};

    #[test]
    fn a_text_is_read_back_as_a_text() {
        for text in [
            "nginx:1.29",
            "/readyz",
            "a.b/c-d_e",
            "registry.example/a@sha256:0",
            "",
            " ",
            "100",
            "1e3",
            "true",
            "No",
            "~",
            "null",
            "0x1",
            "-",
            "a: b",
            "a:",
            "a #b",
            "{}",
            "2001-01-01",
            "=",
            "*a",
            "&a",
            "!a",
            "@a",
            "a\tb",
            ".inf",
            "é\u{7f}",
            "'",
            "\"",
            "\\",
        ] {
            let node = parse(&DocumentText::new(format!("a: {}\n", word(text)))).expect("YAML");
            assert_eq!(node.field("a").map(|value| &value.value), Some(&Value::String(text.to_owned())), "{text:?}");
        }
    }

    #[test]
    fn usual_words_go_without_quotes() {
        assert_eq!(word("registry.example.com/a:1"), "registry.example.com/a:1");
        assert_eq!(word("on"), "\"on\"");
    }
}
