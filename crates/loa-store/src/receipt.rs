//! Receipts: what went out and what people decided, noted apart from the outlets' ledgers.
//!
//! A ledger restored from yesterday's copy learns today's events from the archive. No event tells who was
//! mailed, which webhook was delivered or who unsubscribed; receipts do. They are written all day and read
//! only by a restore. They are not a second ledger: nothing is decided by them while a ledger is whole.
//!
//! Receipts are kept as JSON for weeks: a field may be added with a default, none may be renamed. They
//! contain addresses, tokens and secrets, like the ledgers themselves.

use crate::{AttemptReceipt, MailBegun, MailRecord, StoreError, Subscription};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    EmailAddress, Endpoint, EndpointId, EndpointState, EventFilter, Frequency, SubscriberId, SubscriptionId,
    SubscriptionState, Wish,
};
use serde::{Deserialize, Serialize};

/// Whose receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Book {
    /// The digest outlet's.
    Digest,
    /// The push outlet's.
    Push,
}

impl Book {
    /// The word kept in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Digest => "digest",
            Self::Push => "push",
        }
    }
}

/// One thing that no event tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// A subscription stands like this now: it was made, confirmed, changed or ended.
    Subscription(Box<SubscriptionReceipt>),
    /// A mail's SMTP dialogue is about to begin: from now on it may have gone out.
    MailBegun(Box<MailBegun>),
    /// How a dialogue ended.
    MailEnded(MailRecord),
    /// An endpoint stands like this now.
    Endpoint(EndpointReceipt),
    /// A webhook was attempted.
    Attempt(AttemptReceipt),
}

/// A subscription as it stands, with its mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionReceipt {
    /// The mailbox's id.
    pub subscriber: SubscriberId,
    /// When the mailbox was added.
    pub subscriber_since: Timestamp,
    /// The subscription's id.
    pub id: SubscriptionId,
    /// Where mail goes.
    pub email: EmailAddress,
    /// What.
    pub wish: Wish,
    /// How often.
    pub frequency: Frequency,
    /// Where it stands.
    pub state: SubscriptionState,
    /// The token in its mails' links.
    pub token: String,
    /// Its SHA-256 (hex).
    pub token_hash: String,
    /// See [`Subscription::since`].
    pub since: Timestamp,
}

impl SubscriptionReceipt {
    /// Of a subscription and the mailbox it belongs to.
    pub fn of(subscription: Subscription, subscriber: SubscriberId, subscriber_since: Timestamp) -> Self {
        let Subscription { id, email, wish, frequency, state, token_hash, token, since } = subscription;
        Self { subscriber, subscriber_since, id, email, wish, frequency, state, token, token_hash, since }
    }
}

/// An endpoint as it stands.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointReceipt {
    /// Ours.
    pub id: EndpointId,
    /// Where to.
    pub url: url::Url,
    /// For people.
    pub description: String,
    /// Signing secrets, the newest first. Never logged.
    pub secrets: Vec<Vec<u8>>,
    /// Which events it wants.
    pub filter: EventFilter,
    /// Whether it gets any.
    pub state: EndpointState,
    /// When it was added.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for EndpointReceipt {
    /// Without the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointReceipt").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

impl From<Endpoint> for EndpointReceipt {
    fn from(endpoint: Endpoint) -> Self {
        let Endpoint { id, url, description, secrets, filter, state, created_at } = endpoint;
        Self { id, url, description, secrets, filter, state, created_at }
    }
}

impl From<EndpointReceipt> for Endpoint {
    fn from(receipt: EndpointReceipt) -> Self {
        let EndpointReceipt { id, url, description, secrets, filter, state, created_at } = receipt;
        Self { id, url, description, secrets, filter, state, created_at }
    }
}

/// A receipt in its ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its number; grows in the order of noting. Pages go by it.
    pub sequence: i64,
    /// When it was noted.
    pub at: Timestamp,
    /// What it says.
    pub receipt: Receipt,
}

/// The ledger of receipts.
#[async_trait]
pub trait ReceiptLedger: Send + Sync {
    /// Says that everything is noted from `at` on, unless that was said before. Returns since when everything is.
    async fn begin(&self, at: Timestamp) -> Result<Timestamp, StoreError>;

    /// Since when everything is noted: [`Self::begin`]'s instant, or where pruning has come to. `None`: nobody began.
    async fn complete_since(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Says that receipts of before `at` may be missing: these receipts were themselves restored from a copy.
    async fn incomplete_before(&self, at: Timestamp) -> Result<(), StoreError>;

    /// Notes receipts, in order, all or none.
    async fn note(&self, book: Book, receipts: &[Receipt], at: Timestamp) -> Result<(), StoreError>;

    /// Receipts of one book noted at or after `since` and after number `after`, in order of noting, at most `limit`
    /// (1 to 1,000).
    async fn noted(&self, book: Book, since: Timestamp, after: i64, limit: u32) -> Result<Vec<Noted>, StoreError>;

    /// Deletes up to `max` receipts noted before `before`, the oldest first, and no longer claims to be complete before
    /// then. Returns how many.
    async fn prune(&self, before: Timestamp, max: u32) -> Result<u64, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
