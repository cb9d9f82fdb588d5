//! The nouns and rules of Loa: what an article is, which of two versions wins, what a subscriber wished for,
//! when a delivery is tried again.
//!
//! Pure: no clock, no socket, no randomness; whoever calls hands those in. Every other crate may use this one,
//! and this one knows none of them.
//!
//! ```
//! use loa_domain::Version;
//! let first = Version { revision: 1, withdrawn: false, event_id: "a".into() };
//! let second = Version { revision: 2, withdrawn: false, event_id: "b".into() };
//! assert!(second > first, "the higher revision wins, whatever the order of arrival");
//! ```

mod access;
mod combination;
mod content;
mod digest;
mod endpoint;
mod event;
mod feed_name;
mod hub;
mod id;
mod journey;
mod retry;
mod subscription;
mod text;
mod version;

pub use access::{Scope, Token};
pub use combination::Combination;
pub use content::{Article, Attachment, Category, Content, Document, Image, Withdrawal};
pub use digest::{Account, Frequency, ItemKind, MailId, MailOutcome, MailState, RunKey};
pub use endpoint::{AttemptOutcome, DeliveryState, Endpoint, EndpointState, EventFilter};
pub use event::{Change, Event, EventKey, EventType};
pub use feed_name::FeedName;
pub use hub::{HubMode, SignatureAlgorithm};
pub use id::{
    AreaId, ArticleId, CategorySlug, DeliveryId, EndpointId, HubSubscriptionId, IdError, SubscriberId, SubscriptionId,
};
pub use journey::JourneyStep;
pub use retry::RetrySchedule;
pub use subscription::{EmailAddress, EmailError, SubscriptionState, Wish};
pub use text::{clean_line, clean_text, is_blank, is_xml_char};
pub use version::Version;
