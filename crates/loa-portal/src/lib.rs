//! Reads a page of a government portal, as text or as HTML: the article or document, the papers and
//! other articles listed beside it, why each value was taken, and a report of every line that was not.
//!
//! A page is read by evidence. Whatever may be its title, time or text is collected with where it
//! stands, and weighed. Where two values disagree and nothing decides, the page is refused with a
//! sentence that names both.
//!
//! Pure: bytes in, a page or a fact out. It fetches nothing, follows no link, and knows no
//! areas or events.
//!
//! ```
//! let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone");
//! let text = "Họp dân\n\nThời gian đăng: 16/11/2023 08:02:22 PM\n\nXã Na Son họp dân.\n";
//! let article = loa_portal::read(text.as_bytes(), None, &zone)?.article.expect("an article");
//! assert_eq!(article.title, "Họp dân");
//! assert_eq!(article.published_at.unwrap().to_string(), "2023-11-16T13:02:22Z");
//! assert_eq!(article.id.as_str(), "hop-dan-20231116-200222");
//! # Ok::<(), loa_portal::PageError>(())
//! ```

mod address;
mod article;
mod behind;
mod block;
mod body;
mod clock;
mod count;
mod document;
mod document_page;
mod element;
mod encoding;
mod evidence;
mod fault;
mod file;
mod head;
mod html;
mod identity;
mod json_ld;
mod label;
mod list;
mod listed;
mod page;
mod passage;
mod picture;
mod posted;
mod posting;
mod read;
mod reader;
mod region;
mod robots;
mod source;
mod stamp;
mod table;
mod text;
mod times;
mod title;
mod title_and_time;
mod walk;
mod weekday;
mod weigh;

pub use evidence::Evidence;
pub use fault::NotUnderstood;
pub use identity::without_visitor;
pub use listed::{
    ITEMS_MAX, Listed, ListedChild, ListedItem, SOURCE_BYTES_MAX, SourceForm, article_of, read_selected, read_source,
};
pub use loa_domain::{PageError, PageField};
pub use page::{OtherItem, Pager, PortalArticle, PortalDocument, PortalFile, PortalImage, PortalPage, SiteLink};
pub use read::{PAGE_BYTES_MAX, read, read_list, read_listed};
pub use robots::{ROBOTS_BYTES_MAX, Robots};
