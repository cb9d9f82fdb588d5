//! The door to the ledgers. One method is one sentence and one transaction; methods work in batches.
//!
//! Each outlet owns one ledger and nothing joins across them: [`IntakeLedger`], [`FeedLedger`], [`DigestLedger`],
//! [`PushLedger`] (of which [`HubLedger`] is a part), [`AccessLedger`] for tokens, and [`ReceiptLedger`] for what a restored copy must learn. Transactions never show through the door: whatever must happen
//! together is one method.
//!
//! What every adapter promises: an `Ok` from a writing method is on disk; accepting an event twice changes nothing;
//! accepting events in any order ends in the same rows (of two versions the higher stands); a claimed row is nobody
//! else's until its lease ends, and a lease that ended is noticed when its holder records. Times are kept to the
//! millisecond. A batch is taken as a whole or not at all.

mod access;
#[cfg(feature = "conformance")]
pub mod conformance;
mod digest;
mod error;
mod feed;
mod hub;
mod intake;
mod lease;
mod noting;
mod push;
mod receipt;

pub use access::AccessLedger;
pub use digest::{
    DigestItem, DigestLedger, DueMail, MAIL_MATCHES_MAX, MailRecord, MailView, Plan, Run, Subscriber, Subscription,
    SubscriptionRequest,
};
pub use error::{StoreError, StoreErrorKind};
pub use feed::{FeedArrival, FeedEntry, FeedLedger, FeedSummary, Rendered, Tombstone};
pub use hub::{
    CallRecord, DueCall, DueTopic, HostRule, HostSign, HubAbout, HubCall, HubDue, HubLane, HubLedger, HubLimits,
    HubOutcome, HubQuery, HubState, HubSubscriptionView, HubSweepRule, HubSwept, HubTaken, HubWish, Look, LookRule,
    TopicKind,
};
pub use intake::{ArchiveQuery, Archived, Current, IntakeLedger, OutboxRow, OutboxState, Submission, Submitted};
pub use lease::Lease;
pub use noting::{Notary, NotingDigest, NotingPush};
pub use push::{Attempt, AttemptRecord, DeliveryQuery, DeliveryView, DueDelivery, PushLedger};
pub use receipt::{
    AttemptReceipt, Book, EndpointReceipt, MailBegun, MailLine, Noted, Receipt, ReceiptLedger, SubscriptionReceipt,
};

/// What accepting a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Events seen for the first time.
    pub fresh: u64,
    /// Events seen before: no change.
    pub duplicates: u64,
    /// Fresh events that brought an older version than the one that stands: kept as seen, nothing else.
    pub stale: u64,
}
