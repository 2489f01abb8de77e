//! Cuts the bytes of a watch into lines, an event each.

use bytes::{Bytes, BytesMut};

use super::error::ClusterError;

/// The longest line, in bytes; an object in etcd has at most about 1.5 MiB.
const LONGEST: usize = 8 << 20;

#[derive(Debug, Default)]
pub(super) struct Lines {
    rest: BytesMut,
}

impl Lines {
    /// Takes in what came.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    ///
    /// # Errors
    /// A line that does not end within its bound.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, ClusterError> {
        let Some(end) = memchr::memchr(b'\n', &self.rest) else {
            return if self.rest.len() > LONGEST { Err(ClusterError::TooLarge(LONGEST)) } else { Ok(None) };
        };
        let mut line = self.rest.split_to(end + 1);
        line.truncate(end);
        Ok(Some(line.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_given_once_its_end_has_come() {
        let mut lines = Lines::default();
        lines.push(b"one\ntw");
        assert_eq!(lines.next().ok().flatten().as_deref(), Some(&b"one"[..]));
        assert!(matches!(lines.next(), Ok(None)));
        lines.push(b"o\n\nthree");
        assert_eq!(lines.next().ok().flatten().as_deref(), Some(&b"two"[..]));
        assert_eq!(lines.next().ok().flatten().as_deref(), Some(&b""[..]));
        assert!(matches!(lines.next(), Ok(None)));
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; LONGEST + 1]);
        assert!(matches!(lines.next(), Err(ClusterError::TooLarge(LONGEST))));
    }
}
