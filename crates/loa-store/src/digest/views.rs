//! What can be asked of the digests' ledger without changing anything.

use crate::{DigestItem, Ledger, Run, StoreError, Subscriber, Subscription};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{EmailAddress, MailId, MailReason, MailState, ServerWords, Wish};

/// Read-only: for pages, the console and the command line.
#[async_trait]
pub trait DigestViews: Ledger {
    /// Mailboxes in order of address, after `after` (an address key; empty: from the beginning).
    async fn subscribers(&self, after: &str, limit: u32) -> Result<Vec<Subscriber>, StoreError>;

    /// The mailbox with this address, whatever its case.
    async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>, StoreError>;

    /// The subscription with this token.
    async fn by_token(&self, token_hash: &str) -> Result<Option<Subscription>, StoreError>;

    /// The subscription with this key, while it works.
    async fn by_key(&self, key_hash: &str, now: Timestamp) -> Result<Option<Subscription>, StoreError>;

    /// What a wish would be sent now if it had existed all the time: standing items accepted at `since` or later, newest (by
    /// publication) first, at most `limit`.
    async fn preview(&self, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>, StoreError>;

    /// Runs, newest first.
    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// Runs that do not go on by themselves, oldest first: paused, or with an audience that is not frozen yet. However many
    /// runs came after them.
    async fn stuck_runs(&self, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// One run; `None` when no run has this number.
    async fn run(&self, run: i64) -> Result<Option<Run>, StoreError>;

    /// Mails of a run in order of address, after `after` (an address key; empty: from the beginning).
    async fn mails(&self, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>, StoreError>;
}

/// A mail as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailView {
    /// Which.
    pub id: MailId,
    /// Whose.
    pub email: EmailAddress,
    /// Where it stands.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it was not sent, or not yet; `None` when it was sent, or not tried.
    pub reason: Option<MailReason>,
    /// What the mail server said last.
    pub words: ServerWords,
    /// When that was.
    pub at: Option<Timestamp>,
}
