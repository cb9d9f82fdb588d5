//! A time of posting as people and portals write it, in Vietnamese or English: day first, a 12- or
//! 24-hour clock, time before or behind the day, months as numbers or words.
//!
//! `16/11/2023 08:02:22 AM`, `08 giờ 02 phút, ngày 16/11/2023`, `Thứ Năm, 16 Tháng 11 2023 08:02`,
//! `11:15 đêm 16.11.2023`, `2023-11-16 08:02`, `2023-11-16T01:02:22Z`. It reads what is written and
//! knows no zone but the one that is written; `stamp.rs` makes instants of it.

use crate::{
    clock::{self, Half},
    weekday,
};
use jiff::{
    civil::{Date, Time, Weekday},
    tz::Offset,
};
use loa_domain::DateFault;

/// No portal of a Vietnamese government is older.
const YEAR_MIN: i16 = 1997;
/// Beyond, it is a slip of the keyboard.
const YEAR_MAX: i16 = 2100;
/// What systems show when nobody gave a date.
const PLACEHOLDER_YEARS: [i16; 4] = [1, 1753, 1900, 1970];
/// Words of a line that are looked at; a time of posting has a dozen.
const WORDS_MAX: usize = 60;

/// What a time of posting says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Posted {
    /// A day, its time where it is said, the clocks' distance from UTC where that is said, and what stood beside it unread.
    At { day: Date, time: Option<Time>, offset: Option<Offset>, rest: String },
    /// `01/01/1900` and its like.
    Placeholder,
}

/// Reads what follows a label, or a line without one. The error says why it is none: there is no day 31 in month 2.
pub(crate) fn parse(text: &str) -> Result<Posted, DateFault> {
    let spaced = text.replace([',', '|', '(', ')', ';', '\u{2022}'], " ");
    let tokens: Vec<Token<'_>> = spaced.split_whitespace().take(WORDS_MAX).map(Token::new).collect();
    let mut found = Found::default();
    let mut at = 0;
    while at < tokens.len() {
        at += found.take(&tokens, at);
    }
    let Some(date) = found.date else {
        return Err(DateFault::NoDate);
    };
    let Some(day) = day_of(&date)? else { return Ok(Posted::Placeholder) };
    fits_weekday(day, weekday::named(text))?;
    let rest = found.rest.join(" ");
    match found.clock {
        None if found.half.is_some() => Err(DateFault::HalfWithoutHour),
        None => Ok(Posted::At { day, time: None, offset: None, rest }),
        Some(clock) => {
            Ok(Posted::At { day, time: Some(clock::time_of(&clock, found.half)?), offset: found.offset, rest })
        }
    }
}

/// The same with day and month the other way round, where that is a date and another one.
pub(crate) fn swapped(day: Date) -> Option<Date> {
    Date::new(day.year(), day.day(), day.month()).ok().filter(|other| *other != day)
}

/// Whether a line leaves no doubt which of its numbers is the day: it names the month or the day of the week, or is ISO 8601.
pub(crate) fn says_which_is_the_day(text: &str) -> bool {
    let lower = text.to_lowercase();
    let is_iso = |word: &str| word.find('-') == Some(4) && word.starts_with(|c: char| c.is_ascii_digit());
    let mut words = lower.split(|c: char| c.is_whitespace() || c == ',');
    weekday::named(text).is_some() || words.any(|word| word == "tháng" || english_month(word).is_some() || is_iso(word))
}

/// A day of the week that is not the date's, but would be with day and month the other way round, tells that they are.
fn fits_weekday(day: Date, named: Option<Weekday>) -> Result<(), DateFault> {
    let is_named = |date: Date| Some(date.weekday()) == named;
    match swapped(day).filter(|other| named.is_some() && !is_named(day) && is_named(*other)) {
        Some(other) => Err(DateFault::Weekday { day, other }),
        None => Ok(()),
    }
}

/// A date alone, as behind other items: `22/01/2024`.
pub(crate) fn day(text: &str) -> Result<Date, DateFault> {
    let token = text.trim().to_lowercase();
    let token = token.trim_start_matches("ngày").trim();
    let numbers = numbers(token).ok_or(DateFault::NotADay)?;
    day_of(&numbers)?.ok_or(DateFault::Placeholder)
}

/// A word of the line, and the same in lower case without the signs around it.
struct Token<'t> {
    written: &'t str,
    lower: String,
}

impl<'t> Token<'t> {
    fn new(written: &'t str) -> Self {
        Self { written, lower: written.trim_matches(['-', '–', '—', '.', ':', '[', ']']).to_lowercase() }
    }
}

/// What was found so far.
#[derive(Default)]
struct Found<'t> {
    /// Day, month, year, as written.
    date: Option<[String; 3]>,
    clock: Option<[i8; 3]>,
    half: Option<Half>,
    offset: Option<Offset>,
    rest: Vec<&'t str>,
}

impl<'t> Found<'t> {
    /// Reads one thing at `at`; answers how many words it has.
    fn take(&mut self, tokens: &[Token<'t>], at: usize) -> usize {
        let token = &tokens[at];
        if self.date.is_none() {
            if let Some(Joined { date, clock, offset }) = joined(&token.lower) {
                (self.date, self.clock) = (Some(date), self.clock.or(clock));
                self.offset = offset;
                return 1;
            }
            if let Some((date, words)) = in_words(&tokens[at..]) {
                self.date = Some(date);
                return words;
            }
        }
        if self.clock.is_none() {
            if let Some((numbers, glued)) = clock::of(&token.lower) {
                self.clock = Some(numbers);
                self.half = self.half.or(glued);
                return 1;
            }
            let words: Vec<&str> = tokens[at..].iter().take(6).map(|token| token.lower.as_str()).collect();
            if let Some((numbers, words)) = clock::in_words(&words) {
                self.clock = Some(numbers);
                return words;
            }
        }
        if let Some(offset) = clock::offset_of(&token.lower)
            && self.clock.is_some()
            && self.offset.is_none()
        {
            self.offset = Some(offset);
            return 1;
        }
        let before = at.checked_sub(1).map_or("", |at| tokens[at].lower.as_str());
        match clock::half_of(&token.lower) {
            Some(half) if self.half.is_none() => self.half = Some(half),
            _ if is_filler(&token.lower, before) => {}
            _ => self.rest.push(token.written),
        }
        1
    }
}

/// A date in one word, with a time where it is ISO 8601: `16/11/2023`, `2023-11-16`, `2023-11-16T08:02`.
fn joined(token: &str) -> Option<Joined> {
    if let Some(date) = numbers(token) {
        return Some(Joined { date, clock: None, offset: None });
    }
    let (date, time) = token.split_once('t')?;
    let date = numbers(date).filter(|_| date.find('-') == Some(4))?;
    let (time, offset) = match time.find(['z', '+', '-']) {
        Some(at) => (&time[..at], Some(clock::offset_of(&time[at..])?)),
        None => (time, None),
    };
    // fractions of a second say nothing
    let (clock, _) = clock::of(time.split('.').next()?)?;
    Some(Joined { date, clock: Some(clock), offset })
}

/// What one word says.
struct Joined {
    date: [String; 3],
    clock: Option<[i8; 3]>,
    offset: Option<Offset>,
}

/// `16 tháng 11 năm 2023`, `16 Tháng Mười Một 2023`, `16 November 2023`, `November 16 2023`.
fn in_words(tokens: &[Token<'_>]) -> Option<([String; 3], usize)> {
    let word = |at: usize| tokens.get(at).map(|token| token.lower.as_str());
    let is_day = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let is_year = |text: &&str| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    let first = word(0)?;
    if let Some(month) = english_month(first) {
        let day = word(1)?.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let year = word(2).filter(is_year)?;
        return is_day(day).then(|| ([day.to_owned(), month.to_string(), year.to_owned()], 3));
    }
    if !is_day(first) {
        return None;
    }
    let (month, mut at) = match word(1)? {
        "tháng" => match word(2)? {
            number if is_day(number) => (number.to_owned(), 3),
            _ => {
                let pair = word(3).and_then(|next| month_of(&format!("{} {next}", tokens[2].lower)));
                match pair {
                    Some(month) => (month.to_string(), 4),
                    None => (month_of(word(2)?)?.to_string(), 3),
                }
            }
        },
        name => (english_month(name)?.to_string(), 2),
    };
    if word(at) == Some("năm") {
        at += 1;
    }
    let year = word(at).filter(is_year)?;
    Some(([first.to_owned(), month, year.to_owned()], at + 1))
}

fn month_of(words: &str) -> Option<u8> {
    const MONTHS: [(&str, u8); 17] = [
        ("một", 1),
        ("giêng", 1),
        ("hai", 2),
        ("ba", 3),
        ("tư", 4),
        ("bốn", 4),
        ("năm", 5),
        ("sáu", 6),
        ("bảy", 7),
        ("bẩy", 7),
        ("tám", 8),
        ("chín", 9),
        ("mười", 10),
        ("mười một", 11),
        ("mười hai", 12),
        ("mười_một", 11),
        ("mười_hai", 12),
    ];
    MONTHS.iter().find_map(|(name, month)| (*name == words).then_some(*month))
}

fn english_month(word: &str) -> Option<u8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let place = MONTHS.iter().position(|month| word == *month || (word.len() == 3 && month.starts_with(word)))?;
    u8::try_from(place + 1).ok()
}

/// `None` for a placeholder.
fn day_of(numbers: &[String; 3]) -> Result<Option<Date>, DateFault> {
    let [day, month, year] = numbers;
    let number = |text: &str| text.parse::<i16>().map_err(|_| DateFault::TooLarge { number: text.into() });
    if day.len() > 2 {
        return Err(DateFault::DayFirst { day: day.as_str().into() });
    }
    if year.len() != 4 {
        return Err(DateFault::YearDigits { year: year.as_str().into() });
    }
    let (day, month, year) = (number(day)?, number(month)?, number(year)?);
    if day == 1 && month == 1 && PLACEHOLDER_YEARS.contains(&year) {
        return Ok(None);
    }
    if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
        return Err(DateFault::Year { year });
    }
    if !(1..=12).contains(&month) {
        return Err(DateFault::Month { month });
    }
    let small = |number: i16| i8::try_from(number).unwrap_or(i8::MAX);
    Date::new(year, small(month), small(day)).map(Some).map_err(|_| DateFault::Day { day, month, year })
}

/// Day, month and year; `2023-11-16`, which only ISO 8601 writes so, is turned round.
fn numbers(token: &str) -> Option<[String; 3]> {
    let parts: Vec<&str> = token.split(['/', '-', '.']).take(4).collect();
    let is_number = |part: &&str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    let [first, second, third] = parts[..] else { return None };
    if !parts.iter().all(is_number) {
        return None;
    }
    let is_iso = first.len() == 4 && third.len() == 2 && !token.contains(['/', '.']);
    let (day, year) = if is_iso { (third, first) } else { (first, third) };
    Some([day.to_owned(), second.to_owned(), year.to_owned()])
}

/// Words and signs that say nothing beside a date: `Thứ Năm`, `Chủ nhật`, `ngày`.
fn is_filler(token: &str, before: &str) -> bool {
    const WORDS: [&str; 17] = [
        "", "ngày", "lúc", "vào", "hồi", "thứ", "chủ", "cn", "giờ", "phút", "giây", "buổi", "on", "at", "day", "date",
        "time",
    ];
    WORDS.contains(&token) || weekday::is_name_of(token, before) || weekday::is_one(token)
}

#[cfg(test)]
mod tests {
    use super::{Posted, parse};
    use crate::weekday;
    use jiff::tz::Offset;

    #[track_caller]
    fn check(written: &str, expected: &str, beside: &str) {
        let Ok(Posted::At { day, time, rest, .. }) = parse(written) else { panic!("{written}: {:?}", parse(written)) };
        let said = time.map_or_else(|| day.to_string(), |time| day.to_datetime(time).to_string());
        assert_eq!((said.as_str(), rest.as_str()), (expected, beside), "{written}");
    }

    #[test]
    fn days_and_times_are_read_in_any_order_and_with_months_in_words() {
        for (written, expected) in [
            ("16 tháng 11 năm 2023, 08:02", "2023-11-16T08:02:00"),
            ("Thứ năm, 16 Tháng 11 2023 08:02", "2023-11-16T08:02:00"),
            ("16 Tháng Mười Một, 2023", "2023-11-16"),
            ("16 Tháng Mười Hai, 2023", "2023-12-16"),
            ("16 tháng mười năm 2023", "2023-10-16"),
            ("5 Tháng Năm, 2023", "2023-05-05"),
            ("05 tháng năm năm 2023", "2023-05-05"),
            ("08 giờ 02 phút, ngày 16/11/2023", "2023-11-16T08:02:00"),
            ("8 giờ ngày 16/11/2023", "2023-11-16T08:00:00"),
            ("8 giờ 30 phút chiều ngày 16/11/2023", "2023-11-16T20:30:00"),
            ("14:58 29/08/2025", "2025-08-29T14:58:00"),
            ("03:06 PM 13/12/2020", "2020-12-13T15:06:00"),
            ("2023-11-16 08:02", "2023-11-16T08:02:00"),
            ("2023-11-16T08:02:22", "2023-11-16T08:02:22"),
            ("November 16, 2023", "2023-11-16"),
            ("Thursday, 16 Nov 2023 8:02 AM", "2023-11-16T08:02:00"),
            ("16/11/2023 11:15 đêm", "2023-11-16T23:15:00"),
            ("16/11/2023 1:15 đêm", "2023-11-16T01:15:00"),
            ("16/11/2023 12:15 đêm", "2023-11-16T00:15:00"),
            ("16/11/2023 12:15 trưa", "2023-11-16T12:15:00"),
            ("16/11/2023 1:15 trưa", "2023-11-16T13:15:00"),
            ("16/11/2023 7:15 tối", "2023-11-16T19:15:00"),
            ("T5, 16/11/2023 - 08h02", "2023-11-16T08:02:00"),
        ] {
            check(written, expected, "");
        }
    }

    #[test]
    fn what_stands_beside_a_time_is_not_taken_for_it() {
        check("Thứ hai - 24/10/2022 10:04 306 0", "2022-10-24T10:04:00", "306 0");
        check("07/02/2025 | 14:38  | Lượt xem: 237", "2025-02-07T14:38:00", "Lượt xem: 237");
        assert!(parse("2022-10-24+0710:04:00").is_err());
        assert!(parse("tháng 11/2023").is_err());
        assert!(
            weekday::stands_in("Thursday, 18/07/2024")
                && weekday::stands_in("Chủ nhật 01/01/2023")
                && !weekday::stands_in("Ngày 20")
        );
    }

    #[test]
    fn a_zone_that_is_written_is_read() {
        for (written, hours) in [
            ("2023-11-16T01:02:22Z", Some(0)),
            ("2023-11-16T08:02:22.123+07:00", Some(7)),
            ("2023-11-16T08:02:22+0700", Some(7)),
            ("2023-11-16T08:02-05:00", Some(-5)),
            ("16/11/2023 08:02 GMT+7", Some(7)),
            ("16/11/2023 08:02 (GMT+07:00)", Some(7)),
            ("16/11/2023 01:02 UTC", Some(0)),
            ("16/11/2023 08:02", None),
            ("2023-11-16T08:02:22", None),
        ] {
            let Ok(Posted::At { offset, rest, .. }) = parse(written) else { panic!("{written}: {:?}", parse(written)) };
            assert_eq!(offset, hours.map(|hours| Offset::from_hours(hours).expect("hours")), "{written}");
            assert_eq!(rest, "", "{written}");
        }
    }

    #[test]
    fn a_day_of_the_week_that_fits_only_with_the_month_first_is_told() {
        for written in ["Chủ nhật, 11/12/2023 08:02", "Sunday, 11/12/2023", "CN 11/12/2023"] {
            let why = parse(written).unwrap_err();
            let (day, other) = (jiff::civil::date(2023, 12, 11), jiff::civil::date(2023, 11, 12));
            assert_eq!(why, loa_domain::DateFault::Weekday { day, other }, "{written}");
        }
        // right, or wrong either way: a slip in a name says nothing of the date
        for written in ["Thứ hai, 11/12/2023", "Thứ ba, 11/12/2023", "Thứ hai, 16/11/2023", "05/05/2023 Chủ nhật"]
        {
            assert!(parse(written).is_ok(), "{written}");
        }
    }
}
