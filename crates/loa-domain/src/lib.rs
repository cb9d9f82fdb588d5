//! The nouns and rules of Loa: articles and documents, versions, subscriptions, digest runs, endpoints, deliveries, retry
//! schedules, the steps of a journey, the reasons why something was not done, and what is wrong with an installation.
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
mod address_refusal;
mod advice;
mod article_key;
mod breaker;
mod bus_fact;
mod calendar;
mod causes;
mod content;
mod dead;
mod dependency;
mod digest;
mod endpoint;
mod event;
mod excess;
mod fault;
mod feed_name;
mod file;
mod flaw;
mod html;
mod hub;
mod id;
mod journey;
mod lane;
mod lookalike;
mod network;
mod not_carried;
mod page;
mod page_report;
mod portal;
mod reason;
mod remark;
mod retry;
mod standing;
mod subscription;
mod text;
mod topology;
mod trouble;
mod version;
mod watch;
mod watch_failure;
mod watch_warning;

pub use access::{Scope, Token, may_publish_for};
pub use address_refusal::{AddressRefusal, EgressSettings};
pub use advice::Advice;
pub use article_key::ArticleKey;
pub use breaker::{Breaker, BreakerRule, BreakerState};
pub use bus_fact::{BusFact, BusReason, DialFault, QueuesFileFault, TlsFault};
pub use calendar::{Calendar, Month};
pub use causes::with_causes;
pub use content::{Article, Attachment, Category, Content, Document, Image, Withdrawal};
pub use dead::{DeadCause, StayReason};
pub use dependency::{Dependency, LedgerName, Worker};
pub use digest::{Account, Frequency, ItemKind, MailId, MailOutcome, MailState, RunKey, RunState};
pub use endpoint::{AttemptOutcome, DeliveryState, Endpoint, EndpointState, EventFilter};
pub use event::{Change, Event, EventKey, EventType};
pub use excess::HtmlExcess;
pub use fault::{Fault, FaultName, Missing};
pub use feed_name::{Combination, FeedName};
pub use file::{file_name, media_type_of};
pub use flaw::{AddressFault, Flaw, HeaderType, JsonType, MemberName, Quoted, RefusalKind};
pub use html::{escape_html, escape_text, push_escaped_html, unescape_html};
pub use hub::{HubMode, HubReason, HubState, LastCall, SignatureAlgorithm};
pub use id::{
    AreaId, ArticleId, CategorySlug, DeliveryId, EndpointId, HubSubscriptionId, IdError, IdFault, PortalSlug,
    SubscriberId, SubscriptionId,
};
pub use journey::{JourneyLine, JourneyStep, Outlet};
pub use lane::{BackFileRule, Lane};
pub use lookalike::{seen_as, without_lookalikes};
pub use network::{Network, NetworkError};
pub use not_carried::{MessagePart, NotCarried};
pub use page::{Clue, DateFault, EncodingFault, NoSource, PageCandidate, PageError, PageField, SelectorFor};
pub use page_report::{Assumption, LeftOut, SourceClue};
pub use portal::{HOME, Portal, PortalList, PortalRefusal, Whose, is_tag_authority};
pub use reason::{AttemptError, Because, DisableReason, MailReason, PauseReason, ServerWords};
pub use remark::{Altered, Embedded, OldEncoding, Remark};
pub use retry::RetrySchedule;
pub use standing::{AgeRule, CLOCK_SKEW, Candidate, Standing, shown_from, shown_until, standing, standing_of};
pub use subscription::{EmailAddress, EmailError, SubscriptionState, Wish};
pub use text::{clean_line, clean_text, is_blank, is_xml_char, plain, twice_encoded};
pub use topology::{
    BrokerPolicy, HarmfulKey, ManagementFailure, PolicyHarm, PolicyMend, Remake, TopologyBinding, TopologyDifference,
    TopologyDoubt, TopologyMend, TopologyNotAsked, TopologyNotKnown, TopologyOutcome, TopologyRemark, TopologyState,
    TopologyThing,
};
pub use trouble::{Trouble, TroubleKind};
pub use version::{PUBLISHED_REVISION_MAX, Version};
pub use watch::{Selectors, WatchKind, WatchedState};
pub use watch_failure::{WatchFailure, noted_failure};
pub use watch_warning::WatchWarning;
