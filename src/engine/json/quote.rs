//! Strings as JSON, of which most stand there as they are.

use super::scan;

/// Writes a string as JSON.
pub fn quote(text: &str, json: &mut String) {
    json.reserve(text.len() + 2);
    json.push('"');
    let mut rest = text;
    while let Some(at) = scan::special(rest.as_bytes()) {
        json.push_str(rest.get(..at).unwrap_or_default());
        escape(rest.as_bytes().get(at).copied().unwrap_or_default(), json);
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    json.push_str(rest);
    json.push('"');
}

#[inline]
fn escape(special: u8, json: &mut String) {
    let letter = match special {
        b'"' | b'\\' => special,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        other => return json.push_str(&format!("\\u{other:04x}")),
    };
    json.push('\\');
    json.push(char::from(letter));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_is_read_as_it_was() {
        let long = "a text that is longer than any window of bytes, \"quoted\" and \\ escaped";
        let controls: String = (0..=0x20_u8).map(char::from).collect();
        for text in ["", "plain", "\"", "é\u{1f}é", "\u{7f}\u{2028}", "tab\tline\r\n", long, &controls] {
            for before in 0..20 {
                let text = "x".repeat(before) + text;
                let mut json = String::new();
                quote(&text, &mut json);
                assert_eq!(serde_json::from_str::<String>(&json).ok(), Some(text), "{json}");
            }
        }
    }
}
