//! Lengths of time as people write them.

use std::time::Duration;

/// Reads `90d`, `12h`, `30m` or `10s`, in whole numbers.
///
/// # Errors
/// What to write instead.
pub(super) fn whole(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and a unit, such as 90d, 12h, 30m or 10s".to_owned();
    let (number, seconds) = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or_else(wrong)?;
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_numbers_with_units() {
        let read = [("90s", 90), ("30m", 1_800), ("1h", 3_600), ("1d", 86_400), ("0s", 0)];
        for (text, seconds) in read {
            assert_eq!(whole(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "h", "1", "-1h", "1.5h", "1w", "99999999999h", "one hour"] {
            assert!(whole(text).is_err(), "{text}");
        }
    }
}
