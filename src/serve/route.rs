//! Which phase a request is for, how long it may take, and which requests are refused by their head alone.

use std::time::Duration;

use hyper::header::CONTENT_TYPE;
use hyper::{HeaderMap, Method, Uri};

use crate::engine::Phase;

/// Why a request is refused by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misdirected {
    Path,
    Method,
    ContentType,
}

pub(super) fn phase(uri: &Uri, method: &Method, headers: &HeaderMap) -> Result<Phase, (Option<Phase>, Misdirected)> {
    let phase = match uri.path() {
        "/validate" => Phase::Validate,
        "/mutate" => Phase::Mutate,
        _ => return Err((None, Misdirected::Path)),
    };
    if method != Method::POST {
        return Err((Some(phase), Misdirected::Method));
    }
    if !headers.get(CONTENT_TYPE).is_some_and(|value| is_json(value.as_bytes())) {
        return Err((Some(phase), Misdirected::ContentType));
    }
    Ok(phase)
}

/// `application/json`, whatever parameters follow.
fn is_json(content_type: &[u8]) -> bool {
    let media_type = content_type.split(|byte| *byte == b';').next().unwrap_or_default();
    media_type.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The time that `?timeout=` grants, in Go's duration syntax; none if there is none or it makes no sense.
pub(super) fn timeout(uri: &Uri) -> Option<Duration> {
    let value = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    go_duration(value).filter(|timeout| !timeout.is_zero())
}

/// Reads `5s`, `1m30s`, `250ms` or `1.5s` as Go's `time.ParseDuration` does; none for a negative or unreadable one.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit_and_rest) = rest.split_at_checked(number_ends)?;
        let unit_ends = unit_and_rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(unit_and_rest.len());
        let (unit, after) = unit_and_rest.split_at_checked(unit_ends)?;
        seconds += number.parse::<f64>().ok()? * unit_in_seconds(unit)?;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok().filter(|_| !text.is_empty())
}

fn unit_in_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        let read = [
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("1.5s", 1_500),
            (".5s", 500),
            ("+2s", 2_000),
            ("1h", 3_600_000),
            ("0", 0),
            ("1000us", 1),
        ];
        for (text, millis) in read {
            assert_eq!(go_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "5", "s", "-5s", "5 s", "5s ", ".s", "1.2.3s", "5parsecs", "1e3s", "99999999999999999999h"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn the_timeout_may_stand_anywhere_in_the_query() {
        let of = |uri: &str| timeout(&uri.parse().expect("a URI"));
        assert_eq!(of("/validate?timeout=3s"), Some(Duration::from_secs(3)));
        assert_eq!(of("/validate?a=b&timeout=3s"), Some(Duration::from_secs(3)));
        for uri in ["/validate", "/validate?", "/validate?timeout=", "/validate?timeout=0s", "/validate?timeouts=3s"] {
            assert_eq!(of(uri), None, "{uri}");
        }
    }

    #[test]
    fn parameters_of_the_content_type_do_not_matter() {
        for good in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=UTF-8"] {
            assert!(is_json(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "text/plain", "application/json-patch+json", "application/x-www-form-urlencoded; application/json"]
        {
            assert!(!is_json(bad.as_bytes()), "{bad}");
        }
    }
}
