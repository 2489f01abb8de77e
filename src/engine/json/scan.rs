//! Finds the end of a string and of a bracketed container, many bytes at a time where the processor can.
//!
//! The only file with `unsafe`: each block states why it is sound. The scalar twins below are the specification, and the
//! tests hold the fast versions against them. No byte outside the slice is ever read.
#![allow(unsafe_code, reason = "SIMD intrinsics; every load is from a slice or array of the size that it reads")]

/// A string that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scanned<'t> {
    /// What stands between the quotes.
    pub(super) raw: &'t [u8],
    /// The index just after the closing quote.
    pub(super) end: usize,
    pub(super) has_escapes: bool,
    is_ascii: bool,
}

impl<'t> Scanned<'t> {
    /// The text between the quotes, escapes as they are written; none if it is not UTF-8.
    #[inline(always)]
    pub(super) fn text(&self) -> Option<&'t str> {
        if self.is_ascii {
            // SAFETY: `string` alone makes a `Scanned`, and sets `is_ascii` only if every byte of `raw` is below 0x80.
            return Some(unsafe { std::str::from_utf8_unchecked(self.raw) });
        }
        std::str::from_utf8(self.raw).ok()
    }
}

/// Passes the string whose opening quote is just before `start`; none if it does not end or holds a control character.
#[inline(always)]
pub(super) fn string(text: &[u8], start: usize) -> Option<Scanned<'_>> {
    let (mut at, mut has_escapes, mut is_ascii) = (start, false, true);
    loop {
        let plain = plain_end(text, at);
        is_ascii &= plain.is_ascii;
        at = plain.end;
        match text.get(at)? {
            b'"' => return Some(Scanned { raw: text.get(start..at)?, end: at + 1, has_escapes, is_ascii }),
            b'\\' => {
                has_escapes = true;
                // What is escaped may be any byte; only escaped strings hold it, and those are read another way.
                is_ascii = false;
                at += 2;
            }
            byte if *byte < 0x20 => return None,
            byte => {
                is_ascii &= byte.is_ascii();
                at += 1;
            }
        }
    }
}

/// The index of the first quote, backslash or control character: of what cannot stand in a JSON string as it is.
pub(super) fn special(text: &[u8]) -> Option<usize> {
    let plain = plain_end(text, 0).end;
    // Where the run ends early there is one, else less than a window is left.
    let (words, rest) = text.get(plain..)?.as_chunks::<8>();
    for (place, word) in words.iter().enumerate() {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(plain + place * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    rest.iter().position(is_special).map(|at| plain + words.len() * 8 + at)
}

/// The highest bit of the first of eight bytes that is special is the lowest bit that is set; 0 if none is.
#[inline(always)]
fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    let is_below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let is = |byte: u8| is_below(word ^ (ONES * u64::from(byte)), 1);
    (is_below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7)
}

/// A run of bytes that are neither a quote nor a backslash nor a control character.
struct Plain {
    /// The first index that may be one of these.
    end: usize,
    /// Whether all bytes of the run are below 0x80.
    is_ascii: bool,
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn plain_end(text: &[u8], mut at: usize) -> Plain {
    use std::arch::x86_64::*;
    let mut high = 0u32;
    while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: SSE2 is part of x86_64, and the load reads exactly the 16 bytes of `window`.
        let (special, above) = unsafe {
            let bytes = _mm_loadu_si128(window.as_ptr().cast());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
            let special = _mm_or_si128(_mm_or_si128(quote, backslash), control);
            (_mm_movemask_epi8(special) as u32, _mm_movemask_epi8(bytes) as u32)
        };
        if special != 0 {
            // Only the bytes before the special one belong to the run.
            high |= above & (special.wrapping_sub(1) & !special);
            return Plain { end: at + special.trailing_zeros() as usize, is_ascii: high == 0 };
        }
        high |= above;
        at += 16;
    }
    Plain { end: at, is_ascii: high == 0 }
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn plain_end(_: &[u8], at: usize) -> Plain {
    Plain { end: at, is_ascii: true }
}

/// How many bytes at the start of `rest` can belong to a number, for passing one that nobody reads.
#[inline(always)]
pub(super) fn number_like_length(rest: &[u8]) -> usize {
    let is_like = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    rest.iter().take_while(is_like).count()
}

/// How many bytes at the start of `rest` are one number as RFC 8259 has it; 0 if there is none.
pub(super) fn number_length(rest: &[u8]) -> usize {
    let digits = |from: usize| rest.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let integer = usize::from(rest.first() == Some(&b'-'));
    let mut end = match digits(integer) {
        0 => return 0,
        _ if rest.get(integer) == Some(&b'0') => integer + 1,
        count => integer + count,
    };
    if rest.get(end) == Some(&b'.') {
        match digits(end + 1) {
            0 => return 0,
            count => end += 1 + count,
        }
    }
    if let Some(b'e' | b'E') = rest.get(end) {
        let exponent = end + 1 + usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        match digits(exponent) {
            0 => return 0,
            count => end = exponent + count,
        }
    }
    end
}

/// `start` is just after an opening bracket. Gives the index just after its match; none if there is none.
pub(super) fn container_end(text: &[u8], start: usize, open: u8, close: u8) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("pclmulqdq")
        && std::is_x86_feature_detected!("popcnt")
        && std::is_x86_feature_detected!("bmi1")
    {
        // SAFETY: the features that the function is compiled for have just been detected.
        return unsafe { container_end_wide(text, start, open, close) };
    }
    container_end_scalar(text, start, open, close)
}

fn container_end_scalar(text: &[u8], start: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 1usize;
    let mut in_string = false;
    let mut at = start;
    while let Some(&byte) = text.get(at) {
        match byte {
            // Outside a string a backslash is not JSON; both versions then treat it as an escape of a quote or backslash.
            b'\\' if in_string || matches!(text.get(at + 1), Some(b'"' | b'\\')) => at += 1,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            _ if byte == open => depth += 1,
            _ if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// What one block of 64 bytes hands to the next.
#[cfg(target_arch = "x86_64")]
#[derive(Default)]
struct Carry {
    /// Bit 0: the first byte of the next block is escaped.
    escaped: u64,
    /// All ones: the next block begins inside a string.
    in_string: u64,
}

/// The scalar version over blocks of 64 bytes, each byte class a mask of 64 bits.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq,popcnt,bmi1")]
fn container_end_wide(text: &[u8], start: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 1u32;
    let mut carry = Carry::default();
    let mut at = start;
    while at < text.len() {
        let rest = text.get(at..)?;
        let mut padded = [b' '; 64];
        let block = match rest.first_chunk::<64>() {
            Some(block) => block,
            None => {
                padded.get_mut(..rest.len())?.copy_from_slice(rest);
                &padded
            }
        };
        let outside = !inside_strings(block, &mut carry);
        let opening = equal(block, open) & outside;
        let mut closing = equal(block, close) & outside;
        let closed = closing.count_ones();
        if closed >= depth {
            let mut passed = 0;
            while closing != 0 {
                let bit = closing.trailing_zeros();
                passed += 1;
                if depth + (opening & ((1u64 << bit) - 1)).count_ones() == passed {
                    return Some(at + bit as usize + 1);
                }
                closing &= closing - 1;
            }
        }
        depth = depth + opening.count_ones() - closed;
        at += 64;
    }
    None
}

/// Which of the 64 bytes equal `byte`.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn equal(block: &[u8; 64], byte: u8) -> u64 {
    use std::arch::x86_64::*;
    let wanted = _mm256_set1_epi8(byte as i8);
    let half = |offset: usize| {
        // SAFETY: offset is 0 or 32, so the 32 bytes read lie within the 64 of `block`.
        let bytes = unsafe { _mm256_loadu_si256(block.as_ptr().add(offset).cast()) };
        u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, wanted)) as u32)
    };
    half(0) | half(32) << 32
}

/// Which of the 64 bytes lie within strings (opening quotes do, closing ones don't).
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,pclmulqdq")]
fn inside_strings(block: &[u8; 64], carry: &mut Carry) -> u64 {
    use std::arch::x86_64::*;
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    let backslashes = equal(block, b'\\');
    let mut quotes = equal(block, b'"');
    if backslashes | carry.escaped != 0 {
        // Runs of backslashes escape every second byte; the subtraction carries through each run at once.
        let starts = backslashes & !carry.escaped;
        let toggled = ((starts << 1) | ODD).wrapping_sub(starts) ^ ODD;
        let escaped = toggled ^ (backslashes | carry.escaped);
        carry.escaped = (toggled & backslashes) >> 63;
        quotes &= !escaped;
    }
    // Multiplying by all ones without carry is a running exclusive or: on from each opening quote to its closing one.
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, quotes as i64), _mm_set1_epi8(-1));
    let inside = _mm_cvtsi128_si64(product) as u64 ^ carry.in_string;
    carry.in_string = ((inside as i64) >> 63) as u64;
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_and_scalar_scans_find_the_same_end() {
        let mut state = 0x1234_5678u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut found = 0;
        for _ in 0..50_000 {
            let length = (next() % 300) as usize;
            let text: Vec<u8> = (0..length).map(|_| b"{{}}[]\"\"\\\\aaaaaaaa,:"[(next() % 20) as usize]).collect();
            let scalar = container_end_scalar(&text, 0, b'{', b'}');
            assert_eq!(scalar, container_end(&text, 0, b'{', b'}'), "{}", String::from_utf8_lossy(&text));
            found += u32::from(scalar.is_some());
        }
        assert!(found > 1000, "only {found} of the texts had an end");
    }

    #[test]
    fn strings_end_where_they_end_and_say_what_is_in_them() {
        let long = "x".repeat(40);
        for (inner, text, has_escapes) in [
            ("", Some(""), false),
            ("plain", Some("plain"), false),
            (&*long, Some(&*long), false),
            ("caf\u{e9} and more than sixteen bytes", Some("caf\u{e9} and more than sixteen bytes"), false),
            ("a\\\"b", Some("a\\\"b"), true),
            ("0123456789abcde\\\\", Some("0123456789abcde\\\\"), true),
        ] {
            for after in ["", ",\"next string that is long enough for a window \u{e9}\""] {
                let whole = format!("\"{inner}\"{after}");
                let scanned = string(whole.as_bytes(), 1).unwrap();
                assert_eq!((scanned.text(), scanned.has_escapes), (text, has_escapes), "{whole}");
                assert_eq!(scanned.end, inner.len() + 2, "{whole}");
            }
        }
        for bad in ["\"open", "\"control\n\"", "\"ends in a backslash\\", "\"0123456789abcdef\u{1}\""] {
            assert_eq!(string(bad.as_bytes(), 1), None, "{bad}");
        }
        assert_eq!(string(b"\"0123456789\xff\"", 1).unwrap().text(), None);
        assert_eq!(string(b"\"\xff\"", 1).unwrap().text(), None);
    }

    #[test]
    fn numbers_are_those_of_rfc_8259() {
        for (text, length) in [
            ("0", 1),
            ("-0.5e+10,", 8),
            ("01", 1),
            ("1.", 0),
            (".5", 0),
            ("-", 0),
            ("1e", 0),
            ("+1", 0),
            ("12]", 2),
            ("", 0),
        ] {
            assert_eq!(number_length(text.as_bytes()), length, "{text}");
        }
    }
}
