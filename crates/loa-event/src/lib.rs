//! CloudEvents 1.0 in and out: the bytes of a message to a decoded, normalised
//! [`Event`](loa_domain::Event), and back.
//!
//! Every service decodes with this crate, and so does intake before it stores anything. So there is
//! one gate, and what passes it is clean: NFC, XML-legal text, sanitised HTML, absolute addresses,
//! known areas. Everything else is refused with a [`Refusal`]: a fact with a kind to branch on, and a
//! position.
//!
//! Pure: it knows no broker, no clock and no database. Bytes and headers come from the caller.
//!
//! ```
//! # fn main() -> Result<(), loa_event::Refusal> {
//! let directory = loa_area::Directory::empty();
//! let calendar = loa_domain::Calendar::new(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").expect("a zone"));
//! let body = r#"{ "specversion": "1.0", "id": "e1", "source": "https://example.gov.vn/", "subject": "a1",
//!   "type": "vn.loa.article.published.v1", "data": { "id": "a1", "revision": 1, "url": "https://example.gov.vn/a1",
//!   "title": "Thông báo", "category": { "slug": "tin-tuc" }, "published_at": "2023-11-16T08:02:22+07:00" } }"#;
//! let event = loa_event::decode(Some("application/cloudevents+json"), &Default::default(), None, body.as_bytes(), &directory, &calendar)?;
//! assert_eq!(event.id().as_str(), "a1");
//! assert_eq!(loa_event::routing_key(&event), "article.published.tin-tuc");
//! # Ok(())
//! # }
//! ```

mod content_hash;
mod decode;
mod encode;
pub mod limits;
mod refusal;

mod areas;
mod data;
mod envelope;
mod fields;
mod html;
mod json;
mod note;
mod old_encoding;

pub use content_hash::content_hash;
pub use decode::{decode, decode_with_notes};
pub use encode::{Parts, category_word, data_of, encode, encode_event, routing_key, routing_key_of};
pub use envelope::{STRUCTURED, attribute_name};
pub use fields::wrong as wrong_type;
pub use html::{text_of_html, work_of_cleaning};
pub use json::strict_json;
pub use loa_domain::RefusalKind;
pub use note::Note;
pub use refusal::{Refusal, TextPosition, within_reason};
