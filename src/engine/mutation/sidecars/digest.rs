//! A small stable hash of texts: FNV-1a of 64 bits with a finisher, so that its remainders are even too.
//!
//! It decides which revision a workload has and tells renderings apart. It protects nothing: what it says is a hint.

/// The hash of these texts, in which `["ab", "c"]` and `["a", "bc"]` differ.
pub(super) fn digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for text in texts {
        for byte in text.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    finish(hash)
}

/// A hash as it is written: sixteen hexadecimal digits.
pub(super) fn hexadecimal(hash: u64) -> String {
    let digit = |place: u32| char::from_digit((hash >> (place * 4)) as u32 & 0xf, 16).unwrap_or_default();
    (0..16).rev().map(digit).collect()
}

/// Spreads every bit over all others (the last step of MurmurHash3).
fn finish(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_sixteen_digits() {
        for hash in [0, 0xab, u64::MAX, digest(["a", "b"])] {
            assert_eq!(hexadecimal(hash), format!("{hash:016x}"));
        }
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
