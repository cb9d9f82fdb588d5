//! Reads one line as a time of posting, with a label or without, and says what stands beside the time.
//!
//! It knows words and one block at a time; `times.rs` collects the lines of a page, and weighs them.

use crate::{
    block::Form,
    count::number,
    label::{self, Label},
    posted::{self, Posted},
    reader::Reader,
};
use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use loa_domain::DateFault;

/// The longest line that may be nothing but a time, in bytes.
const LINE_BYTES_MAX: usize = 200;

/// Words beside a time in a line of parts; a line with more is a sentence.
const REST_WORDS_MAX: usize = 6;

/// A time of posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// A day, and its time where it is said.
    At { day: Date, time: Option<Time> },
    /// `01/01/1900` and its like.
    Placeholder,
    /// There never was such a time, and why.
    Impossible(DateFault),
}

impl Stamp {
    /// Whether two say the same as far as both say anything.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::At { day, time }, Self::At { day: other_day, time: other_time }) => {
                let minute = |time: &Time| (time.hour(), time.minute());
                day == other_day
                    && time.is_none_or(|time| other_time.is_none_or(|other| minute(&time) == minute(&other)))
            }
            _ => self == other,
        }
    }

    /// The first instant of it.
    pub(crate) fn instant(day: Date, time: Option<Time>, zone: &TimeZone) -> Option<Timestamp> {
        let begin = || day.to_zoned_datetime(zone.clone()).map(|zoned| zoned.timestamp());
        time.map_or_else(begin, |time| zone.to_timestamp(day.to_datetime(time))).ok()
    }

    /// A time as the portal's clocks show it, whatever zone it is written in.
    fn of(posted: Result<Posted, DateFault>, zone: &TimeZone) -> (Self, String) {
        match posted {
            Ok(Posted::At { day, time: Some(time), offset: Some(offset), rest }) => {
                match offset.to_timestamp(day.to_datetime(time)) {
                    Ok(at) => {
                        let local = zone.to_datetime(at);
                        (Self::At { day: local.date(), time: Some(local.time()) }, rest)
                    }
                    Err(_) => (Self::Impossible(DateFault::OutOfRange), rest),
                }
            }
            Ok(Posted::At { day, time, rest, .. }) => (Self::At { day, time }, rest),
            Ok(Posted::Placeholder) => (Self::Placeholder, String::new()),
            Err(why) => (Self::Impossible(why), String::new()),
        }
    }
}

/// A line of a page that says a time, and what else.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) stamp: Stamp,
    /// Whether it says when the page was changed, not when it was posted.
    pub(crate) is_update: bool,
    pub(crate) is_labelled: bool,
    /// What stands beside the time unread.
    pub(crate) rest: String,
    /// The value as written.
    pub(crate) text: String,
    /// The block of the value: that of the label, or the next.
    pub(crate) value_at: usize,
}

/// Whether the block at `place` says a time and nothing that an article's text may say.
pub(crate) fn is_time_alone(reader: &Reader, place: usize) -> bool {
    let said = line(reader, place);
    said.is_some_and(|line| !matches!(line.stamp, Stamp::Impossible(_)) && beside(&line.rest) != Beside::Unknown)
}

/// The time that the block at `place` says, if it says one and nothing else.
pub(crate) fn line(reader: &Reader, place: usize) -> Option<Line> {
    let block = &reader.blocks[place];
    if !block.is_words() || matches!(block.form, Form::Table | Form::Preformatted) {
        return None;
    }
    if let Some((label, value)) = label_in(&block.text) {
        let next = place + 1;
        let takes_next = value.is_empty() && reader.is_value(next);
        let (value, value_at) = if takes_next { (reader.blocks[next].text.as_str(), next) } else { (value, place) };
        let (stamp, rest) = Stamp::of(posted::parse(value), &reader.zone);
        let is_update = label == Label::Updated;
        return Some(Line { stamp, is_update, is_labelled: true, rest, text: value.to_owned(), value_at });
    }
    if block.text.len() > LINE_BYTES_MAX || !block.text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let (stamp, rest) = Stamp::of(posted::parse(&block.text), &reader.zone);
    let Stamp::At { time, .. } = &stamp else { return None };
    let is_alone = matches!(beside(&rest), Beside::Nothing | Beside::Views(_) | Beside::Known);
    // `16/11/2023 08:02 | Tin xã | 0 bình luận`
    let is_parted = block.text.contains(['|', '•']) && rest.split_whitespace().nth(REST_WORDS_MAX).is_none();
    let is_byline = (is_name(&rest) && block.place.hint.is_time) || (time.is_some() && (is_name(&rest) || is_parted));
    (is_alone || is_byline).then(|| Line {
        stamp,
        is_update: block.place.hint.is_update,
        is_labelled: false,
        rest,
        text: block.text.clone(),
        value_at: place,
    })
}

/// A line that would be the time of posting if there were such a time: it has a date, its element's name or its first sign says
/// so, and why it cannot be.
pub(crate) fn impossible(reader: &Reader, place: usize) -> Option<DateFault> {
    let block = &reader.blocks[place];
    let is_like_one = block.place.hint.is_time || block.text.starts_with(|c: char| c.is_ascii_digit());
    if !block.is_words() || block.is_prose() || block.text.len() > LINE_BYTES_MAX || !is_like_one {
        return None;
    }
    posted::parse(&block.text).err().filter(|why| *why != DateFault::NoDate)
}

/// A label of a time at the head of a line or of one of its parts.
fn label_in(text: &str) -> Option<(Label, &str)> {
    const PARTS_MAX: usize = 6;
    label::of_time(text).or_else(|| {
        if text.len() > LINE_BYTES_MAX {
            return None;
        }
        let parts = text
            .split(['|', '•', ';'])
            .flat_map(|part| part.split(" - "))
            .flat_map(|part| part.split(" . "))
            .skip(1)
            .take(PARTS_MAX);
        parts.map(str::trim).find_map(label::of_time).filter(|(_, value)| !value.is_empty())
    })
}

/// What stands beside a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// How often the article was read.
    Views(u64),
    /// Words of the page that are no part of a time: a label, a tool.
    Known,
    Unknown,
}

/// What the rest of a line beside its time is.
pub(crate) fn beside(rest: &str) -> Beside {
    const COUNTERS_MAX: usize = 3;
    let rest = rest.trim_matches(['-', '–', '|', ':', ' ', '/']);
    if rest.is_empty() {
        return Beside::Nothing;
    }
    let words: Vec<&str> = rest.split_whitespace().take(COUNTERS_MAX + 1).collect();
    if words.len() <= COUNTERS_MAX && words.iter().all(|word| number(word).is_some()) {
        return number(words[0]).map_or(Beside::Unknown, Beside::Views);
    }
    match label::of(rest) {
        Some((Label::Views, value)) => number(value).map_or(Beside::Known, Beside::Views),
        Some((Label::Updated | Label::Tool | Label::Share | Label::Comments, _)) => Beside::Known,
        _ => {
            let lower = rest.to_lowercase();
            let viewed = ["lượt xem", "đã xem", "lượt đọc", "views", "view"].iter().find_map(|words| {
                let count = lower.strip_prefix(words).or_else(|| lower.strip_suffix(words))?;
                number(count.trim_matches([':', ' ']))
            });
            viewed.map_or(Beside::Unknown, Beside::Views)
        }
    }
}

/// Whether a text reads like the name of a person or an office: a few words, each with a capital letter.
pub(crate) fn is_name(text: &str) -> bool {
    const WORDS_MAX: usize = 5;
    let words: Vec<&str> = text.split_whitespace().take(WORDS_MAX + 1).collect();
    let has_capital = |word: &&str| word.chars().next().is_some_and(char::is_uppercase);
    (2..=WORDS_MAX).contains(&words.len())
        && words.iter().all(has_capital)
        && !text.contains(['.', ':', '?', '!', '>', '»'])
        && !text.bytes().any(|b| b.is_ascii_digit())
}
