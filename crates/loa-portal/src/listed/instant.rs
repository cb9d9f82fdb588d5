//! An instant as sources write it: RFC 3339, RFC 822 and its slips, or as people write it, in the portal's zone.

use crate::{
    posted::{self, Posted},
    stamp::Stamp,
};
use jiff::{Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};

/// No portal is older: what is written before is a placeholder.
const YEAR_MIN: i16 = 1997;

/// Reads an instant. One without an offset is of `zone`, never of UTC. `None`: it is none, or a placeholder.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    let found = text.parse::<Timestamp>().ok().or_else(|| mail_date(text)).or_else(|| local(text, zone))?;
    (found.to_zoned_datetime(zone.clone()).year() >= YEAR_MIN).then_some(found)
}

/// An instant of UTC that does not say so (`date_gmt` of WordPress).
pub(crate) fn utc(text: &str) -> Option<Timestamp> {
    let written = text.trim().parse::<DateTime>().ok()?;
    let found = TimeZone::UTC.to_timestamp(written).ok()?;
    (written.year() >= YEAR_MIN).then_some(found)
}

fn mail_date(text: &str) -> Option<Timestamp> {
    let parser = rfc2822::DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().or_else(|| parser.parse_timestamp(&offset_mended(text)?).ok())
}

/// `… GMT+7` as `… +0700`: what several portals' systems write.
fn offset_mended(text: &str) -> Option<String> {
    let (head, offset) = text.rsplit_once("GMT").or_else(|| text.rsplit_once("UTC"))?;
    let sign = offset.trim().chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
    let digits: String = offset.chars().filter(char::is_ascii_digit).collect();
    let padded = match digits.len() {
        1 | 2 => format!("{digits:0>2}00"),
        4 => digits,
        _ => return None,
    };
    Some(format!("{}{sign}{padded}", head))
}

fn local(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(written) = text.parse::<DateTime>() {
        return zone.to_timestamp(written).ok();
    }
    match posted::parse(text).ok()? {
        Posted::At { day, time, .. } => Stamp::instant(day, time, zone),
        Posted::Placeholder => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_sources_write_it_and_without_offset_it_is_of_the_portals_zone() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");
        for written in [
            "2023-11-16T08:02:22+07:00",
            "Thu, 16 Nov 2023 08:02:22 +0700",
            "Thu, 16 Nov 2023 01:02:22 GMT",
            "Fri, 16 Nov 2023 08:02:22 GMT+7",
            "2023-11-16T08:02:22",
            "2023-11-16 08:02:22",
            "16/11/2023 08:02:22 AM",
        ] {
            let read = read(written, &zone).map(|at| at.to_string());
            assert_eq!(read.as_deref(), Some("2023-11-16T01:02:22Z"), "{written}");
        }
        for none in ["", "hôm qua", "Thu, 01 Jan 1970 00:00:00 GMT", "01/01/1900"] {
            assert_eq!(read(none, &zone), None, "{none}");
        }
        assert_eq!(utc("2023-11-16T01:02:22").map(|at| at.to_string()).as_deref(), Some("2023-11-16T01:02:22Z"));
    }
}
