//! Times as the API writes them: RFC 3339 in UTC.

use std::time::SystemTime;

use time::{Date, Month, OffsetDateTime};

/// Reads `2026-11-21T07:30:00Z`, with or without a fraction of a second, which is dropped; none for anything else.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_once('T')?;
    let (clock, fraction) = rest.strip_suffix('Z')?.split_once('.').unwrap_or((rest.strip_suffix('Z')?, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let small = |number: u16| u8::try_from(number).ok();
    let month = Month::try_from(small(month)?).ok()?;
    let date = Date::from_calendar_date(year.into(), month, small(day)?).ok()?;
    let time = date.with_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    Some(time.assume_utc().into())
}

fn numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(separator);
    let mut number = |length: usize| {
        let part = parts.next()?;
        (part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let [first, second, third] = digits;
    let numbers = [number(first)?, number(second)?, number(third)?];
    parts.next().is_none().then_some(numbers)
}

/// To the second, as `metav1.Time`.
pub(super) fn text(time: SystemTime) -> String {
    format!("{}Z", seconds(time))
}

/// To the microsecond, as `metav1.MicroTime`.
pub(super) fn text_with_micros(time: SystemTime) -> String {
    format!("{}.{:06}Z", seconds(time), OffsetDateTime::from(time).microsecond())
}

fn seconds(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time);
    let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for written in ["1970-01-01T00:00:00Z", "2026-11-21T07:30:59Z", "2028-02-29T23:59:59Z"] {
            let time = parse(written).expect("a time");
            assert_eq!(text(time), written);
            assert_eq!(text_with_micros(time), written.replace('Z', ".000000Z"));
        }
        assert_eq!(parse("2026-11-21T07:30:59.987654Z"), parse("2026-11-21T07:30:59Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let wrong = [
            "",
            "now",
            "2026-11-21",
            "2026-11-21T07:30:59",
            "2026-11-21T07:30:59+01:00",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T07:30Z",
            "2026-11-21T07:30:59.Z",
            "2026-11-21T+7:30:59Z",
            "2026-11-21T07:30:59:01Z",
        ];
        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
