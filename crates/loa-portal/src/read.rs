//! Blocks to a page: what each block is, by the labels of Vietnamese portals and by its place.
//!
//! The file is long because it is one state machine, and reads best in the order of a page. `reader.rs` keeps the blocks
//! and makes the report. What makes a page unreadable ends in one [`PageError`].

use crate::{
    OtherItem, PageError, PortalArticle, PortalPage, SiteLink,
    block::{self, Block, Form},
    body,
    count::{number, pager},
    document, encoding, html, identity,
    label::{self, Label},
    posted::{self, Posted},
    reader::Reader,
};
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use loa_domain::ArticleId;
use url::Url;

/// The largest page taken, in bytes: ten times the largest seen, and a page is held in memory whole.
pub const PAGE_BYTES_MAX: usize = 2 * 1_048_576;

/// Reads a page, text or HTML. `address` is where it was read from, so that relative links can be followed; without it, links
/// of an HTML page that are not absolute are dropped from the article and told in no report, for nothing of the text is lost.
///
/// The same bytes give the same page.
///
/// # Errors
/// A page without title, date or body, with a date that cannot be, in an encoding that is not known, too large or too deep.
/// Each is one sentence: what, where, and what to do.
pub fn read(bytes: &[u8], address: Option<&Url>) -> Result<PortalPage, PageError> {
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(PageError::TooLarge { bytes: bytes.len(), max: PAGE_BYTES_MAX });
    }
    let text = encoding::decode(bytes)?;
    if html::is_html(&text) {
        let page = html::of_html(&text, address)?;
        let mut read = Reader::new(page.blocks).read()?;
        read.article.url = page.canonical.or_else(|| address.cloned());
        if let Some(id) = page.article_id.and_then(|id| ArticleId::new(id).ok()) {
            read.article.id = id;
        }
        Ok(read)
    } else {
        Reader::new(block::of_text(&text)).read()
    }
}

/// Parts of a page behind the article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Behind,
    Others,
    Documents,
    Links,
    Counter,
}

/// When the article was posted.
struct Time {
    at: Option<Timestamp>,
    local: Option<(Date, Option<DateTime>)>,
    /// The first block behind.
    behind: usize,
}

impl Reader {
    fn read(mut self) -> Result<PortalPage, PageError> {
        if self.blocks.is_empty() {
            return Err(PageError::Empty);
        }
        let label_of = |block: &Block| label::of(&block.text).map(|(label, _)| label);
        let posted = self.blocks.iter().position(|b| label_of(b) == Some(Label::Posted)).ok_or(PageError::NoDate)?;
        let title = self.title(posted)?;
        let mut views = None;
        let time = self.time(posted, &mut views)?;
        let end = self.blocks[time.behind..]
            .iter()
            .position(|b| !matches!(label_of(b), None | Some(Label::Views | Label::Posted | Label::DocumentTitle)))
            .map_or(self.blocks.len(), |offset| time.behind + offset);
        for place in time.behind..end {
            if let Some((Label::Views, value)) = label::of(&self.blocks[place].text) {
                let count = number(value);
                self.take_number(place, count, &mut views, "a count of readers that is not a number");
            }
        }
        let body =
            body::read(&mut self, time.behind, end).ok_or_else(|| PageError::EmptyBody { title: title.clone() })?;
        let mut page = PortalPage {
            article: PortalArticle {
                id: identity::of_article(&title, time.local),
                title,
                published_at: time.at,
                summary: body.summary,
                content_html: body.content_html,
                content_text: body.content_text,
                source_name: String::new(),
                images: body.images,
                url: None,
                views,
            },
            documents: Vec::new(),
            other_items: Vec::new(),
            pager: None,
            links: Vec::new(),
            visits: None,
            report: Vec::new(),
        };
        self.behind(end, &mut page);
        page.report = self.report();
        Ok(page)
    }

    /// The nearest heading before the time of posting, else the nearest line.
    fn title(&mut self, posted: usize) -> Result<String, PageError> {
        let candidates = || (0..posted).rev().filter(|&place| self.is_value(place));
        let heading = candidates().find(|&place| self.blocks[place].form == Form::Heading);
        let Some(place) = heading.or_else(|| candidates().next()) else {
            return Err(PageError::NoTitle { line: self.blocks[posted].line });
        };
        self.take(place);
        Ok(self.blocks[place].text.clone())
    }

    fn time(&mut self, posted: usize, views: &mut Option<u64>) -> Result<Time, PageError> {
        let mut place = posted;
        let mut value = label::of(&self.blocks[posted].text).map(|(_, value)| value.to_owned()).unwrap_or_default();
        self.take(posted);
        if value.is_empty() && self.is_value(posted + 1) {
            place = posted + 1;
            value = self.blocks[place].text.clone();
            self.take(place);
        }
        let behind = place + 1;
        let (line, text) = (self.blocks[place].line, value.clone());
        match posted::parse(&value) {
            Err(why) => Err(PageError::ImpossibleDate { line, text, why }),
            Ok(Posted::Placeholder) => {
                self.note(place, "the time of posting is a placeholder, and the article is not given it");
                Ok(Time { at: None, local: None, behind })
            }
            Ok(Posted::At { day, time, rest }) => {
                let local = time.unwrap_or_else(|| day.to_datetime(jiff::civil::Time::midnight()));
                let Some(at) = posted::instant(local) else {
                    return Err(PageError::ImpossibleDate { line, text, why: "it is out of range".to_owned() });
                };
                match label::of(&rest) {
                    _ if rest.is_empty() => {}
                    Some((Label::Views, value)) if number(value).is_some() => *views = number(value),
                    _ => {
                        self.note(place, format!("behind the time of posting stands {rest:?}, which is not understood"))
                    }
                }
                Ok(Time { at: Some(at), local: Some((day, time)), behind })
            }
        }
    }

    /// Everything from the first label behind the body.
    fn behind(&mut self, start: usize, page: &mut PortalPage) {
        let (mut part, mut place) = (Part::Behind, start);
        while place < self.blocks.len() {
            let block = self.blocks[place].clone();
            if matches!(block.form, Form::Furniture | Form::Embedded) || block.text.is_empty() {
                place += 1;
                continue;
            }
            let Some((label, value)) = label::of(&block.text) else {
                self.unlabelled(place, &block, part, page);
                place += 1;
                continue;
            };
            // A label may stand alone, its value on the next line.
            let next = place + 1;
            let has_next = value.is_empty() && self.is_value(next);
            let value = if has_next { self.blocks[next].text.clone() } else { value.to_owned() };
            match label {
                Label::Others => (part, self.used[place]) = (Part::Others, true),
                Label::Documents => (part, self.used[place]) = (Part::Documents, true),
                Label::Links => (part, self.used[place]) = (Part::Links, true),
                Label::Counter => (part, self.used[place]) = (Part::Counter, true),
                Label::DocumentNumber => {
                    part = Part::Documents;
                    place = document::read(self, place, &mut page.documents);
                    continue;
                }
                Label::Source if page.article.source_name.is_empty() && !value.is_empty() => {
                    page.article.source_name = value;
                    self.take_both(place, has_next);
                    place += usize::from(has_next);
                }
                Label::Views => {
                    self.take_number(
                        place,
                        number(&value),
                        &mut page.article.views,
                        "a count of readers that is not a number",
                    );
                }
                Label::Visits => {
                    part = Part::Counter;
                    let count = number(&value);
                    self.take_number(place, count, &mut page.visits, "a visit counter without a number");
                    if has_next && count.is_some() {
                        self.take(next);
                        place += 1;
                    }
                }
                Label::Pager => match pager(&value) {
                    Some(found) => {
                        page.pager = page.pager.or(Some(found));
                        self.take_both(place, has_next);
                        place += usize::from(has_next);
                    }
                    None => self.note(place, "a page count that is not `first-last of total`"),
                },
                Label::Source => self.note(place, "a second source, or one without a name"),
                Label::Posted => self.note(place, "a second time of posting"),
                Label::DocumentTitle | Label::DocumentIssuedOn | Label::DocumentIssuer => {
                    self.note(place, "it belongs to a document, but no number stands before it");
                }
            }
            place += 1;
        }
    }

    fn unlabelled(&mut self, place: usize, block: &Block, part: Part, page: &mut PortalPage) {
        match part {
            Part::Others => self.other_item(place, block, page),
            Part::Links if !block.links.is_empty() => {
                self.take(place);
                page.links
                    .extend(block.links.iter().map(|(title, url)| SiteLink { title: title.clone(), url: url.clone() }));
            }
            Part::Links => self.note(place, "a link without an address"),
            Part::Counter => self.note(place, "a figure of the visit counter that is not kept"),
            Part::Behind | Part::Documents => {}
        }
    }

    /// `title (22/01/2024 )`, or a link, or an item of the list.
    fn other_item(&mut self, place: usize, block: &Block, page: &mut PortalPage) {
        let url = block.links.first().map(|(_, url)| url.clone());
        let dated = block.text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
        let dated = dated.filter(|(_, date)| {
            date.trim().starts_with(|c: char| c.is_ascii_digit()) && date.contains(['/', '-', '.'])
        });
        let (title, posted_on) = match dated {
            Some((title, date)) => {
                let first = date.split_whitespace().next().unwrap_or_default();
                match posted::day(first) {
                    Ok(day) => (title.trim(), Some(day)),
                    Err(why) => {
                        self.note(place, format!("the date of another article cannot be: {why}"));
                        (title.trim(), None)
                    }
                }
            }
            None => (block.text.as_str(), None),
        };
        if title.is_empty() || (dated.is_none() && url.is_none() && block.form != Form::Item) {
            return;
        }
        self.take(place);
        page.other_items.push(OtherItem { title: title.to_owned(), posted_on, url });
    }
}
