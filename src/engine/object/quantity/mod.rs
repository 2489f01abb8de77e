//! Kubernetes quantities: `100m`, `1.5Gi`, `1e3`, `0.5`.
//!
//! Source: pkg/api/resource of k8s.io/apimachinery v0.37.1. Every spelling that it reads is read, to the same value: counted in
//! billionths, with what is finer rounded away from zero, and binary amounts capped at 2^63-1. Nothing is ever a floating-point number.
//!
//! Kept true: an operation gives the exact result, rounded only where it says so, or an error; it never wraps.

mod spelling;

use std::fmt;

pub use spelling::Precision;

/// An amount of a resource, exact to a billionth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

/// Why a text is no quantity, or a calculation has none for a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("{0} is no quantity: write a number with at most one suffix, such as 100m, 0.5, 2, 64Mi, 1.5Gi or 1e3")]
    NotAQuantity(String),
    #[error("{0} is more than any resource can be")]
    TooLarge(String),
    #[error("{0} is no positive decimal number with at most nine decimals, such as 1.5")]
    NotARatio(String),
}

const NANOS: i128 = 1_000_000_000;
/// In whole units; beyond what any sum of real resources comes to, and far from what an `i128` of billionths holds.
const MOST: i128 = 1_000_000_000_000_000_000_000_000;
/// What binary amounts are capped at, as upstream caps them.
const MOST_BINARY: i128 = i64::MAX as i128;

impl Quantity {
    pub const ZERO: Self = Self { nanos: 0 };
    /// The finest step of amounts that the API keeps: it rounds up to thousandths.
    pub const MILLI: Self = Self { nanos: 1_000_000 };
    pub const ONE: Self = Self { nanos: NANOS };
    /// The largest that there is: 10^24.
    pub const MOST: Self = Self { nanos: MOST * NANOS };

    /// Reads what `resource.ParseQuantity` reads, blanks around it aside, which its JSON may have.
    ///
    /// # Errors
    /// It is no quantity, or larger than 10^24.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let spelling = Spelling::of(text.trim_ascii()).ok_or_else(|| QuantityError::NotAQuantity(shown(text)))?;
        let nanos = spelling.nanos().ok_or_else(|| QuantityError::TooLarge(shown(text)))?;
        Self::within_bounds(nanos).ok_or_else(|| QuantityError::TooLarge(shown(text)))
    }

    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it is a whole number.
    pub fn is_whole(self) -> bool {
        self.nanos % NANOS == 0
    }

    /// Whether it is a multiple of `step`; everything is one of zero.
    pub fn is_multiple_of(self, step: Self) -> bool {
        step.is_zero() || self.nanos % step.nanos == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// It is too large.
    pub fn plus(self, other: Self) -> Result<Self, QuantityError> {
        let sum = self.nanos.checked_add(other.nanos).and_then(Self::within_bounds);
        sum.ok_or_else(|| QuantityError::TooLarge(format!("{self} + {other}")))
    }

    /// The difference, which may be negative.
    pub fn minus(self, other: Self) -> Self {
        // Both are far below what an i128 holds.
        Self { nanos: self.nanos - other.nanos }
    }

    /// So many times as much, rounded up to a billionth.
    ///
    /// # Errors
    /// It is too large.
    pub fn times(self, ratio: Ratio) -> Result<Self, QuantityError> {
        self.scaled(ratio.billionths, NANOS)
    }

    /// So many percent of it, rounded up to a billionth.
    ///
    /// # Errors
    /// It is too large.
    pub fn percent(self, ratio: Ratio) -> Result<Self, QuantityError> {
        self.scaled(ratio.billionths, NANOS * 100)
    }

    /// It divided by the ratio, rounded up to a billionth.
    ///
    /// # Errors
    /// It is too large.
    pub fn divided_by(self, ratio: Ratio) -> Result<Self, QuantityError> {
        self.scaled(NANOS, ratio.billionths)
    }

    fn scaled(self, numerator: i128, denominator: i128) -> Result<Self, QuantityError> {
        let (whole, rest) = (self.nanos.div_euclid(denominator), self.nanos.rem_euclid(denominator));
        let exact = || {
            let rest = rest.checked_mul(numerator)?;
            let rest = rest / denominator + i128::from(rest % denominator != 0);
            Self::within_bounds(whole.checked_mul(numerator)?.checked_add(rest)?)
        };
        exact().ok_or_else(|| QuantityError::TooLarge(format!("a multiple of {self}")))
    }

    /// The least multiple of `step` that is not below it; itself if `step` is not positive.
    ///
    /// # Errors
    /// It is too large.
    pub fn rounded_up(self, step: Self) -> Result<Self, QuantityError> {
        let down = self.rounded_down(step);
        if down == self { Ok(self) } else { down.plus(step) }
    }

    /// The greatest multiple of `step` that is not above it; itself if `step` is not positive.
    #[must_use]
    pub fn rounded_down(self, step: Self) -> Self {
        if step.nanos <= 0 { self } else { Self { nanos: self.nanos - self.nanos.rem_euclid(step.nanos) } }
    }

    fn within_bounds(nanos: i128) -> Option<Self> {
        (nanos.unsigned_abs() <= (MOST * NANOS).unsigned_abs()).then_some(Self { nanos })
    }

    /// How it is written as an amount of this resource: memory, storage and huge pages with a binary suffix where that is exact, all
    /// else as [`Display`](fmt::Display) has it.
    pub fn written_for(self, resource: &str) -> String {
        let is_bytes =
            matches!(resource, "memory" | "ephemeral-storage" | "storage") || resource.starts_with("hugepages-");
        if is_bytes && self.is_whole() { binary(self.nanos / NANOS) } else { self.to_string() }
    }
}

/// As a whole number or, where it is none, in the coarsest of `m`, `u` and `n` that is exact.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = [(NANOS, ""), (1_000_000, "m"), (1_000, "u"), (1, "n")];
        let (step, suffix) = steps.into_iter().find(|(step, _)| self.nanos % step == 0).unwrap_or((1, "n"));
        write!(f, "{}{suffix}", self.nanos / step)
    }
}

fn binary(bytes: i128) -> String {
    let steps = [(60, "Ei"), (50, "Pi"), (40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    let exact = steps.into_iter().find(|(shift, _)| bytes != 0 && bytes % (1_i128 << shift) == 0);
    exact.map_or_else(|| bytes.to_string(), |(shift, suffix)| format!("{}{suffix}", bytes >> shift))
}

/// A positive decimal number, exact to a billionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ratio {
    billionths: i128,
}

impl Ratio {
    pub const ONE: Self = Self { billionths: NANOS };

    /// Reads digits with at most one point in them.
    ///
    /// # Errors
    /// It is not positive, is finer than a billionth, is above a billion, or is written otherwise.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let error = || QuantityError::NotARatio(shown(text));
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !is_plain || whole.is_empty() || whole.len() > 9 || decimals.trim_end_matches('0').len() > 9 {
            return Err(error());
        }
        Self::of(Quantity::parse(text).map_err(|_| error())?).ok_or_else(error)
    }

    /// A quantity that stands for a number, such as a LimitRange's `maxLimitRequestRatio`; none if it is not positive.
    pub fn of(quantity: Quantity) -> Option<Self> {
        (quantity.nanos > 0).then_some(Self { billionths: quantity.nanos })
    }
}

/// A quantity taken apart, as upstream's scanner does it: it asks for no digit, so that `m` and `.` are zero.
struct Spelling<'t> {
    is_negative: bool,
    whole: &'t str,
    decimals: &'t str,
    suffix: Suffix,
}

enum Suffix {
    /// So many powers of ten.
    Decimal(i64),
    /// So many powers of two.
    Binary(u32),
}

impl<'t> Spelling<'t> {
    fn of(text: &'t str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let (is_negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, rest) = digits(unsigned);
        let (decimals, suffix) = rest.strip_prefix('.').map_or(("", rest), digits);
        let suffix = Suffix::of(suffix)?;
        let has_digits = !whole.is_empty() || !decimals.is_empty();
        // Upstream reads these by another way, which does want a digit.
        let wants_digits = matches!(suffix, Suffix::Binary(50..) | Suffix::Decimal(..-9));
        (has_digits || !wants_digits).then_some(Self { is_negative, whole, decimals, suffix })
    }

    /// The value in billionths, rounded away from zero; none if it is too large to tell.
    fn nanos(&self) -> Option<i128> {
        let magnitude = match self.suffix {
            Suffix::Decimal(exponent) => self.decimal(exponent.checked_add(9)?)?,
            Suffix::Binary(shift) => self.binary(shift)?.min(MOST_BINARY * NANOS),
        };
        Some(if self.is_negative { -magnitude } else { magnitude })
    }

    /// The digits with the point moved so many places to the right.
    fn decimal(&self, places: i64) -> Option<i128> {
        let all = || self.whole.bytes().chain(self.decimals.bytes()).map(|digit| i128::from(digit - b'0'));
        if all().all(|digit| digit == 0) {
            return Some(0);
        }
        let point = i64::try_from(self.whole.len()).ok()?.checked_add(places)?;
        let before = usize::try_from(point).unwrap_or(0);
        let length = self.whole.len() + self.decimals.len();
        let mut value = all().take(before).try_fold(0, push)?;
        // A value that is not zero passes the bounds long before this many rounds.
        for _ in length..before {
            value = push(value, 0)?;
        }
        let is_cut = all().skip(before).any(|digit| digit != 0);
        value.checked_add(i128::from(is_cut))
    }

    /// The digits times a power of two. The decimals are multiplied digit by digit, so that there may be any number of them.
    fn binary(&self, shift: u32) -> Option<i128> {
        let factor = NANOS << shift;
        // Past the cap it does not matter by how much.
        let whole = self.whole.bytes().map(|digit| i128::from(digit - b'0')).try_fold(0, push);
        let whole = whole.unwrap_or(MOST_BINARY).min(MOST_BINARY);
        let (mut carry, mut is_cut) = (0, false);
        for digit in self.decimals.bytes().rev() {
            let product = i128::from(digit - b'0') * factor + carry;
            carry = product / 10;
            is_cut |= product % 10 != 0;
        }
        whole
            .checked_mul(factor)
            .map_or(Some(MOST_BINARY * NANOS), |whole| whole.checked_add(carry + i128::from(is_cut)))
    }
}

/// One more digit, unless the number has become too large.
fn push(value: i128, digit: i128) -> Option<i128> {
    value.checked_mul(10)?.checked_add(digit)
}

/// The digits at the beginning, and what follows them.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at_checked(end).unwrap_or((text, ""))
}

impl Suffix {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "n" => Self::Decimal(-9),
            "u" => Self::Decimal(-6),
            "m" => Self::Decimal(-3),
            "" => Self::Decimal(0),
            "k" => Self::Decimal(3),
            "M" => Self::Decimal(6),
            "G" => Self::Decimal(9),
            "T" => Self::Decimal(12),
            "P" => Self::Decimal(15),
            "E" => Self::Decimal(18),
            "Ki" => Self::Binary(10),
            "Mi" => Self::Binary(20),
            "Gi" => Self::Binary(30),
            "Ti" => Self::Binary(40),
            "Pi" => Self::Binary(50),
            "Ei" => Self::Binary(60),
            other => Self::Decimal(exponent(other.strip_prefix(['e', 'E'])?)?),
        })
    }
}

/// A power of ten. Upstream keeps 32 bits of it; what does not fit into them is no exponent here.
fn exponent(text: &str) -> Option<i64> {
    let is_plain =
        text.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || (at == 0 && matches!(byte, b'+' | b'-')));
    if is_plain { text.parse::<i32>().ok().map(i64::from) } else { None }
}

/// The text for an error: short, and nothing that would break a line.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests;
