//! Reads what names articles: a feed, a sitemap, a JSON list of a system's own door, or a list page.
//!
//! Bytes in; items with their addresses, titles, times and, where the source has it, the whole text. The form is
//! told by the bytes, never by what a server calls them. It fetches nothing: whoever looks at portals does.

mod entries;
mod feed;
mod full_text;
mod instant;
mod json;
mod listing;
mod pager;
mod selected;
mod sitemap;

pub use full_text::article_of;
pub use selected::read_selected;

use crate::{NotUnderstood, PageError, encoding, read::PAGE_BYTES_MAX};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use loa_domain::{LeftOut, Selectors, SourceClue};
use url::Url;

/// The longest source that is read, in bytes: a thousand articles with their texts.
pub const SOURCE_BYTES_MAX: usize = 8 * 1_048_576;
/// The most items of one document; what stands behind them is told.
pub const ITEMS_MAX: usize = 2_000;

/// The form of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceForm {
    /// RSS, Atom or JSON Feed.
    Feed,
    /// Posts of WordPress's REST door.
    WordPress,
    /// A sitemap, or an index of sitemaps.
    Sitemap,
    /// A page of links.
    Listing,
}

/// What a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is.
    pub form: SourceForm,
    /// Articles, in the order of the source; no address twice. May be empty.
    pub items: Vec<ListedItem>,
    /// What was named and not taken, and why.
    pub left_out: Vec<NotUnderstood>,
    /// Where it goes on.
    pub next: Option<Url>,
    /// Sitemaps that an index names, the newest first.
    pub children: Vec<ListedChild>,
    /// Whether it names more than is taken of it: what stands behind is not seen.
    pub is_cut: bool,
    /// Feeds and doors that a page names for machines.
    pub feeds: Vec<Url>,
    /// What speaks for its form.
    pub why: SourceClue,
}

/// A sitemap that an index names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedChild {
    /// Where it is.
    pub address: Url,
    /// When it was changed last; `None` when unsaid.
    pub changed_at: Option<Timestamp>,
}

/// An article that a source names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedItem {
    /// Where it is.
    pub address: Url,
    /// Its title, one line; empty where the source has none (a sitemap).
    pub title: String,
    /// When it was published; `None` when unsaid.
    pub published_at: Option<Timestamp>,
    /// The day of that, where no time is said.
    pub posted_on: Option<Date>,
    /// When it was changed last; `None` when unsaid.
    pub changed_at: Option<Timestamp>,
    /// Its lead as HTML; empty when unsaid.
    pub summary: String,
    /// Its whole text as HTML; `None`: its own page has it.
    pub content: Option<String>,
    /// Who wrote it; empty when unsaid.
    pub author: String,
}

impl ListedItem {
    pub(crate) fn at(address: Url) -> Self {
        let (title, summary, author) = (String::new(), String::new(), String::new());
        Self { address, title, published_at: None, posted_on: None, changed_at: None, summary, content: None, author }
    }
}

impl Listed {
    pub(crate) fn of(form: SourceForm, why: SourceClue) -> Self {
        Self {
            form,
            items: Vec::new(),
            left_out: Vec::new(),
            next: None,
            children: Vec::new(),
            is_cut: false,
            feeds: Vec::new(),
            why,
        }
    }

    /// Takes an item unless its address is there already, or there are too many.
    pub(crate) fn push(&mut self, item: ListedItem, addresses: &mut std::collections::HashSet<String>) {
        if !addresses.insert(item.address.to_string()) {
            return;
        }
        if self.items.len() == ITEMS_MAX {
            self.is_cut = true;
            let why = LeftOut::TooManyEntries { max: ITEMS_MAX };
            if self.left_out.last().is_none_or(|last| last.why != why) {
                self.left_out.push(NotUnderstood { line: 0, text: item.title, why });
            }
            return;
        }
        self.items.push(item);
    }

    pub(crate) fn leave_out(&mut self, text: impl Into<String>, why: LeftOut) {
        const LEFT_OUT_MAX: usize = 200;
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(NotUnderstood { line: 0, text: text.into(), why });
        }
    }
}

/// Reads a source, whatever its form. `address` is where it was read from: relative addresses begin there. `zone` is the
/// portal's: times without an offset are of it.
///
/// # Errors
/// No source of any form, a broken one, too large a one, or a selector that cannot be read or finds nothing.
pub fn read_source(bytes: &[u8], address: &Url, zone: &TimeZone, selectors: &Selectors) -> Result<Listed, PageError> {
    if bytes.len() > SOURCE_BYTES_MAX {
        return Err(PageError::TooLarge { bytes: bytes.len(), max: SOURCE_BYTES_MAX });
    }
    let text = encoding::decode(bytes)?;
    let begin = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if begin.is_empty() {
        return Err(PageError::Empty);
    }
    if begin.starts_with(['{', '[']) {
        return json::read(begin, address, zone);
    }
    match entries::root(begin).as_deref() {
        Some("rss" | "rdf:rdf" | "feed") => feed::read(begin, address, zone),
        Some("urlset" | "sitemapindex") => sitemap::read(begin, address, zone),
        _ if bytes.len() > PAGE_BYTES_MAX => Err(PageError::TooLarge { bytes: bytes.len(), max: PAGE_BYTES_MAX }),
        _ => listing::read(&text, address, zone, selectors),
    }
}
