//! Mails: claimed when they are due, submitted, recorded.

use crate::{Lease, StoreError, Subscription};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, Content, ItemKind, MailId, MailOutcome, RunKey};
use serde::{Deserialize, Serialize};

/// What the sender does.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Claims up to `max` due mails of runs that are not paused, oldest run first. A mail in `submitting` whose lease
    /// ended is claimed once more, in doubt; the second time it becomes `uncertain` instead.
    async fn claim_mails(&self, lease: &Lease, max: u32) -> Result<Vec<DueMail>, StoreError>;

    /// Marks claimed mails as `submitting`: the SMTP dialogue begins. Returns those still held by `holder` and still right;
    /// only these may be sent. One of which a line was withdrawn (or published again), or whose subscription ended since the
    /// claim, goes back at once, to be claimed and composed anew.
    async fn submitting(&self, holder: &str, ids: &[MailId], at: Timestamp) -> Result<Vec<MailId>, StoreError>;

    /// Records how tries ended. What is no longer held by `holder` is left as it is, except that `Sent` always counts
    /// (the mail did go out), whatever was recorded before. Returns how many were recorded.
    async fn record_mails(&self, holder: &str, records: &[MailRecord]) -> Result<u64, StoreError>;

    /// Those of these mails whose dialogue has begun and not ended, as receipts tell them.
    async fn in_dialogue(&self, ids: &[MailId]) -> Result<Vec<MailBegun>, StoreError>;
}

/// A mail that is due, with everything to compose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// Its id.
    pub id: MailId,
    /// The run it belongs to.
    pub run: RunKey,
    /// Whose. Its state is as now, not as planned: an ended subscription is to be suppressed.
    pub subscription: Subscription,
    /// Its lines, re-checked now: what was withdrawn since planning and was not yet sent is gone from it. May be
    /// empty: suppress it. Order: kind, then newest first.
    pub items: Vec<DigestItem>,
    /// How often it was tried before: recorded as sent, refused or later, or lost in its dialogue.
    pub attempts: u32,
    /// Whether it was found in `submitting` before: it may have gone out; it goes out once more under the same id.
    pub in_doubt: bool,
}

/// A line of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestItem {
    /// Why it is there.
    pub kind: ItemKind,
    /// Its subject.
    pub article: ArticleKey,
    /// The revision it is about: for a correction, the withdrawal's.
    pub revision: u64,
    /// What it says; for a correction, what was last known of it (title and address).
    pub content: Content,
    /// For a correction: the reason given; otherwise empty.
    pub reason: String,
}

/// How one mail's try ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRecord {
    /// Which mail.
    pub id: MailId,
    /// How.
    pub outcome: MailOutcome,
    /// When.
    pub at: Timestamp,
}

/// A mail in its dialogue, and its run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailBegun {
    /// Which mail; part of its `Message-ID`.
    pub mail: MailId,
    /// What makes its run unique.
    pub run: RunKey,
    /// The run's cut-off.
    pub cutoff: Timestamp,
    /// When the run was opened.
    pub opened_at: Timestamp,
    /// When the dialogue began.
    pub at: Timestamp,
    /// What stands in it.
    pub lines: Vec<MailLine>,
}

/// A line of a mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailLine {
    /// Its subject.
    pub article: ArticleKey,
    /// Whether it is a correction.
    pub withdrawn: bool,
    /// The revision it tells.
    pub revision: u64,
}
