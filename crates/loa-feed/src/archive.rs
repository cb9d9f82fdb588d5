//! Archive documents (RFC 5005 §4): what a feed's other documents are called, and where one of them stands among them.
//!
//! One archive for each month in which something was published, in the months of the site's zone. A month with more entries
//! than a document should have is in parts: the oldest first, so that what is published later moves none of them.

use jiff::{Timestamp, ToSpan, civil, tz::TimeZone};
use std::fmt;

/// A month of the calendar, of the years 0 to 9999. What lies outside belongs to the first or the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

impl Month {
    const FIRST: Self = Self { year: 0, month: 1 };
    const LAST: Self = Self { year: 9_999, month: 12 };

    /// Its year, and its number in it, from 1.
    pub fn year_and_number(self) -> (i16, i8) {
        (self.year, self.month)
    }

    /// The month in which an instant lies, by the clocks of a zone.
    pub fn of(at: Timestamp, zone: &TimeZone) -> Self {
        let day = zone.to_datetime(at);
        Self { year: day.year(), month: day.month() }.clamp(Self::FIRST, Self::LAST)
    }

    /// Its first instant. The first month begins with time.
    pub fn begins(self, zone: &TimeZone) -> Timestamp {
        if self == Self::FIRST {
            return Timestamp::MIN;
        }
        // midnight, or what the clocks show first where they skip it
        civil::Date::new(self.year, self.month, 1)
            .and_then(|day| day.to_zoned_datetime(zone.clone()))
            .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
    }

    /// The first instant after it. The last month ends with time.
    pub fn ends(self, zone: &TimeZone) -> Timestamp {
        let next = civil::Date::new(self.year, self.month, 1).and_then(|day| day.checked_add(1.month()));
        match next {
            Ok(day) if self != Self::LAST => Self { year: day.year(), month: day.month() }.begins(zone),
            _ => Timestamp::MAX,
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// What an archive document is called: `2025-07`; from the second part on, `2025-07-2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveName {
    /// The month.
    pub month: Month,
    /// Which part of it, from 1.
    pub part: u32,
}

impl ArchiveName {
    /// Reads what [`Display`](fmt::Display) writes, and nothing else: a document has one name.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |digits: &str| -> Option<u32> {
            let plain = !digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok())?
        };
        let mut pieces = text.split('-');
        let (year, month) = (pieces.next()?, pieces.next()?);
        let part = pieces.next().map_or(Some(1), number)?;
        let name = Self {
            month: Month { year: i16::try_from(number(year)?).ok()?, month: i8::try_from(number(month)?).ok()? },
            part,
        };
        let exists =
            (1..=12).contains(&name.month.month) && name.month <= Month::LAST && part >= 1 && pieces.next().is_none();
        (exists && name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for ArchiveName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            1 => self.month.fmt(f),
            part => write!(f, "{}-{part}", self.month),
        }
    }
}

/// Where a document stands among those of its feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Which archive it is; `None`: what readers subscribe to.
    pub archive: Option<ArchiveName>,
    /// The archive with the next older entries.
    pub previous: Option<ArchiveName>,
    /// For an archive, that with the next newer entries.
    pub next: Option<ArchiveName>,
}

impl Position {
    /// Whether it is an archive, and the only one: everything that stands in its feed stands in it.
    pub fn is_complete(&self) -> bool {
        self.archive.is_some() && self.previous.is_none() && self.next.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Asia/Ho_Chi_Minh").unwrap()
    }

    fn month(text: &str) -> Month {
        ArchiveName::parse(text).unwrap().month
    }

    #[test]
    fn months_are_those_of_the_zone_and_follow_each_other_without_a_gap() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(Month::of(at("2025-06-30T16:59:59Z"), &zone()), month("2025-06"));
        assert_eq!(Month::of(at("2025-06-30T17:00:00Z"), &zone()), month("2025-07"));
        assert_eq!(month("2025-07").begins(&zone()), at("2025-06-30T17:00:00Z"));
        for (one, next) in
            [("2025-06", "2025-07"), ("2024-12", "2025-01"), ("0000-01", "0000-02"), ("9999-11", "9999-12")]
        {
            assert_eq!(month(one).ends(&zone()), month(next).begins(&zone()), "{one}");
        }
    }

    #[test]
    fn every_instant_there_is_has_a_month() {
        for name in ["Asia/Ho_Chi_Minh", "Pacific/Kiritimati", "Etc/GMT+12", "America/Sao_Paulo"] {
            let zone = TimeZone::get(name).unwrap();
            for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                let month = Month::of(at, &zone);
                assert!(month.begins(&zone) <= at && (at < month.ends(&zone) || at == Timestamp::MAX), "{name} {at}");
                assert_eq!(ArchiveName::parse(&month.to_string()).unwrap().month, month);
            }
        }
    }

    #[test]
    fn a_document_has_one_name() {
        for name in ["2025-07", "2025-07-2", "2025-12-1000", "0000-01", "9999-12"] {
            assert_eq!(ArchiveName::parse(name).unwrap().to_string(), name);
        }
        for other in [
            "2025-7",
            "25-07",
            "2025-07-1",
            "2025-07-0",
            "2025-07-02",
            "2025-13",
            "2025-00",
            "02025-07",
            "2025-07-",
            "2025",
            "2025-07-2-3",
            "-2025-07",
            "+2025-07",
            "2025-07-99999999999",
            "10000-01",
            "２０２５-07",
            "",
        ] {
            assert_eq!(ArchiveName::parse(other), None, "{other:?}");
        }
    }
}
