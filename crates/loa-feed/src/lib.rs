//! Entries into RSS 2.0, Atom 1.0, JSON Feed 1.1 and OPML 2.0, with archive documents and tombstones.
//!
//! Pure: no clock, no socket, no ledger. The same entries make the same bytes, on every node and after every restart;
//! whoever calls says what stands in a feed and serves what comes out.
//!
//! ```
//! use loa_domain::FeedName;
//! use loa_feed::{Feed, FeedHead, Format, Site, TagAuthority, Window, render};
//! let tag = TagAuthority::new("loa.dienbiendong.gov.vn", jiff::civil::date(2026, 1, 1))?;
//! let base = "https://loa.dienbiendong.gov.vn/".parse()?;
//! let calendar = loa_domain::Calendar::new(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh")?);
//! let site = Site { tag, base, title: "Điện Biên Đông".into(), publisher: "UBND".into(), language: "vi".into(), ttl_minutes: 15, hub: None, calendar };
//! let head = FeedHead { name: FeedName::All, title: "Tất cả tin".into(), description: "Mọi tin.".into() };
//! let feed = Feed::assemble(&site, head, &[], &[], Window::default());
//! assert!(render(Format::Rss, &site, &feed)?.contains("<language>vi</language>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod archive;
mod atom;
mod body;
mod feed;
mod format;
mod item;
mod json;
mod opml;
mod placing;
mod plain;
mod render;
mod rss2;
mod site;
mod words;

pub use archive::{ArchiveName, Position};
pub use feed::{Feed, FeedHead, Window};
pub use format::{Format, RenderError, discovery_link};
pub use item::{AreaLabel, Entry, EntryPortal, Farewell, FeedItem, Label, Media, Tombstone};
pub use opml::{Outline, OutlineGroup, opml};
pub use placing::feeds_of;
pub use render::render;
pub use site::{Site, TagAuthority, TagError};
