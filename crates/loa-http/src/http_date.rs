//! HTTP dates (RFC 9110 §5.6.7), to and from our instants. The forms are those of the `httpdate` crate.

use jiff::Timestamp;
use std::time::{Duration, UNIX_EPOCH};

/// `Thu, 16 Nov 2023 01:02:22 GMT`. An instant before 1970 is written as 1970.
pub fn http_date(at: Timestamp) -> String {
    let since_1970 = Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default());
    httpdate::fmt_http_date(UNIX_EPOCH + since_1970)
}

/// Reads an HTTP date in any of the three forms that recipients must take; `None` when it is none.
pub fn parse_http_date(text: &str) -> Option<Timestamp> {
    Timestamp::try_from(httpdate::parse_http_date(text.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_read_back() {
        let at: Timestamp = "2024-02-29T23:59:59Z".parse().unwrap();
        assert_eq!(parse_http_date(&http_date(at)), Some(at));
        assert_eq!(http_date(at), "Thu, 29 Feb 2024 23:59:59 GMT");
        assert_eq!(http_date("1900-01-01T00:00:00Z".parse().unwrap()), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn all_three_forms_are_read_and_no_other() {
        let at: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", " Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse_http_date(text), Some(at), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "1994-11-06T08:49:37Z",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 +0700",
        ] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}
