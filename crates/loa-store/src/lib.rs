//! The ledgers' doors. One method is one sentence and one transaction; methods work in batches.
//!
//! Each service owns one ledger, and nothing joins across ledgers. A ledger has several doors, by what callers need; an
//! adapter keeps them all together ([`IntakeLedger`], [`FeedLedger`], [`DigestLedger`], [`PushLedger`], [`HubLedger`],
//! [`AccessLedger`] for tokens and portals, [`WatchLedger`] for portals that are looked at, [`ReceiptLedger`] for what a restored
//! copy must learn), and a caller is handed those it
//! uses. The `…Views` only read. Transactions never show: whatever must happen together is one method.
//!
//! What every adapter promises: an `Ok` from a writing method is on disk; accepting an event twice changes nothing;
//! accepting events in any order ends in the same rows (of two versions the higher stands); a claimed row is nobody
//! else's until its lease ends, and a lease that ended is noticed when its holder records. Times are kept to the
//! millisecond. A batch is taken as a whole or not at all. The rules are in `loa-store-conformance`.

mod access;
mod digest;
mod doors;
mod error;
mod feed;
mod hub;
mod intake;
mod lease;
mod ledger;
mod noting;
mod push;
mod receipt;
mod watch;

pub use access::{AccessLedger, PortalLedger};
pub use digest::{
    Confirmations, DigestItem, DigestLedger, DigestViews, DueMail, MAIL_MATCHES_MAX, MailBegun, MailLine, MailRecord,
    MailView, Mails, Plan, Run, Runs, Subscriber, Subscription, SubscriptionRequest, Subscriptions,
};
pub use doors::{DigestDoors, PushDoors};
pub use error::{StoreError, StoreErrorKind};
pub use feed::{FeedArrival, FeedChanges, FeedEntry, FeedLedger, FeedSummary, FeedViews, Rendered, Tombstone};
pub use hub::{
    CallClass, CallRecord, DueCall, DueTopic, FetchOutcome, FetchRule, HostRule, HostSign, HubAbout, HubCall,
    HubCleanUpRule, HubCleanedUp, HubDue, HubLedger, HubLimits, HubOutcome, HubQuery, HubSubscriptionRequest,
    HubSubscriptionView, HubTaken, TopicKind,
};
pub use intake::{
    ArchiveQuery, Archived, AuditEvent, AuditRound, Audits, ClaimRoom, Completeness, Current, EventArchive,
    GAPS_COUNTED_MAX, Gaps, HeardHeartbeat, IntakeLedger, IntakeViews, Outbox, OutboxRow, OutboxState, STRANGERS_MAX,
    SetAside, Submission, Submissions, Submitted, Unaudited, WaitingBackFiles,
};
pub use lease::{Lease, lease_holder};
pub use ledger::{Accepted, Arrivals, Ledger, Receptions, Restorable, Said};
pub use noting::Notary;
pub use push::{
    Attempt, AttemptReceipt, AttemptRecord, Deliveries, DeliveryQuery, DeliveryView, DueDelivery, DueTimes, Endpoints,
    PushLedger, PushViews,
};
pub use receipt::{Book, EndpointReceipt, Noted, Receipt, ReceiptLedger, SubscriptionReceipt};
pub use watch::{WatchLedger, WatchSource, WatchState, WatchView, WatchViews, WatchedChild, WatchedItem};
