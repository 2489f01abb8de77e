//! How the API server writes an amount that it has read.
//!
//! Source: `ParseQuantity`, `RoundUp` and `CanonicalizeBytes` of pkg/api/resource of k8s.io/apimachinery v0.37.1.
//!
//! Kept true: what is written is read as the same amount, where upstream itself keeps that (it has no suffix for 10^21), and a spelling
//! that was written so once is written so again.

use super::{NANOS, Quantity, QuantityError, Spelling, Suffix, digits};

/// How fine the amounts of a field are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Rounded up to thousandths, as in every list of resources (`SetDefaults_ResourceList`).
    Thousandths,
    /// As it is.
    Exact,
}

/// The three ways in which amounts are written; an amount keeps to that in which it was read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notation {
    Decimal,
    Exponent,
    Binary,
}

impl Quantity {
    /// The amount of this spelling as the API server writes it: a whole number with the largest suffix of the same notation that is
    /// exact. What has that form already, or passes for it, stays to the letter: `+1`, `01` and `1.500` do.
    ///
    /// # Errors
    /// It is no quantity, or larger than 10^24.
    pub fn respelled(text: &str, precision: Precision) -> Result<String, QuantityError> {
        let text = text.trim_ascii();
        let amount = Self::parse(text)?;
        let Some(spelling) = Spelling::of(text) else { return Ok(text.to_owned()) };
        if spelling.is_kept(precision) {
            return Ok(text.to_owned());
        }
        let amount = match precision {
            Precision::Thousandths => amount.rounded_from_zero()?,
            Precision::Exact => amount,
        };
        let notation = match spelling.suffix {
            Suffix::Binary(_) => Notation::Binary,
            Suffix::Decimal(_) if text.ends_with(|end: char| end.is_ascii_digit()) && has_exponent(text) => {
                Notation::Exponent
            }
            Suffix::Decimal(_) => Notation::Decimal,
        };
        Ok(amount.written_in(notation))
    }

    fn rounded_from_zero(self) -> Result<Self, QuantityError> {
        let magnitude = if self.is_negative() { Self::ZERO.minus(self) } else { self };
        let rounded = magnitude.rounded_up(Self::MILLI)?;
        Ok(if self.is_negative() { Self::ZERO.minus(rounded) } else { rounded })
    }

    fn written_in(self, notation: Notation) -> String {
        // A small amount has no binary suffix, and a broken one none that is exact.
        let is_binary = self.is_whole() && self.nanos.abs() >= 1024 * NANOS;
        match notation {
            Notation::Binary if is_binary => super::binary(self.nanos / NANOS),
            Notation::Binary | Notation::Decimal => {
                let (mantissa, exponent) = self.in_thousands();
                let suffixes =
                    [(-9, "n"), (-6, "u"), (-3, "m"), (3, "k"), (6, "M"), (9, "G"), (12, "T"), (15, "P"), (18, "E")];
                let suffix = suffixes.iter().find(|(power, _)| *power == exponent).map_or("", |(_, suffix)| suffix);
                format!("{mantissa}{suffix}")
            }
            Notation::Exponent => match self.in_thousands() {
                (mantissa, 0) => mantissa.to_string(),
                (mantissa, exponent) => format!("{mantissa}e{exponent}"),
            },
        }
    }

    /// As a whole number and a power of ten, the greatest that is a multiple of three.
    fn in_thousands(self) -> (i128, i32) {
        let (mut mantissa, mut exponent) = (self.nanos, -9);
        while mantissa != 0 && mantissa % 1000 == 0 {
            (mantissa, exponent) = (mantissa / 1000, exponent + 3);
        }
        if mantissa == 0 { (0, 0) } else { (mantissa, exponent) }
    }
}

/// Digits that `ParseQuantity` takes without big numbers.
const MOST_DIGITS: usize = 18;

impl Spelling<'_> {
    /// Whether upstream remembers the text, as it takes it for the form in which it would write the amount itself.
    fn is_kept(&self, precision: Precision) -> bool {
        let whole = self.whole.trim_start_matches('0');
        let written = if whole.is_empty() { "0" } else { whole };
        let length = written.len() + self.decimals.len();
        match self.suffix {
            Suffix::Decimal(exponent) => {
                let scale = i64::try_from(self.decimals.len()).map_or(i64::MIN, |decimals| exponent - decimals);
                let finest = if precision == Precision::Thousandths { -3 } else { -9 };
                let has_thousands =
                    written.bytes().chain(self.decimals.bytes()).rev().take(3).all(|digit| digit == b'0');
                length <= MOST_DIGITS
                    && scale >= finest
                    && scale % 3 == 0
                    && !(has_thousands && length >= 3)
                    && !written.starts_with('0')
            }
            Suffix::Binary(shift) => {
                let value: Option<i64> = written.parse().ok();
                let fits = value.and_then(|value| value.checked_mul(1_i64.checked_shl(shift)?)).is_some();
                // A power of two has about three decimal digits for every ten binary ones.
                let is_short = written.len() + usize::try_from(shift * 3 / 10).unwrap_or(MOST_DIGITS) < 15;
                self.decimals.is_empty() && is_short && fits && value.is_some_and(|value| value & 7 != 0)
            }
        }
    }
}

/// Whether a spelling that ends with a digit has an exponent: a suffix is all that follows its digits and its point.
fn has_exponent(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    let (_, rest) = digits(unsigned);
    let (_, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
    !suffix.is_empty()
}
