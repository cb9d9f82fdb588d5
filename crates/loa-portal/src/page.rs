//! What a portal page holds, once it is read. Text is NFC and free of characters that XML forbids;
//! addresses are absolute.
//!
//! `read.rs` fills these types; intake makes events of them.

use crate::{Evidence, NotUnderstood};
use jiff::{Timestamp, civil::Date};
use loa_domain::ArticleId;
use url::Url;

/// A page that was understood, and what of it was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalPage {
    /// The article; `None` when the page is that of a document, the only one in `documents`.
    pub article: Option<PortalArticle>,
    /// Official papers listed beside it, in the order of the page. May be empty.
    pub documents: Vec<PortalDocument>,
    /// Files that belong to the article or the document. May be empty.
    pub files: Vec<PortalFile>,
    /// Other articles the page names, not imported with it. May be empty.
    pub other_items: Vec<OtherItem>,
    /// Where the list of other articles stands in the whole; `None` when unsaid.
    pub pager: Option<Pager>,
    /// Addresses of other sites. May be empty: the text of a page does not hold them.
    pub links: Vec<SiteLink>,
    /// The portal's visit counter; `None` when it shows no number.
    pub visits: Option<u64>,
    /// Why each value was taken, in the order of [`PageField`](crate::PageField).
    pub evidence: Vec<Evidence>,
    /// Every line that was left out or not understood, in the order of the page. Empty: all of it was taken.
    pub report: Vec<NotUnderstood>,
}

/// The article of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalArticle {
    /// The page's own id, else one made from title and time of posting: the same for the same page, always.
    pub id: ArticleId,
    /// The id made from the page's address, where that is known and the page has no id of its own: it stays when title or
    /// time are mended. Which of the two an article has, its importer knows: one that was published keeps its own.
    pub address_id: Option<ArticleId>,
    /// Whether `id` is the page's own, so that it names this article for certain.
    pub has_own_id: bool,
    /// One line of plain text.
    pub title: String,
    /// When it was posted, in UTC; written in the portal's zone, unless the page says another. `None` when the page shows a placeholder such
    /// as `01/01/1900`, which the report tells; the importer then says when.
    pub published_at: Option<Timestamp>,
    /// The lead, one line of plain text; empty when the page has none.
    pub summary: String,
    /// The body: `<p>` and a few inline elements, attributes but addresses dropped; never empty. Still to be sanitised.
    pub content_html: String,
    /// The body's plain text, a line for each paragraph.
    pub content_text: String,
    /// *Nguồn tin*, as written; empty when unsaid.
    pub source_name: String,
    /// *Tác giả*, as written; empty when unsaid.
    pub author: String,
    /// Pictures, the main one first. May be empty.
    pub images: Vec<PortalImage>,
    /// Where the page says it stands (`link rel="canonical"`), else the address it was read from; `None` when neither is
    /// known. None is ever made up.
    pub url: Option<Url>,
    /// Whether the page alone says where it stands, and whoever read it from somewhere does not: some systems say the same of
    /// all their pages.
    pub is_url_claimed: bool,
    /// How often the page says it was read (`Đã xem: 486`).
    pub views: Option<u64>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalImage {
    /// The file's name, `occop.jpg`.
    pub name: String,
    /// Where it is; `None` for text, and where the address cannot be made absolute.
    pub url: Option<Url>,
    /// What it shows; empty when unsaid.
    pub alt: String,
}

/// A file that belongs to an article or a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalFile {
    /// The words of its link; else its name.
    pub title: String,
    /// Where it is.
    pub url: Url,
}

/// An official paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalDocument {
    /// Made from number and year of issue, or number and title where the year is unsaid: numbers begin anew each year.
    pub id: ArticleId,
    /// Number and symbol exactly as written, `47UBND -UBND-TTr`.
    pub number: String,
    /// The kind, where the title says it (`Kết luận Thanh tra`); else empty.
    pub kind: String,
    /// The title without the kind and colon before it.
    pub title: String,
    /// The day of issue, when said.
    pub issued_on: Option<Date>,
    /// Who issued it; empty when unsaid.
    pub issuer: String,
    /// Where it is; `None` for text.
    pub url: Option<Url>,
}

/// Another article, named but not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherItem {
    /// Its title.
    pub title: String,
    /// The day it was posted, when said.
    pub posted_on: Option<Date>,
    /// Where it is; `None` for text.
    pub url: Option<Url>,
}

/// `391-400 of 1863`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pager {
    /// The first item shown, 1 and up.
    pub first: u64,
    /// The last item shown.
    pub last: u64,
    /// How many there are.
    pub total: u64,
}

/// A link to another site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteLink {
    /// Its text.
    pub title: String,
    /// Where it leads.
    pub url: Url,
}
