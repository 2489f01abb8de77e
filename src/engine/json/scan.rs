//! Finds the end of a string and of a bracketed container, many bytes at a time where the processor can.
//!
//! The only file with `unsafe`: each block states why it is sound. The scalar twins below are the specification, and the
//! tests hold the fast versions against them. No byte outside the slice is ever read.
#![allow(unsafe_code, reason = "SIMD intrinsics; every load is from a slice or array of the size that it reads")]

/// `start` is just after the opening quote. Gives the index of the closing quote and whether an escape came before it;
/// none if the string does not end or holds a control character.
#[inline(always)]
pub(super) fn string_end(text: &[u8], start: usize) -> Option<(usize, bool)> {
    let mut at = start;
    let mut escaped = false;
    loop {
        at = plain_end(text, at);
        match text.get(at)? {
            b'"' => return Some((at, escaped)),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            byte if *byte < 0x20 => return None,
            _ => at += 1,
        }
    }
}

/// The first index from `at` that may be a quote, a backslash or a control character.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn plain_end(text: &[u8], mut at: usize) -> usize {
    use std::arch::x86_64::*;
    while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: SSE2 is part of x86_64, and the load reads exactly the 16 bytes of `window`.
        let special = unsafe {
            let bytes = _mm_loadu_si128(window.as_ptr().cast());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)) as u32
        };
        if special != 0 {
            return at + special.trailing_zeros() as usize;
        }
        at += 16;
    }
    at
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn plain_end(_: &[u8], at: usize) -> usize {
    at
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
