//! The time of posting, as portals write it: day first, a 12- or 24-hour clock, in Vietnamese or
//! English.
//!
//! `16/11/2023 08:02:22 AM`, `16-11-2023 20:02`, `08:02 ngày 16/11/2023`,
//! `Thứ Năm, 16/11/2023, 8:02 SA`, `16/11/2023`.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::{Offset, TimeZone},
};

/// No portal of a Vietnamese government is older.
const YEAR_MIN: i16 = 1997;
/// Beyond, it is a slip of the keyboard.
const YEAR_MAX: i16 = 2100;
/// What systems show when nobody gave a date.
const PLACEHOLDER_YEARS: [i16; 4] = [1, 1753, 1900, 1970];

/// What a time of posting says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Posted {
    /// A time, or a day alone (then the time is that day's first instant), and what stood beside it unread.
    At { day: Date, time: Option<DateTime>, rest: String },
    /// `01/01/1900` and its like.
    Placeholder,
}

/// The instant of local time. Viet Nam has been at +07:00 without daylight saving since 1975.
pub(crate) fn instant(local: DateTime) -> Option<Timestamp> {
    TimeZone::fixed(Offset::constant(7)).to_timestamp(local).ok()
}

/// Reads what follows the label. The error is a clause: `there is no day 31 in month 2`.
pub(crate) fn parse(text: &str) -> Result<Posted, String> {
    let (mut date, mut clock, mut half) = (None, None, None);
    let mut rest = Vec::new();
    let spaced = text.replace([',', '|', '(', ')', ';'], " ");
    let mut before = String::new();
    for token in spaced.split_whitespace() {
        let lower = token.trim_matches(['-', '–', '.']).to_lowercase();
        if date.is_none()
            && let Some(numbers) = numbers(&lower, &['/', '-', '.'])
        {
            date = Some(numbers);
        } else if clock.is_none()
            && let Some((numbers, glued)) = clock_of(&lower)
        {
            clock = Some(numbers);
            half = half.or(glued);
        } else if half.is_none()
            && let Some(found) = half_of(&lower)
        {
            half = Some(found);
        } else if !is_filler(&lower, &before) {
            rest.push(token);
        }
        before = lower;
    }
    let Some(date) = date else {
        return Err("it has no day/month/year".to_owned());
    };
    let day = day_of(&date)?;
    let Some(day) = day else { return Ok(Posted::Placeholder) };
    let rest = rest.join(" ");
    match clock {
        None if half.is_some() => Err("it says morning or afternoon but no hour".to_owned()),
        None => Ok(Posted::At { day, time: None, rest }),
        Some(clock) => Ok(Posted::At { day, time: Some(day.to_datetime(time_of(&clock, half)?)), rest }),
    }
}

/// A date alone, as behind other items: `22/01/2024`.
pub(crate) fn day(text: &str) -> Result<Date, String> {
    let token = text.trim().to_lowercase();
    let token = token.trim_start_matches("ngày").trim();
    let numbers = numbers(token, &['/', '-', '.']).ok_or_else(|| "it is not day/month/year".to_owned())?;
    day_of(&numbers)?.ok_or_else(|| "it is a placeholder".to_owned())
}

/// `None` for a placeholder.
fn day_of(numbers: &[String]) -> Result<Option<Date>, String> {
    let [day, month, year] = numbers else { return Err("it has no day, month and year".to_owned()) };
    let number = |text: &str| text.parse::<i16>().map_err(|_| format!("{text} is too large"));
    if day.len() > 2 {
        return Err(format!("the day comes first, and {day} is none"));
    }
    if year.len() != 4 {
        return Err(format!("the year {year} must have four digits"));
    }
    let (day, month, year) = (number(day)?, number(month)?, number(year)?);
    if day == 1 && month == 1 && PLACEHOLDER_YEARS.contains(&year) {
        return Ok(None);
    }
    if !(YEAR_MIN..=YEAR_MAX).contains(&year) {
        return Err(format!("no page is of the year {year}"));
    }
    if !(1..=12).contains(&month) {
        return Err(format!("there is no month {month} (the day comes first)"));
    }
    let small = |number: i16| i8::try_from(number).unwrap_or(i8::MAX);
    Date::new(year, small(month), small(day))
        .map(Some)
        .map_err(|_| format!("there is no day {day} in month {month} of {year}"))
}

/// Half of the day: `false` before noon.
type IsAfternoon = bool;

fn time_of(numbers: &[i8; 3], half: Option<IsAfternoon>) -> Result<Time, String> {
    let [hour, minute, second] = *numbers;
    let hour = match (half, hour) {
        (Some(false), 12) => 0,
        (Some(true), 0..=11) => hour + 12,
        (Some(false), 13..) => return Err(format!("hour {hour} is not before noon")),
        // `16:05 PM` is a 24-hour clock with a superfluous word; `12:05 PM` is noon.
        _ => hour,
    };
    Time::new(hour, minute, second, 0).map_err(|_| format!("there is no time {hour}:{minute:02}:{second:02}"))
}

fn numbers(token: &str, separators: &[char]) -> Option<Vec<String>> {
    let parts: Vec<String> = token.split(separators).map(str::to_owned).collect();
    let is_number = |part: &String| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    (parts.len() == 3 && parts.iter().all(is_number)).then_some(parts)
}

/// `8:02`, `08:02:22`, `8h02`, `20h`, `8:02am`.
fn clock_of(token: &str) -> Option<([i8; 3], Option<IsAfternoon>)> {
    let (token, glued) = ["am", "pm", "sa", "ch"]
        .iter()
        .find_map(|word| token.strip_suffix(word).map(|head| (head, half_of(word))))
        .unwrap_or((token, None));
    let parts: Vec<&str> = token.split([':', 'h', 'g']).collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut numbers = [0_i8; 3];
    for (place, part) in parts.iter().enumerate() {
        let is_open_end = part.is_empty() && place == 1 && parts.len() == 2 && !token.contains(':');
        if !is_open_end {
            let digits = part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
            numbers[place] = part.parse().ok().filter(|_| digits)?;
        }
    }
    Some((numbers, glued))
}

fn half_of(token: &str) -> Option<IsAfternoon> {
    match token {
        "am" | "a.m" | "sa" | "sáng" => Some(false),
        "pm" | "p.m" | "ch" | "chiều" | "tối" => Some(true),
        _ => None,
    }
}

/// Words and signs that say nothing beside a date: `Thứ Năm`, `Chủ nhật`, `ngày`, `GMT+7`.
fn is_filler(token: &str, before: &str) -> bool {
    const WORDS: [&str; 11] = ["", "ngày", "lúc", "vào", "thứ", "chủ", "cn", "giờ", "gmt+7", "utc+7", "+07:00"];
    const DAYS: [&str; 12] = ["hai", "ba", "tư", "năm", "sáu", "bảy", "2", "3", "4", "5", "6", "7"];
    WORDS.contains(&token) || (before == "thứ" && DAYS.contains(&token)) || (before == "chủ" && token == "nhật")
}
