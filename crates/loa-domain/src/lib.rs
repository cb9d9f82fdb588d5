//! The nouns and rules of Loa: articles and documents, versions, subscriptions, digest runs, endpoints, deliveries, retry
//! schedules, the steps of a journey, and the reasons why something was not done.
//!
//! The crate is pure: it has no clock, no socket and no randomness; callers hand those in. Every other crate may use it, and it
//! uses none of them. It holds facts, never sentences for people: `loa-words` makes those.
//!
//! ```
//! use loa_domain::Version;
//! let first = Version { revision: 1, withdrawn: false, event_id: "a".into() };
//! let second = Version { revision: 2, withdrawn: false, event_id: "b".into() };
//! assert!(second > first, "the higher revision wins, whatever the order of arrival");
//! ```

mod access;
mod breaker;
mod calendar;
mod causes;
mod content;
mod digest;
mod endpoint;
mod event;
mod feed_name;
mod html;
mod hub;
mod id;
mod journey;
mod network;
mod reason;
mod retry;
mod standing;
mod subscription;
mod text;
mod version;

pub use access::{Scope, Token};
pub use breaker::{Breaker, BreakerRule, BreakerState};
pub use calendar::{Calendar, Month};
pub use causes::with_causes;
pub use content::{Article, Attachment, Category, Content, Document, Image, Withdrawal};
pub use digest::{Account, Frequency, ItemKind, MailId, MailOutcome, MailState, RunKey};
pub use endpoint::{AttemptOutcome, DeliveryState, Endpoint, EndpointState, EventFilter};
pub use event::{Change, Event, EventKey, EventType};
pub use feed_name::{Combination, FeedName};
pub use html::escape_html;
pub use hub::{HubMode, HubReason, LastCall, SignatureAlgorithm};
pub use id::{
    AreaId, ArticleId, CategorySlug, DeliveryId, EndpointId, HubSubscriptionId, IdError, SubscriberId, SubscriptionId,
};
pub use journey::{JourneyLine, JourneyStep, Outlet};
pub use network::{Network, NetworkError};
pub use reason::{AttemptError, Because, DisableReason, MailReason, PauseReason, ServerWords};
pub use retry::RetrySchedule;
pub use standing::{AgeRule, CLOCK_SKEW, Candidate, Standing, shown_from, shown_until, standing, standing_of};
pub use subscription::{EmailAddress, EmailError, SubscriptionState, Wish};
pub use text::{clean_line, clean_text, is_blank, is_xml_char};
pub use version::{PUBLISHED_REVISION_MAX, Version};
