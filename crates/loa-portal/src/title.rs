//! Collects what may be the title: headings, what machines are told, and lines near the time of
//! posting.
//!
//! It weighs each by where it stands and decides nothing.

use crate::{
    block::{Block, Form},
    evidence::Candidate,
    head::{Head, folded},
    label::{self, Label},
    reader::{Reader, label_of},
    region::Region,
    stamp::{self, is_name},
};
use loa_domain::Clue;
use url::Url;

/// Titles that sections and sites have, not articles.
const SECTIONS: [&str; 18] = [
    "tin tức",
    "tin tức - sự kiện",
    "tin tức sự kiện",
    "tin tức & sự kiện",
    "tin tức và sự kiện",
    "tin hoạt động",
    "tin mới",
    "tin địa phương",
    "tin trong nước",
    "tin nổi bật",
    "trang chủ",
    "chi tiết tin",
    "chi tiết tin tức",
    "chi tiết bài viết",
    "chi tiết",
    "nội dung",
    "thông báo",
    "news",
];
const SITES: [&str; 4] = ["cổng thông tin", "trang thông tin", "website", "cổng ttđt"];

/// What says of a title that it is the article's, and not the site's.
const SURE: [Clue; 3] = [Clue::OpenGraph, Clue::DataForMachines, Clue::List];

/// Lines before the time of posting that may be the title.
const LINES_BEFORE_MAX: usize = 4;

/// Collects headings, and blocks that are what the page tells machines its title is.
pub(crate) fn headings(blocks: &[Block], head: &Head, address: Option<&Url>) -> Vec<Candidate<String>> {
    let mut candidates: Vec<Candidate<String>> = Vec::new();
    let mut place = 0;
    while place < blocks.len() {
        let begin = place;
        place += 1;
        let block = &blocks[begin];
        if !block.is_words() || label_of(block).is_some() {
            continue;
        }
        // A line break within a heading parts no titles.
        let mut text = block.text.clone();
        while block.form == Form::Heading && blocks.get(place).is_some_and(|next| is_one_heading(block, next)) {
            text = format!("{text} {}", blocks[place].text);
            place += 1;
        }
        let mut candidate = Candidate {
            value: text.clone(),
            text,
            line: block.line,
            blocks: Some((begin, place - 1)),
            clues: Vec::new(),
            weight: 0,
        };
        if is_candidate(&mut candidate, block, head) {
            by_place(&mut candidate, block, address);
            candidates.push(candidate);
        }
    }
    candidates
}

fn is_one_heading(block: &Block, next: &Block) -> bool {
    next.form == Form::Heading && next.place.element == block.place.element && label_of(next).is_none()
}

/// What form and machines say; whether they say anything.
fn is_candidate(candidate: &mut Candidate<String>, block: &Block, head: &Head) -> bool {
    match block.place.level {
        1 => candidate.add(60, Clue::MainHeading),
        2 => candidate.add(40, Clue::Heading),
        3 => candidate.add(30, Clue::Heading),
        4..=6 => candidate.add(15, Clue::SmallHeading),
        _ => {}
    }
    if block.place.hint.is_title {
        candidate.add(if block.place.level > 0 { 10 } else { 35 }, Clue::ElementName);
    }
    match head.confirms(&candidate.value) {
        Some("`title`") => candidate.add(40, Clue::PageTitle),
        Some("og:title") => candidate.add(40, Clue::OpenGraph),
        Some(_) => candidate.add(40, Clue::DataForMachines),
        None => {}
    }
    candidate.weight > 0
}

/// What the place says.
fn by_place(candidate: &mut Candidate<String>, block: &Block, address: Option<&Url>) {
    if block.place.is_aside {
        candidate.add(-60, Clue::Aside);
    }
    let is_own = |url: &Url| address.is_some_and(|address| url == address);
    if block.place.is_link && !block.links.iter().any(|(_, url)| is_own(url)) {
        candidate.add(-30, Clue::LinkElsewhere);
    }
    if block.form == Form::Item {
        candidate.add(-15, Clue::ListItem);
    }
    if is_section(&candidate.value) {
        candidate.add(-60, Clue::SectionOrSite);
    }
}

/// A heading that stands between a title and its time, so that it may be the title itself.
pub(crate) fn rival<'c>(
    headings: &'c [Candidate<String>],
    title: &Candidate<String>,
    time: usize,
    head: &Head,
) -> Option<&'c Candidate<String>> {
    const HEADING: i32 = 30;
    // Many sites tell machines their own name on every page.
    let is_site = is_name(&title.value) || folded(&title.value) == folded(&head.site_name);
    let is_sure = title.clues.iter().any(|clue| SURE.contains(clue)) && !is_site;
    let (_, last) = title.blocks.filter(|_| !is_sure)?;
    let is_between = |rival: &&Candidate<String>| rival.blocks.is_some_and(|(first, end)| first > last && end < time);
    headings.iter().filter(is_between).find(|rival| {
        rival.weight >= HEADING
            // a theme's second heading for small screens
            && folded(&rival.value) != folded(&title.value)
            && !is_paragraph(&rival.value)
            && !rival.value.ends_with('.')
            && !is_section(&rival.value)
    })
}

/// Adds the title that a list of articles gives the page: where a block says the same, it speaks for it.
pub(crate) fn hear_list(candidates: &mut [Candidate<String>], listed: &str) {
    let listed = folded(listed);
    for candidate in candidates.iter_mut().filter(|candidate| folded(&candidate.value) == listed) {
        candidate.add(60, Clue::List);
    }
}

/// Collects lines near the time of posting, for pages without headings.
pub(crate) fn lines(reader: &Reader, region: Region, time: (usize, usize)) -> Vec<Candidate<String>> {
    let mut candidates = Vec::new();
    let is_line = |place: usize| region.holds(&reader.blocks[place]) && is_title_line(reader, place);
    let before: Vec<usize> = (0..time.0).rev().filter(|&place| is_line(place)).take(LINES_BEFORE_MAX).collect();
    for (distance, &place) in (0_i32..).zip(&before) {
        let block = &reader.blocks[place];
        let mut candidate = at(block, place);
        candidate.add(50 - 10 * distance, Clue::AboveTime);
        let longer =
            before.get(usize::try_from(distance).unwrap_or_default() + 1).map(|&place| &reader.blocks[place].text);
        if is_name(&block.text) && longer.is_some_and(|text| !is_name(text) && words(text) > words(&block.text)) {
            candidate.add(-25, Clue::NameBelowLine);
        }
        if is_section(&block.text) {
            candidate.add(-20, Clue::Section);
        }
        if !block.text.chars().any(char::is_alphanumeric) {
            candidate.add(-30, Clue::NoLetters);
        }
        let has_line_above = before.len() > usize::try_from(distance).unwrap_or_default() + 1;
        if is_paragraph(&block.text) || (has_line_above && block.text.ends_with(['.', ';', ':'])) {
            candidate.add(-40, Clue::Paragraph);
        }
        candidates.push(candidate);
    }
    let tool = (time.1 + 1..reader.blocks.len()).take(2).any(|place| is_tool(&reader.blocks[place]));
    if let Some(place) = (time.1 + 1..reader.blocks.len()).take(4).find(|&place| is_line(place)) {
        let block = &reader.blocks[place];
        let mut candidate = at(block, place);
        let weight = if before.is_empty() || tool { 35 } else { 0 };
        candidate.add(weight, Clue::BelowTime);
        if is_paragraph(&block.text) {
            candidate.add(-40, Clue::Paragraph);
        }
        candidates.push(candidate);
    }
    candidates
}

/// The first line of a page whose time of posting stands below its text.
pub(crate) fn first_line(reader: &Reader, region: Region, time: usize) -> Option<Candidate<String>> {
    let place = (0..time).find(|&place| region.holds(&reader.blocks[place]) && is_title_line(reader, place))?;
    let mut candidate = at(&reader.blocks[place], place);
    candidate.add(40, Clue::FirstLine);
    Some(candidate)
}

fn at(block: &Block, place: usize) -> Candidate<String> {
    Candidate {
        value: block.text.clone(),
        text: block.text.clone(),
        line: block.line,
        blocks: Some((place, place)),
        clues: Vec::new(),
        weight: 0,
    }
}

/// Whether a line may be a title: no label, no time, no way through the site.
fn is_title_line(reader: &Reader, place: usize) -> bool {
    let block = &reader.blocks[place];
    let is_way = block.text.contains(['>', '»', '›']);
    reader.is_value(place) && !is_way && stamp::line(reader, place).is_none()
}

fn is_tool(block: &Block) -> bool {
    label::of(&block.text).is_some_and(|(label, _)| label == Label::Tool)
}

/// Whether a title is that of a server's own answer: there is no such page, or it keeps robots out.
pub(crate) fn is_of_server(text: &str) -> bool {
    const WHOLE: [&str; 8] = [
        "just a moment...",
        "attention required! | cloudflare",
        "page not found",
        "access denied",
        "không tìm thấy trang",
        "trang không tồn tại",
        "service unavailable",
        "bad gateway",
    ];
    const CODES: [&str; 7] = ["400", "401", "403", "404", "500", "502", "503"];
    const BEHIND: [&str; 10] = [
        "not found",
        "không tìm thấy",
        "page not found",
        "forbidden",
        "error",
        "bad gateway",
        "service",
        "internal server",
        "unauthorized",
        "bad request",
    ];
    let text = folded(text);
    let words = text.trim_start_matches("error ").trim_start_matches("lỗi ");
    let behind = CODES.iter().find_map(|code| words.strip_prefix(code));
    let behind = behind.map(|behind| behind.trim_start_matches([' ', '-', '–', ':', '|', '.', ',']));
    WHOLE.contains(&text.as_str())
        || behind.is_some_and(|behind| behind.is_empty() || BEHIND.iter().any(|words| behind.starts_with(words)))
}

fn is_section(text: &str) -> bool {
    let text = folded(text);
    SECTIONS.contains(&text.as_str()) || SITES.iter().any(|site| text.starts_with(site))
}

/// Sentences of many words, which no title has.
fn is_paragraph(text: &str) -> bool {
    const WORDS_MAX: usize = 25;
    words(text) > WORDS_MAX && (text.ends_with(['.', ';', ':']) || text.contains(". "))
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
