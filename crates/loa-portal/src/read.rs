//! Bytes to a page: text or HTML, an article or a document.
//!
//! The way: `encoding.rs` → blocks (`text.rs`, `html.rs`) → candidates (`title.rs`, `times.rs`) →
//! decisions (`weigh.rs`, `posting.rs`, `title_and_time.rs`) → the text (`region.rs`, `passage.rs`) → the
//! page (`article.rs`, `behind.rs`, `document_page.rs`).

use crate::{
    OtherItem, PageError, PortalPage, address, article,
    block::Elements,
    document_page, encoding,
    head::Head,
    html::{self, HtmlPage},
    list,
    reader::Reader,
    text,
    title_and_time::Page,
};
use jiff::tz::TimeZone;
use url::Url;

/// The largest page taken, in bytes: ten times the largest seen, and a page is held in memory whole.
pub const PAGE_BYTES_MAX: usize = 2 * 1_048_576;

/// Reads a page, text or HTML. `address` is where it was read from, when that is known: relative addresses in it begin there.
/// `zone` is the portal's: times on its pages are of it.
///
/// The same bytes, address and zone give the same page.
///
/// # Errors
/// A page whose title, date or body is missing or not certain, that is a list, with a date that cannot be, in an encoding
/// that is not known, too large or too deep. Each is one sentence: what, where, and what to do.
pub fn read(bytes: &[u8], address: Option<&Url>, zone: &TimeZone) -> Result<PortalPage, PageError> {
    read_listed(bytes, address, zone, None)
}

/// Reads a page whose title is known from the list where it was found. The title speaks for a heading that says the same;
/// it never becomes the article's by itself.
///
/// # Errors
/// As [`read`].
pub fn read_listed(
    bytes: &[u8],
    address: Option<&Url>,
    zone: &TimeZone,
    listed_title: Option<&str>,
) -> Result<PortalPage, PageError> {
    read_from(bytes, address, address, zone, listed_title)
}

/// Reads a page that was found behind redirects at `base`, where its relative addresses begin; it is the page of `address`.
pub(crate) fn read_from(
    bytes: &[u8],
    base: Option<&Url>,
    address: Option<&Url>,
    zone: &TimeZone,
    listed_title: Option<&str>,
) -> Result<PortalPage, PageError> {
    let HtmlPage { blocks, elements, head } = cut(bytes, base)?;
    let address = address::of_page(&head, address);
    let reader = Reader::new(blocks, zone.clone());
    if document_page::is_one(&reader) {
        return document_page::read(reader, &head, address);
    }
    article::read(Page { reader, elements: &elements, head: &head, address, zone, listed_title })
}

/// Reads a page as a list of articles, in the order of the page. `address` is where it was read from.
///
/// # Errors
/// A page with fewer than two links to articles, in an encoding that is not known, too large or too deep.
pub fn read_list(bytes: &[u8], address: Option<&Url>) -> Result<Vec<OtherItem>, PageError> {
    let page = cut(bytes, address)?;
    // a list says days, and of them the zone says nothing
    list::read(&Reader::new(page.blocks, TimeZone::UTC))
}

/// Bytes to blocks.
fn cut(bytes: &[u8], address: Option<&Url>) -> Result<HtmlPage, PageError> {
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(PageError::TooLarge { bytes: bytes.len(), max: PAGE_BYTES_MAX });
    }
    let text = encoding::decode(bytes)?;
    let page = if html::is_html(&text) {
        html::of_html(&text, address)?
    } else {
        HtmlPage { blocks: text::of_text(&text, address), elements: Elements::of_text(), head: Head::default() }
    };
    if page.blocks.is_empty() {
        return Err(PageError::Empty);
    }
    Ok(page)
}
