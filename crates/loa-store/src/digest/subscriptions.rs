//! Subscriptions: made, confirmed, ended. Beside them what their confirmation needs: how many mails for it an address is sent,
//! keys, and an end to what nobody confirms.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{EmailAddress, Frequency, SubscriberId, SubscriptionId, SubscriptionState, Wish};

/// What people, and operators for them, decide about subscriptions.
#[async_trait]
pub trait Subscriptions: Send + Sync {
    /// Adds or changes subscriptions: one for each (mailbox, frequency). An existing one gets the new wish; `Active` lifts
    /// `Pending`, `Unsubscribed` and `Suspended`; `Pending` never lowers `Active`. Ids and tokens of an existing one stay.
    /// A new or re-activated subscription owes nothing accepted before `at`; one whose wish changed owes nothing that its
    /// new wish did not match from `at` on, but keeps what it was already owed and still wishes.
    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError>;

    /// Confirms the subscription with this token (`Pending` → `Active`, since `at`; others stay). `None`: no such token.
    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError>;

    /// Ends the subscription with this token. Idempotent. `None`: no such token.
    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError>;
}

/// What a confirmation needs beside its subscription: that the mail may go, keys for its links, an end to what nobody confirms.
/// None of it is noted in receipts: a ledger that is restored does without.
#[async_trait]
pub trait Confirmations: Send + Sync {
    /// Counts a confirmation mail to an address if fewer than `max` were counted since `since`; says whether it may go.
    async fn allow_confirmation(
        &self,
        email: &EmailAddress,
        since: Timestamp,
        max: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Takes back one confirmation mail counted for this address at `at`: it certainly did not go out. Idempotent where
    /// none is counted.
    async fn release_confirmation(&self, email: &EmailAddress, at: Timestamp) -> Result<(), StoreError>;

    /// Keeps a key of the subscription with this token: it finds the subscription ([`crate::DigestViews::by_key`]) until
    /// `until`, or until it is unsubscribed. Several work side by side. `false`: no such token.
    async fn add_key(&self, token_hash: &str, key_hash: &str, until: Timestamp) -> Result<bool, StoreError>;

    /// Ends at most `max` subscriptions that are `Pending` since before `before`, the oldest first; says how many. One that was
    /// never mailed is gone, and its mailbox with it when that has no other; one that was is `Unsubscribed` again. Forgets as
    /// many keys whose time is over at `at`, and as many confirmation mails counted before `before`. Idempotent.
    async fn expire_unconfirmed(&self, before: Timestamp, at: Timestamp, max: u32) -> Result<u64, StoreError>;
}

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Ours.
    pub id: SubscriberId,
    /// Where mail goes.
    pub email: EmailAddress,
    /// Its wishes.
    pub subscriptions: Vec<Subscription>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// One wish of one mailbox. A mailbox has at most one for each frequency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Ours.
    pub id: SubscriptionId,
    /// Whose.
    pub email: EmailAddress,
    /// What.
    pub wish: Wish,
    /// How often.
    pub frequency: Frequency,
    /// Where it stands.
    pub state: SubscriptionState,
    /// SHA-256 (hex) of the token in its mails' links.
    pub token_hash: String,
    /// The token itself: it must stand in every mail, so it is kept; never logged.
    pub token: String,
    /// When it was made, activated or last changed its wish; it is owed nothing accepted before, but what it kept then.
    pub since: Timestamp,
}

/// A wish to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionRequest {
    /// Ids to use if the mailbox or the subscription is not there yet.
    pub subscriber: SubscriberId,
    /// See `subscriber`.
    pub subscription: SubscriptionId,
    /// Whose.
    pub email: EmailAddress,
    /// What.
    pub wish: Wish,
    /// How often.
    pub frequency: Frequency,
    /// `Active` (added by an operator) or `Pending` (asked for on the page).
    pub state: SubscriptionState,
    /// The token to use if the subscription is not there yet.
    pub token: String,
    /// Its SHA-256 (hex).
    pub token_hash: String,
    /// Now.
    pub at: Timestamp,
}
