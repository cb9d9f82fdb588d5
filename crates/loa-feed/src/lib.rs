//! Entries into RSS 2.0, Atom 1.0, JSON Feed 1.1 and OPML 2.0, and what HTTP readers ask about them: validators,
//! conditional requests, content codings.
//!
//! Pure: no clock, no socket, no ledger. The same entries make the same bytes, on every node and after every restart;
//! whoever calls says what stands in a feed and serves what comes out.
//!
//! ```
//! use loa_domain::FeedName;
//! use loa_feed::{Feed, FeedHead, Format, Site, TagAuthority, Window, render};
//! let tag = TagAuthority::new("loa.dienbiendong.gov.vn", jiff::civil::date(2026, 1, 1))?;
//! let base = "https://loa.dienbiendong.gov.vn/".parse()?;
//! let site = Site { tag, base, title: "Điện Biên Đông".into(), publisher: "UBND".into(), language: "vi".into(), ttl_minutes: 15, hub: None };
//! let head = FeedHead { name: FeedName::All, title: "Tất cả tin".into(), description: "Mọi tin.".into() };
//! let feed = Feed::assemble(&site, head, &[], &[], Window::default());
//! assert!(render(Format::Rss, &site, &feed)?.contains("<language>vi</language>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod atom;
mod body;
mod conditional;
mod feed;
mod format;
mod item;
mod json;
mod negotiate;
mod opml;
mod placing;
mod plain;
mod representation;
mod rss2;
mod site;
mod words;

pub use archive::{ArchiveName, Month, Position};
pub use conditional::{Answer, http_date, parse_http_date, revalidate};
pub use feed::{Feed, FeedHead, Window};
pub use format::{Format, RenderError, discovery_link, render};
pub use item::{AreaLabel, Entry, Farewell, Item, Label, Media, Tombstone};
pub use negotiate::{Encoding, negotiate};
pub use opml::{Outline, OutlineGroup, opml};
pub use placing::feeds_of;
pub use representation::{encoded, etag, fingerprint, unpacked};
pub use site::{Site, TagAuthority, TagError};
