//! What stands behind an article: who it is from, its files, other articles, documents, links,
//! counters.
//!
//! One state machine over the labels, in the order of the page. It takes what it knows; the rest is
//! told by the reader's report.

use crate::{
    OtherItem, PortalFile, PortalPage, SiteLink,
    block::{Block, Form},
    count::{number, pager},
    document,
    file::{is_file, name_of},
    label::{self, Label},
    posted,
    reader::{Reader, label_of},
};
use loa_domain::LeftOut;

/// Parts of a page behind the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Behind,
    Files,
    Others,
    Documents,
    Links,
    Counter,
    /// Comments, keywords, ratings.
    Foreign,
}

impl Part {
    /// The part that begins with a label; `None`: the label stands in any.
    fn begun_by(label: Label) -> Option<Self> {
        match label {
            Label::Files => Some(Self::Files),
            Label::Others => Some(Self::Others),
            Label::Documents | Label::DocumentNumber => Some(Self::Documents),
            Label::Links => Some(Self::Links),
            Label::Counter | Label::Visits => Some(Self::Counter),
            Label::Share | Label::Comments | Label::Rating | Label::Tags | Label::Tool | Label::Owner => {
                Some(Self::Foreign)
            }
            _ => None,
        }
    }
}

/// Who an article is from, and the blocks that say so.
#[derive(Debug, Default)]
pub(crate) struct Credits {
    pub(crate) source: Option<(String, usize)>,
    pub(crate) author: Option<(String, usize)>,
}

/// Reads everything from block `start` on.
pub(crate) fn read(
    reader: &mut Reader,
    start: usize,
    page: &mut PortalPage,
    credits: &mut Credits,
    views: &mut Option<u64>,
) {
    let (mut part, mut place) = (Part::Behind, start);
    while place < reader.blocks.len() {
        let block = reader.blocks[place].clone();
        if !block.is_words() || reader.used[place] {
            place += 1;
            continue;
        }
        let Some((label, value)) = label_of(&block) else {
            unlabelled(reader, place, &block, &mut part, page);
            place += 1;
            continue;
        };
        let (value, has_next) = reader.value_of(place, value);
        part = Part::begun_by(label).unwrap_or(part);
        match label {
            Label::Others | Label::Documents | Label::Links | Label::Counter => reader.take(place),
            Label::Files => {
                files(reader, place, &block, page);
            }
            Label::DocumentNumber => {
                place = document::read(reader, place, &mut page.documents);
                continue;
            }
            Label::Source | Label::Author => {
                place += usize::from(credit(reader, place, label, &value, has_next, credits))
            }
            Label::Views => {
                reader.take_number(place, number(&value), views, LeftOut::ReadersWithoutNumber);
            }
            Label::Visits => {
                let count = number(&value);
                reader.take_number(place, count, &mut page.visits, LeftOut::VisitsWithoutNumber);
                if has_next && count.is_some() {
                    reader.take(place + 1);
                    place += 1;
                }
            }
            Label::Pager => match pager(&value) {
                Some(found) => {
                    page.pager = page.pager.or(Some(found));
                    reader.take_both(place, has_next);
                    place += usize::from(has_next);
                }
                None => reader.note(place, LeftOut::UnreadPageCount),
            },
            Label::Posted | Label::Updated => reader.note(place, LeftOut::SecondTime),
            Label::DocumentTitle | Label::DocumentIssuedOn | Label::DocumentIssuer | Label::DocumentDetail => {
                reader.note(place, LeftOut::DetailBeforeNumber);
            }
            Label::Ago | Label::Share | Label::Comments | Label::Rating | Label::Tags | Label::Tool | Label::Owner => {}
        }
        place += 1;
    }
}

/// Keeps who the article is from; answers whether the next block, which holds the value, was taken with it.
pub(crate) fn credit(
    reader: &mut Reader,
    place: usize,
    label: Label,
    value: &str,
    has_next: bool,
    credits: &mut Credits,
) -> bool {
    let (author, source) = match (label, label::author_and_source(value)) {
        (_, Some((author, source))) => (author, source),
        (Label::Author, None) => (value, ""),
        (_, None) => ("", value),
    };
    let is_free = |kept: &Option<(String, usize)>, value: &str| value.is_empty() || kept.is_none();
    if value.is_empty() || !is_free(&credits.source, source) || !is_free(&credits.author, author) {
        let why = match label {
            Label::Author => LeftOut::SecondAuthor,
            _ => LeftOut::SecondSource,
        };
        reader.note(place, why);
        return false;
    }
    if !source.is_empty() {
        credits.source = Some((source.to_owned(), place));
    }
    if !author.is_empty() {
        credits.author = Some((author.to_owned(), place));
    }
    reader.take_both(place, has_next);
    has_next
}

/// Keeps the files that a block links to; without one, the block is told.
pub(crate) fn files(reader: &mut Reader, place: usize, block: &Block, page: &mut PortalPage) -> bool {
    let before = page.files.len();
    for (title, url) in block.links.iter().filter(|(_, url)| is_file(url)) {
        let title = if title.is_empty() { name_of(url) } else { title.clone() };
        page.files.push(PortalFile { title, url: url.clone() });
    }
    let has_any = page.files.len() > before;
    let is_head = label_of(block).is_some_and(|(label, value)| label == Label::Files && value.is_empty());
    if has_any {
        reader.take(place);
    } else if is_head {
        reader.note(place, LeftOut::FilesAnnounced);
    } else {
        reader.note(place, LeftOut::FileWithoutAddress);
    }
    has_any
}

fn unlabelled(reader: &mut Reader, place: usize, block: &Block, part: &mut Part, page: &mut PortalPage) {
    match part {
        Part::Others => other_item(reader, place, block, page),
        Part::Files => {
            if block.links.iter().any(|(_, url)| is_file(url)) {
                files(reader, place, block, page);
            } else {
                *part = Part::Behind;
            }
        }
        Part::Links if !block.links.is_empty() => {
            reader.take(place);
            page.links
                .extend(block.links.iter().map(|(title, url)| SiteLink { title: title.clone(), url: url.clone() }));
        }
        Part::Links => reader.note(place, LeftOut::LinkWithoutAddress),
        Part::Counter => reader.note(place, LeftOut::OtherFigure),
        Part::Foreign => reader.note(place, LeftOut::AmongOthers),
        Part::Behind | Part::Documents => {}
    }
}

/// `title (22/01/2024 )`, or a link, or an item of the list; a date alone belongs to the item before it.
fn other_item(reader: &mut Reader, place: usize, block: &Block, page: &mut PortalPage) {
    let url = block.links.first().map(|(_, url)| url.clone());
    let dated = block.text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    let dated = dated
        .filter(|(_, date)| date.trim().starts_with(|c: char| c.is_ascii_digit()) && date.contains(['/', '-', '.']));
    let (title, posted_on) = match dated {
        Some((title, date)) => {
            let first = date.split_whitespace().next().unwrap_or_default();
            match posted::day(first) {
                Ok(day) => (title.trim(), Some(day)),
                Err(fault) => {
                    reader.note(place, LeftOut::OtherArticleDate { fault });
                    (title.trim(), None)
                }
            }
        }
        None => (block.text.as_str(), None),
    };
    if title.is_empty() {
        if let (Some(day), Some(item)) =
            (posted_on, page.other_items.last_mut().filter(|item| item.posted_on.is_none()))
        {
            item.posted_on = Some(day);
            reader.take(place);
        }
        return;
    }
    if dated.is_none() && url.is_none() && block.form != Form::Item {
        return;
    }
    reader.take(place);
    page.other_items.push(OtherItem { title: title.to_owned(), posted_on, url });
}
