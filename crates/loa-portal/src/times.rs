//! Collects what a page says of the time of posting: visible lines, `time` elements, and what machines
//! are told.
//!
//! It weighs each by where it stands and decides nothing. A visible time weighs more than one for
//! machines, which many systems write wrong.

use crate::{
    block::Block,
    evidence::Candidate,
    head::Head,
    label::{self, Label},
    reader::Reader,
    region::Region,
    stamp::{Beside, Line, Stamp, beside, line},
    weekday,
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use loa_domain::Clue;

/// Collects the visible times. `title`: the last block of the title, where the page's form shows it.
pub(crate) fn visible(reader: &Reader, region: Region, title: Option<usize>) -> Vec<Candidate<Line>> {
    const ENOUGH: i32 = 30;
    let mut candidates: Vec<Candidate<Line>> = Vec::new();
    let mut words_before = 0;
    let mut last_value = None;
    for place in 0..reader.blocks.len() {
        let block = &reader.blocks[place];
        if ends_search(block, region) && candidates.iter().any(|candidate| candidate.weight >= ENOUGH) {
            break;
        }
        let found = if last_value == Some(place) { None } else { line(reader, place) };
        if let Some(found) = found {
            last_value = Some(found.value_at);
            let mut candidate = Candidate {
                text: found.text.clone(),
                line: block.line,
                blocks: Some((place, found.value_at)),
                value: found,
                clues: Vec::new(),
                weight: 0,
            };
            by_words(&mut candidate, block);
            by_place(&mut candidate, reader, region, title, words_before);
            candidates.push(candidate);
        }
        words_before += usize::from(block.is_words());
    }
    candidates
}

/// Behind such a block, dates are those of others.
fn ends_search(block: &Block, region: Region) -> bool {
    let label = region.holds(block).then(|| label::of(&block.text)).flatten().map(|(label, _)| label);
    matches!(
        label,
        Some(
            Label::Others
                | Label::Documents
                | Label::Links
                | Label::Counter
                | Label::Visits
                | Label::Pager
                | Label::DocumentNumber
                | Label::Comments
                | Label::Rating
                | Label::Tags
        )
    )
}

/// Words behind a labelled time; of more, it is a sentence of the text.
const REST_WORDS_MAX: usize = 6;

/// What the words say.
fn by_words(candidate: &mut Candidate<Line>, block: &Block) {
    let has_time = matches!(candidate.value.stamp, Stamp::At { time: Some(_), .. });
    match (candidate.value.is_labelled, candidate.value.is_update, has_time) {
        (true, false, _) => candidate.add(80, Clue::PostedLabel),
        (true, true, _) => candidate.add(40, Clue::ChangedLabel),
        (false, true, _) => candidate.add(30, Clue::ChangedElement),
        (false, false, true) => candidate.add(60, Clue::DayAndTime),
        (false, false, false) => candidate.add(45, Clue::DayAlone),
    }
    if candidate.value.is_labelled {
        if candidate.value.rest.split_whitespace().nth(REST_WORDS_MAX).is_some() {
            candidate.add(-30, Clue::SentenceBehind);
        }
        return;
    }
    if block.place.hint.is_time && !candidate.value.is_update {
        candidate.add(10, Clue::ElementName);
    }
    if block.text.starts_with('(') {
        candidate.add(-30, Clue::Parentheses);
    }
    if beside(&candidate.value.rest) == Beside::Unknown {
        candidate.add(-15, Clue::OtherWords);
    }
}

/// What the place says.
fn by_place(
    candidate: &mut Candidate<Line>,
    reader: &Reader,
    region: Region,
    title: Option<usize>,
    words_before: usize,
) {
    const FAR: usize = 8;
    let Some((place, _)) = candidate.blocks else { return };
    let block = &reader.blocks[place];
    let is_labelled = candidate.value.is_labelled;
    if !region.holds(block) {
        return candidate.add(-80, Clue::Aside);
    }
    match title {
        Some(title) if place > title => {
            if follows_other(reader, place, title) {
                candidate.add(-70, Clue::UnderLink);
            } else if place - title <= FAR / 2 {
                candidate.add(20, Clue::CloseBehindTitle);
            } else if place - title > FAR && !is_labelled {
                candidate.add(-25, Clue::FarBehindTitle);
            }
        }
        Some(title) if title - place > FAR => candidate.add(-20, Clue::FarBeforeTitle),
        Some(_) if !is_labelled => candidate.add(-45, Clue::BeforeTitle),
        Some(_) => {}
        None if words_before == 0 && !is_labelled => {
            candidate.add(-40, Clue::PageHead);
        }
        None if words_before > FAR && !is_labelled => candidate.add(-25, Clue::FarBehindHead),
        None => {}
    }
    let has_clock = matches!(candidate.value.stamp, Stamp::At { time: Some(_), .. });
    if !is_labelled && !has_clock && title.is_none() && weekday::stands_in(&block.text) {
        candidate.add(-10, Clue::WeekdayWithoutTime);
    }
    if !is_labelled && title.is_none_or(|title| place < title) && weekday::stands_in(&block.text) && words_before == 0 {
        candidate.add(-20, Clue::WeekdayOfVisit);
    }
}

/// Whether the nearest words before are a link to another article.
fn follows_other(reader: &Reader, place: usize, title: usize) -> bool {
    const WORDS_MIN: usize = 4;
    let before =
        reader.blocks[title + 1..place].iter().rev().take(3).find(|block| block.is_words() && !block.is_prose());
    before.is_some_and(|block| block.place.is_link && block.text.split(' ').count() >= WORDS_MIN)
}

/// What machines are told.
pub(crate) fn for_machines(head: &Head, blocks: &[Block], region: Region, zone: &TimeZone) -> Vec<Candidate<Line>> {
    let mut candidates = Vec::new();
    let mut push = |written: &str, line: usize, by: &'static str, weight: i32| {
        let Some((day, time)) = machine_time(written, zone) else { return };
        let stamp = Stamp::At { day, time };
        let text = written.to_owned();
        let value =
            Line { stamp, is_update: false, is_labelled: false, rest: String::new(), text: text.clone(), value_at: 0 };
        candidates.push(Candidate { value, text, line, blocks: None, clues: vec![Clue::Machines(by.into())], weight });
    };
    for block in blocks.iter().filter(|block| region.holds(block) && !block.place.hint.is_update) {
        if let Some(written) = &block.place.datetime {
            push(written, block.line, "`time datetime`", 45);
        }
    }
    for said in &head.times {
        let weight = if said.by.starts_with("itemprop") { 20 } else { 45 };
        push(&said.value, 0, said.by, weight);
    }
    candidates
}

/// RFC 3339, with its offset or in the portal's zone; or a day alone.
fn machine_time(written: &str, zone: &TimeZone) -> Option<(Date, Option<Time>)> {
    const LOCAL_CHARS_MAX: usize = 19;
    let written = written.trim();
    let of = |local: DateTime| {
        (local.date(), Some(local.time().with().subsec_nanosecond(0).build().unwrap_or(local.time())))
    };
    if let Ok(at) = written.parse::<Timestamp>() {
        return Some(of(zone.to_datetime(at)));
    }
    if written.len() > LOCAL_CHARS_MAX || written.contains('+') {
        return None;
    }
    if written.len() > 10 { written.parse().ok().map(of) } else { written.parse().ok().map(|day| (day, None)) }
}
