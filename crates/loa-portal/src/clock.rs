//! A time of day as people write it: `8:02`, `08h02`, `8 giờ 30`, and the part of the day or the zone
//! beside it.
//!
//! It knows words and numbers and no date; `posted.rs` puts the two together.

use jiff::{civil::Time, tz::Offset};
use loa_domain::DateFault;

/// The part of the day that a 12-hour clock is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    /// `AM`, `SA`, `sáng`.
    Morning,
    /// `trưa`: from 11 to 2.
    Noon,
    /// `PM`, `CH`, `chiều`, `tối`.
    Afternoon,
    /// `đêm`: the last hours of a day, or its first.
    Night,
}

/// The part of the day that a word names.
pub(crate) fn half_of(token: &str) -> Option<Half> {
    match token {
        "am" | "a.m" | "sa" | "sáng" => Some(Half::Morning),
        "trưa" => Some(Half::Noon),
        "pm" | "p.m" | "ch" | "chiều" | "tối" => Some(Half::Afternoon),
        "đêm" | "khuya" => Some(Half::Night),
        _ => None,
    }
}

/// The time of day.
pub(crate) fn time_of(numbers: &[i8; 3], half: Option<Half>) -> Result<Time, DateFault> {
    let [hour, minute, second] = *numbers;
    let hour = match (half, hour) {
        (Some(Half::Morning | Half::Night), 12) => 0,
        (Some(Half::Afternoon), 0..=11) | (Some(Half::Noon), 0..=3) | (Some(Half::Night), 6..=11) => hour + 12,
        (Some(Half::Morning), 13..) => return Err(DateFault::NotMorning { hour }),
        (Some(Half::Noon), 4..=9) => return Err(DateFault::NotNoon { hour }),
        // `16:05 PM` is a 24-hour clock with a superfluous word; `12:05 PM` is noon.
        _ => hour,
    };
    Time::new(hour, minute, second, 0).map_err(|_| DateFault::NoTime { hour, minute, second })
}

/// `8:02`, `08:02:22`, `8h02`, `20h`, `8:02am`.
pub(crate) fn of(token: &str) -> Option<([i8; 3], Option<Half>)> {
    let (token, glued) = ["am", "pm", "sa", "ch"]
        .iter()
        .find_map(|word| token.strip_suffix(word).map(|head| (head, half_of(word))))
        .unwrap_or((token, None));
    let parts: Vec<&str> = token.split([':', 'h', 'g']).take(4).collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut numbers = [0_i8; 3];
    for (place, part) in parts.iter().enumerate() {
        let is_open_end = part.is_empty() && place == 1 && parts.len() == 2 && !token.contains(':');
        if !is_open_end {
            numbers[place] = two_digits(part)?;
        }
    }
    Some((numbers, glued))
}

/// `8 giờ`, `08 giờ 02 phút`, `8 giờ 30`; answers with the number of words.
pub(crate) fn in_words(words: &[&str]) -> Option<([i8; 3], usize)> {
    let hour = two_digits(words.first()?)?;
    if *words.get(1)? != "giờ" {
        return None;
    }
    let Some(minute) = words.get(2).and_then(|word| two_digits(word)) else { return Some(([hour, 0, 0], 2)) };
    if words.get(3) != Some(&"phút") {
        return Some(([hour, minute, 0], 3));
    }
    match (words.get(4).and_then(|word| two_digits(word)), words.get(5)) {
        (Some(second), Some(&"giây")) => Some(([hour, minute, second], 6)),
        _ => Some(([hour, minute, 0], 4)),
    }
}

fn two_digits(text: &str) -> Option<i8> {
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// How far clocks are from UTC: `z`, `utc`, `+07:00`, `gmt+7`.
pub(crate) fn offset_of(token: &str) -> Option<Offset> {
    let named = token.strip_prefix("gmt").or_else(|| token.strip_prefix("utc"));
    let (sign, hours) = match named.unwrap_or(token) {
        "z" => return Some(Offset::UTC),
        "" if named.is_some() => return Some(Offset::UTC),
        rest => (if rest.starts_with('-') { -1 } else { 1 }, rest.strip_prefix(['+', '-'])?),
    };
    let (hours, minutes) = match hours.split_once(':') {
        Some(parts) => parts,
        None if hours.len() == 4 => hours.split_at_checked(2)?,
        // `+7` alone may be anything
        None if named.is_some() => (hours, "0"),
        None => return None,
    };
    let number = |text: &str, max: i32| {
        let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| is_number && *number <= max)
    };
    Offset::from_seconds(sign * (number(hours, 14)? * 3_600 + number(minutes, 59)? * 60)).ok()
}
