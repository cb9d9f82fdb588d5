//! The days and months of an installation's time zone (`site.zone`), and dates as people read them.
//!
//! Instants are UTC everywhere else; whoever needs a day, a month or a date for people is handed a [`Calendar`]. It knows no
//! clock and no configuration. A day need not begin at 00:00 and need not have 24 hours: some zones change their clocks at
//! midnight, and one has left out a whole day.

use jiff::{
    Timestamp, ToSpan, ZonedDateTime,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use std::fmt;

/// The calendar of one time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    /// The calendar of a zone.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    /// The zone's IANA name, `Asia/Ho_Chi_Minh`.
    pub fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// An instant with the zone's offset, for formats that write one.
    pub fn zoned(&self, at: Timestamp) -> ZonedDateTime {
        at.to_zoned_datetime(self.zone.clone())
    }

    /// What clocks on the wall show at an instant.
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// The day in which an instant lies.
    pub fn day(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// A day's first instant: midnight, or what the clocks show first where they skip it.
    pub fn day_begins(&self, on: Date) -> Timestamp {
        self.at(on, Time::midnight())
    }

    /// The first instant after a day. Equals [`Self::day_begins`] for a day that the zone left out.
    pub fn day_ends(&self, on: Date) -> Timestamp {
        on.tomorrow().map_or(Timestamp::MAX, |next| self.day_begins(next))
    }

    /// The instant at which clocks show a time of a day: the first of two, and what they show next where they skip it.
    pub fn at(&self, on: Date, time: Time) -> Timestamp {
        on.to_datetime(time).to_zoned_datetime(self.zone.clone()).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }

    /// The month in which an instant lies.
    pub fn month(&self, at: Timestamp) -> Month {
        let day = self.day(at);
        Month { year: day.year(), number: day.month() }.clamp(Month::FIRST, Month::LAST)
    }

    /// A month's first instant. The first month begins with time.
    pub fn month_begins(&self, month: Month) -> Timestamp {
        if month == Month::FIRST {
            return Timestamp::MIN;
        }
        Date::new(month.year, month.number, 1).map_or(Timestamp::MAX, |day| self.day_begins(day))
    }

    /// The first instant after a month. The last month ends with time.
    pub fn month_ends(&self, month: Month) -> Timestamp {
        let next = Date::new(month.year, month.number, 1).and_then(|day| day.checked_add(1.month()));
        match next {
            Ok(day) if month != Month::LAST => self.day_begins(day),
            _ => Timestamp::MAX,
        }
    }

    /// `16/11/2023`.
    pub fn date(&self, at: Timestamp) -> String {
        self.local(at).strftime("%d/%m/%Y").to_string()
    }

    /// `16/11/2023 08:02`.
    pub fn date_time(&self, at: Timestamp) -> String {
        self.local(at).strftime("%d/%m/%Y %H:%M").to_string()
    }

    /// `16/11/2023 08:02:22`.
    pub fn date_time_seconds(&self, at: Timestamp) -> String {
        self.local(at).strftime("%d/%m/%Y %H:%M:%S").to_string()
    }

    /// `2023-11-16T08:02:22+07:00` (RFC 3339, whole seconds).
    pub fn rfc3339(&self, at: Timestamp) -> String {
        self.with_offset(at).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// `Thu, 16 Nov 2023 08:02:22 +0700` (RFC 822 with a four-digit year).
    pub fn rfc822(&self, at: Timestamp) -> String {
        self.with_offset(at).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
    }

    /// In UTC where the zone's offset has seconds, which no format can write: zones had them before there was railway time.
    fn with_offset(&self, at: Timestamp) -> ZonedDateTime {
        let zoned = self.zoned(at);
        if zoned.offset().seconds() % 60 == 0 { zoned } else { at.to_zoned_datetime(TimeZone::UTC) }
    }
}

/// A month of the years 0 to 9999. What lies outside belongs to the first or the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    number: i8,
}

impl Month {
    const FIRST: Self = Self { year: 0, number: 1 };
    const LAST: Self = Self { year: 9_999, number: 12 };

    /// A month by its year and its number, from 1; `None` when there is none.
    pub fn new(year: i16, number: i8) -> Option<Self> {
        let month = Self { year, number };
        ((1..=12).contains(&number) && (Self::FIRST..=Self::LAST).contains(&month)).then_some(month)
    }

    /// Its year, and its number in it, from 1.
    pub fn year_and_number(self) -> (i16, i8) {
        (self.year, self.number)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    /// Zones on both edges of the world, and those that change their clocks at midnight, have changed them, or left out a day.
    const ZONES: [&str; 7] = [
        "Asia/Ho_Chi_Minh",
        "Africa/Cairo",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Pacific/Kiritimati",
        "Etc/GMT+12",
        "America/New_York",
    ];

    fn calendar(zone: &str) -> Calendar {
        Calendar::new(TimeZone::get(zone).unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_those_of_the_zone_as_people_and_formats_write_them() {
        let (vietnam, new_york) = (calendar("Asia/Ho_Chi_Minh"), calendar("America/New_York"));
        let posted = at("2023-11-16T01:02:22.9Z");
        assert_eq!(vietnam.date(posted), "16/11/2023");
        assert_eq!(vietnam.date_time(posted), "16/11/2023 08:02");
        assert_eq!(vietnam.date_time_seconds(posted), "16/11/2023 08:02:22");
        assert_eq!(vietnam.rfc3339(posted), "2023-11-16T08:02:22+07:00");
        assert_eq!(vietnam.rfc822(posted), "Thu, 16 Nov 2023 08:02:22 +0700");
        assert_eq!(new_york.date_time(posted), "15/11/2023 20:02");
        assert_eq!(new_york.rfc822(at("2023-07-01T00:00:00Z")), "Fri, 30 Jun 2023 20:00:00 -0400");
        assert_eq!(new_york.zone_name(), "America/New_York");
        assert_eq!(
            vietnam.rfc3339(at("1900-01-01T00:00:00Z")),
            "1900-01-01T00:00:00+00:00",
            "the sun's time in Saigon"
        );
    }

    #[test]
    fn a_day_begins_with_what_clocks_show_first() {
        let cairo = calendar("Africa/Cairo");
        assert_eq!(cairo.day_begins(date(2024, 4, 26)), at("2024-04-25T22:00:00Z"), "at 01:00 by the clock");
        assert_eq!(cairo.day(at("2024-04-25T21:59:59Z")), date(2024, 4, 25));
        assert_eq!(cairo.day_ends(date(2024, 4, 26)), at("2024-04-26T21:00:00Z"), "23 hours later");
        let apia = calendar("Pacific/Apia");
        assert_eq!(apia.day_begins(date(2011, 12, 30)), apia.day_ends(date(2011, 12, 30)), "it was left out");
    }

    #[test]
    fn months_are_those_of_the_zone_and_follow_each_other_without_a_gap() {
        let vietnam = calendar("Asia/Ho_Chi_Minh");
        let month = |year, number| Month::new(year, number).unwrap();
        assert_eq!(vietnam.month(at("2025-06-30T16:59:59Z")), month(2025, 6));
        assert_eq!(vietnam.month(at("2025-06-30T17:00:00Z")), month(2025, 7));
        assert_eq!(vietnam.month_begins(month(2025, 7)), at("2025-06-30T17:00:00Z"));
        for (one, next) in
            [((2025, 6), (2025, 7)), ((2024, 12), (2025, 1)), ((0, 1), (0, 2)), ((9_999, 11), (9_999, 12))]
        {
            let (one, next) = (month(one.0, one.1), month(next.0, next.1));
            assert_eq!(vietnam.month_ends(one), vietnam.month_begins(next), "{one}");
        }
    }

    #[test]
    fn every_instant_there_is_has_a_month() {
        for zone in ZONES {
            let calendar = calendar(zone);
            for at in [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX] {
                let month = calendar.month(at);
                let ends = calendar.month_ends(month);
                assert!(calendar.month_begins(month) <= at && (at < ends || at == Timestamp::MAX), "{zone} {at}");
                let (year, number) = month.year_and_number();
                assert_eq!(Month::new(year, number), Some(month));
            }
        }
        assert!([(2025, 0), (2025, 13), (-1, 12), (10_000, 1)].iter().all(|(y, n)| Month::new(*y, *n).is_none()));
    }

    proptest! {
        #[test]
        fn an_instant_lies_in_its_day_and_its_month(seconds in 0_i64..4_102_444_800, zone in 0..ZONES.len()) {
            let (calendar, at) = (calendar(ZONES[zone]), Timestamp::from_second(seconds).unwrap());
            let (day, month) = (calendar.day(at), calendar.month(at));
            prop_assert!(calendar.day_begins(day) <= at && at < calendar.day_ends(day));
            prop_assert!(calendar.month_begins(month) <= at && at < calendar.month_ends(month));
            prop_assert_eq!(calendar.day(calendar.day_begins(day)), day);
        }
    }
}
