//! Reads a page of a government portal, as text or as HTML: the article, the papers and other
//! articles listed beside it, and a report of every line that was not understood.
//!
//! Pure: bytes in, a page or a sentence out. It fetches nothing, follows no link, and knows no
//! areas or events.
//!
//! ```
//! let page = loa_portal::read("Họp dân\n\nThời gian đăng: 16/11/2023 08:02:22 PM\n\nXã Na Son họp dân.\n".as_bytes(), None)?;
//! assert_eq!(page.article.title, "Họp dân");
//! assert_eq!(page.article.published_at.unwrap().to_string(), "2023-11-16T13:02:22Z");
//! assert_eq!(page.article.id.as_str(), "hop-dan-20231116-200222");
//! # Ok::<(), loa_portal::PageError>(())
//! ```

mod block;
mod body;
mod count;
mod document;
mod element;
mod encoding;
mod fault;
mod html;
mod identity;
mod label;
mod page;
mod posted;
mod read;
mod reader;
mod source;

pub use fault::{NotUnderstood, PageError};
pub use page::{OtherItem, Pager, PortalArticle, PortalDocument, PortalImage, PortalPage, SiteLink};
pub use read::{PAGE_BYTES_MAX, read};
