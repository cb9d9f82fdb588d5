//! `Retry-After` (RFC 9110 §10.2.3) as a pure function: seconds, or a date in one of HTTP's three forms.

use jiff::Timestamp;
use std::time::Duration;

/// A wait beyond a year means the same as a year; callers cap it far lower.
const SECONDS_MAX: f64 = 365.0 * 86_400.0;

/// How long the receiver asks to be left alone, from `now`. A past date is zero; what can't be read is `None`, as if
/// nothing had been said. Fractions of seconds are outside the RFC but are sent, and are taken.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit()) && value.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let seconds: f64 = value.parse().ok()?;
        return Some(Duration::from_secs_f64(seconds.min(SECONDS_MAX)));
    }
    let at = Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()?;
    let wait = at.duration_since(now).as_secs_f64();
    Some(Duration::from_secs_f64(wait.clamp(0.0, SECONDS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: Option<u64>) {
        let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
        assert_eq!(retry_after(value, now), expected.map(Duration::from_secs), "{value:?}");
    }

    #[test]
    fn seconds_are_taken() {
        check("120", Some(120));
        check(" 0 ", Some(0));
        check("99999999999999999999999", Some(365 * 86_400));
        assert_eq!(retry_after("1.5", Timestamp::UNIX_EPOCH), Some(Duration::from_millis(1_500)));
    }

    #[test]
    fn all_three_forms_of_a_date_are_taken() {
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(30));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(30));
        check("Sun Nov  6 08:49:37 1994", Some(30));
    }

    #[test]
    fn a_past_date_means_now() {
        check("Sun, 06 Nov 1994 08:00:00 GMT", Some(0));
    }

    #[test]
    fn garbage_is_as_if_nothing_had_been_said() {
        for garbage in ["", "soon", "-5", "1.2.3", ".", "1e9", "inf", "NaN", "Sun, 31 Feb 1994 08:49:37 GMT", "١٢"] {
            check(garbage, None);
        }
    }
}
