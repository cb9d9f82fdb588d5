//! A digest becomes one RFC 5322 message; also confirmation mails, and the tokens in links.
//!
//! Pure: items, areas, addresses, instants and random bytes are handed in, and bytes come out. It
//! does not know who sends them, or whether they may be sent. Rendering has two parts.
//! [`Letterhead::render`] runs once for all subscriptions of one wish with the same items.
//! [`Letterhead::compose`] runs once for each mailbox and only puts in its own links.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use loa_mail::{Digest, Letterhead, Recipient, Settings, Token};
//! let letterhead = Letterhead::new(Settings {
//!     list_name: "Bản tin Điện Biên Đông".into(),
//!     list_id: "ban-tin.tin.example.gov.vn".into(),
//!     from: loa_domain::EmailAddress::parse("ban-tin@tin.example.gov.vn")?,
//!     bounces: loa_domain::EmailAddress::parse("bounce@tin.example.gov.vn")?,
//!     unsubscribe: None,
//!     public_url: "https://tin.example.gov.vn/".parse()?,
//!     zone: jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh")?,
//! })?;
//! let rendered = letterhead.render(&Digest::example(), &loa_area::Directory::empty())?;
//! let recipient = Recipient {
//!     email: loa_domain::EmailAddress::parse("van-phong@nason.example.gov.vn")?,
//!     subscription: loa_domain::SubscriptionId::new("s1")?,
//!     token: Token::from_bytes([7; 16]),
//! };
//! let message = letterhead.compose(&rendered, &recipient, 1, "2023-11-17T00:00:00Z".parse()?)?;
//! assert_eq!(message.rcpt, recipient.email);
//! # Ok(())
//! # }
//! ```

mod compose;
mod confirm;
mod digest;
mod error;
mod header;
mod letterhead;
mod paper;
mod render;
mod token;
mod wish_words;
mod words;

pub use compose::{Message, Recipient};
pub use confirm::{Confirmation, Purpose};
pub use digest::{Digest, MailItem};
pub use error::ComposeError;
pub use letterhead::{Letterhead, Settings, SettingsError};
pub use render::{RenderError, Rendered};
pub use token::Token;
pub use wish_words::WishWords;
