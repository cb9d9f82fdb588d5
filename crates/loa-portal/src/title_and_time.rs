//! Decides a page's title and time, each with the help of the other.
//!
//! Where the page's form shows the title, the time is looked for near it; else the title is looked for
//! near the time.

use crate::{
    address::Address,
    block::Elements,
    evidence::Candidate,
    fault::undecided,
    head::{Head, folded},
    posting::{self, Asked, Posting},
    reader::Reader,
    region::{self, Region},
    times, title,
    weigh::{Bounds, Verdict, weigh},
};
use jiff::tz::TimeZone;
use loa_domain::{Clue, PageError, PageField};

/// Titles that the page's form shows, and titles known by their place alone.
const HEADINGS: Bounds = Bounds { at_least: 40, ahead: 10 };
const LINES: Bounds = Bounds { at_least: 15, ahead: 10 };

/// What is known of a page before its article is read.
pub(crate) struct Page<'a> {
    pub(crate) reader: Reader,
    pub(crate) elements: &'a Elements,
    pub(crate) head: &'a Head,
    pub(crate) address: Address,
    pub(crate) zone: &'a TimeZone,
    /// The title in the list where the page was found.
    pub(crate) listed_title: Option<&'a str>,
}

/// A title that was decided, and its blocks; `None`: only machines are told it.
pub(crate) type Title = Candidate<String>;

/// Decides title and time, each with the help of the other.
pub(crate) fn decide(page: &Page<'_>) -> Result<(Title, Region, Posting), PageError> {
    if title::is_of_server(&page.head.page_title) {
        return Err(PageError::OfServer { title: page.head.page_title.as_str().into() });
    }
    let decided = weighed(page)?;
    if title::is_of_server(&decided.0.value) {
        return Err(PageError::OfServer { title: decided.0.value.into() });
    }
    Ok(decided)
}

fn weighed(page: &Page<'_>) -> Result<(Title, Region, Posting), PageError> {
    let blocks = &page.reader.blocks;
    let mut headings = title::headings(blocks, page.head, page.address.url.as_ref());
    if let Some(listed) = page.listed_title {
        title::hear_list(&mut headings, listed);
    }
    let asked = |region, title| Asked { reader: &page.reader, head: page.head, zone: page.zone, region, title };
    let same = |a: &String, b: &String| folded(a) == folded(b);
    let mut verdict = weigh(&headings, HEADINGS, same);
    if !matches!(verdict, Verdict::One(_)) && !headings.is_empty() {
        // The heading nearest above the time of posting is likelier than another.
        let labelled = times::visible(&page.reader, Region::whole(), None).into_iter().find(|c| c.weight >= 80);
        let time = labelled.and_then(|candidate| candidate.blocks).map(|(place, _)| place);
        let above = |c: &&mut Title| c.blocks.is_some_and(|(_, last)| time.is_some_and(|time| last < time));
        if let Some(nearest) = headings.iter_mut().rev().find(above) {
            nearest.add(25, Clue::NearestHeading);
            verdict = weigh(&headings, HEADINGS, same);
        }
    }
    match verdict {
        Verdict::One(title) => {
            let last = title.blocks.map_or(0, |(_, last)| last);
            let region = region::of_article(blocks, page.elements, last);
            let posting = posting::decide(asked(region, Some(last)))?;
            let time = posting.blocks.map_or(0, |(time, _)| time);
            match title::rival(&headings, &title, time, page.head) {
                Some(rival) => Err(undecided(PageField::Title, &title, rival)),
                None => Ok((title, region, posting)),
            }
        }
        Verdict::Divided(one, other) => {
            // A list's headings are equals, too, and its dates say what it is.
            match posting::decide(asked(Region::whole(), None)) {
                Err(list @ PageError::List { .. }) => Err(list),
                _ => Err(undecided(PageField::Title, &one, &other)),
            }
        }
        Verdict::Unsure(_) | Verdict::None => {
            let posting = posting::decide(asked(Region::whole(), None))?;
            let title = line_title(&page.reader, page.head, &posting)?;
            let region =
                title.blocks.map_or_else(Region::whole, |(_, last)| region::of_article(blocks, page.elements, last));
            Ok((title, region, posting))
        }
    }
}

/// The title of a page without headings: a line near the time, or what machines are told.
fn line_title(reader: &Reader, head: &Head, posting: &Posting) -> Result<Title, PageError> {
    let same = |a: &String, b: &String| folded(a) == folded(b);
    let mut lines = Vec::new();
    if let Some(time) = posting.blocks {
        let is_text = |place: usize| reader.is_value(place) && (place == time.1 + 1 || reader.blocks[place].is_prose());
        let has_text_behind = (time.1 + 1..reader.blocks.len()).any(is_text);
        if !has_text_behind {
            lines.extend(title::first_line(reader, Region::whole(), time.0));
        }
        if lines.is_empty() {
            lines = title::lines(reader, Region::whole(), time);
        }
    }
    if let Some(said) = head.titles.first() {
        let clues = vec![Clue::Machines(said.by.into()), Clue::NotShown];
        let (value, text) = (said.value.clone(), said.value.clone());
        lines.push(Candidate { value, text, line: 0, blocks: None, clues, weight: 20 });
    }
    match weigh(&lines, LINES, same) {
        Verdict::One(title) => Ok(title),
        Verdict::Divided(one, other) => Err(undecided(PageField::Title, &one, &other)),
        Verdict::Unsure(_) | Verdict::None => Err(PageError::NoTitle { line: posting.evidence.line }),
    }
}
