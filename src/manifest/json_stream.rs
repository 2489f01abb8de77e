//! Finds where one JSON value ends and the next begins, without reading the values.
//!
//! Kept true: it never cuts a text that is not JSON. At the first byte that JSON cannot have at its place it gives up,
//! and the text is left whole; for YAML's flow style (`{a: b}`) that is its first key.

/// The state between the lines of a text that begins with `{` or `[`.
#[derive(Debug, Default)]
pub(super) struct JsonStream {
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The last byte that was not white space, outside of strings.
    last: u8,
}

/// What was found in a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value, or the blank space after it, goes on.
    Within,
    /// Another value begins at this byte.
    Next(usize),
    /// The text is not JSON.
    NotJson,
}

impl JsonStream {
    /// Follows the text on through `line`.
    pub(super) fn follow(&mut self, line: &[u8]) -> Progress {
        for (at, byte) in line.iter().enumerate() {
            if self.in_string {
                self.within_string(*byte);
            } else if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                continue;
            } else if self.depth == 0 && self.last != 0 {
                return if matches!(byte, b'{' | b'[') { Progress::Next(at) } else { Progress::NotJson };
            } else if !self.outside_string(*byte) {
                return Progress::NotJson;
            } else {
                self.last = *byte;
            }
        }
        Progress::Within
    }

    fn within_string(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else {
            self.escaped = byte == b'\\';
            self.in_string = byte != b'"';
        }
    }

    /// Takes a byte outside of strings; false when JSON cannot have it here.
    fn outside_string(&mut self, byte: u8) -> bool {
        match byte {
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            b'"' => self.in_string = true,
            b',' | b':' => return true,
            b'0'..=b'9' | b'+' | b'-' | b'.' | b'a'..=b'z' | b'E' => return self.last != b'{',
            _ => return false,
        }
        byte != b'"' || matches!(self.last, b'{' | b'[' | b',' | b':')
    }
}
