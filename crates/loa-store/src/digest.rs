//! The digest outlet's ledger: subscriptions, what matches them, runs with their frozen audience, what was sent.
//!
//! A digest is "matched and not yet delivered", never a window of time. Wishes are stored once, however many
//! subscriptions share them; matching costs distinct wishes, not people.

use crate::{Accepted, Lease, MailBegun, Receipt, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    Account, ArticleId, Content, EmailAddress, Event, Frequency, ItemKind, JourneyStep, MailId, MailOutcome, MailState,
    RunKey, SubscriberId, SubscriptionId, SubscriptionState, Wish,
};
use serde::{Deserialize, Serialize};

/// Matched articles that one mail takes at most. A mail shows fewer and counts the rest, so more would only make a reader's
/// backlog of a million cost as much memory and time at once; what is over goes into the next run's mail.
pub const MAIL_MATCHES_MAX: u32 = 1_000;

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

/// A line of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestItem {
    /// Why it is there.
    pub kind: ItemKind,
    /// Its subject.
    pub article: ArticleId,
    /// The revision it is about: for a correction, the withdrawal's.
    pub revision: u64,
    /// What it says; for a correction, what was last known of it (title and address).
    pub content: Content,
    /// For a correction: the reason given; otherwise empty.
    pub reason: String,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// What makes it unique.
    pub key: RunKey,
    /// What was accepted up to then is in it.
    pub cutoff: Timestamp,
    /// Whether its audience is frozen.
    pub planned: bool,
    /// Why it is stopped (mail server refuses us), until an operator resumes it; `None` while it runs.
    pub paused: Option<String>,
    /// In figures.
    pub account: Account,
    /// When it was opened.
    pub created_at: Timestamp,
}

/// What one call of planning came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Mails planned by this call.
    pub mails: u64,
    /// Whether the audience is complete and frozen now.
    pub complete: bool,
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
    pub orphan: bool,
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
    /// The last answer, or why it was suppressed.
    pub detail: String,
    /// When that was.
    pub at: Option<Timestamp>,
}

/// The ledger.
#[async_trait]
pub trait DigestLedger: Send + Sync {
    /// Takes a batch in: seen, the standing version of each subject, and a match for each *distinct wish* it fits (an
    /// event fits by `Wish::matches` over its content and reach). The higher version stands. `at` is when it was accepted.
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError>;

    /// Adds or changes subscriptions: one for each (mailbox, frequency). An existing one gets the new wish; `Active` lifts
    /// `Pending`, `Unsubscribed` and `Suspended`; `Pending` never lowers `Active`. Ids and tokens of an existing one stay.
    /// A new or re-activated subscription owes nothing accepted before `at`; one whose wish changed owes nothing that its
    /// new wish did not match from `at` on, but keeps what it was already owed and still wishes.
    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError>;

    /// Mailboxes in order of address, after `after` (an address key; empty: from the beginning).
    async fn subscribers(&self, after: &str, limit: u32) -> Result<Vec<Subscriber>, StoreError>;

    /// The mailbox with this address, whatever its case.
    async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
        const PAGE: u32 = 100;
        let key = email.key();
        // addresses are ASCII; between a key without its last character and the key itself there are few others
        let mut after = key[..key.len() - 1].to_owned();
        loop {
            let page = self.subscribers(&after, PAGE).await?;
            let full = page.len() == PAGE as usize;
            for subscriber in page {
                after = subscriber.email.key();
                if after >= key {
                    return Ok((after == key).then_some(subscriber));
                }
            }
            if !full {
                return Ok(None);
            }
        }
    }

    /// The subscription with this token.
    async fn by_token(&self, token_hash: &str) -> Result<Option<Subscription>, StoreError>;

    /// Confirms the subscription with this token (`Pending` → `Active`, since `at`; others stay). `None`: no such token.
    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError>;

    /// Ends the subscription with this token. Idempotent. `None`: no such token.
    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError>;

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

    /// Opens a run, or finds it: one for each key. Returns it and whether it is new.
    async fn open_run(&self, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool), StoreError>;

    /// Plans up to `max` further mails of a run: for each active subscription of its frequency with something owed (matched,
    /// accepted in (since, cutoff] and not before `oldest`, not delivered in this or a higher revision; and corrections, however
    /// old, for what was sent to it and is withdrawn) one mail with its items, reserved as delivered, in one transaction. What
    /// a run passes over as older than `oldest` stays passed over. May plan fewer, even none, with `complete: false`, after
    /// looking at many: call again. When nobody is left, the audience is frozen. Never an empty mail. Of what was matched, one
    /// mail takes at most [`MAIL_MATCHES_MAX`], in the order of acceptance; the rest stays owed, to the next run. Idempotent.
    /// `NotFound`.
    async fn plan(&self, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan, StoreError>;

    /// What a wish would be sent now if it had existed all the time: standing items accepted after `since`, newest (by
    /// publication) first, at most `limit`.
    async fn preview(&self, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>, StoreError>;

    /// Whether an active subscription of this frequency is owed anything: so that no empty run is opened.
    async fn owed(&self, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool, StoreError>;

    /// Claims up to `max` due mails of runs that are not paused, oldest run first. A mail in `submitting` whose lease
    /// ended is claimed once more as an orphan; the second time it becomes `uncertain` instead.
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

    /// Learns from receipts, in order, what a ledger restored from a copy does not know: subscriptions as they stand, and
    /// what mails may have shown to whom, as if each had happened here. Of a run it did not know the audience counts as
    /// frozen: whoever is still owed something gets it with the next. Idempotent. Sends nothing. Returns how many it could
    /// not settle yet: mails about articles, or to mailboxes, that it does not know.
    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError>;

    /// Holds the ledger while it is being restored: until it is let go nothing is opened, planned or claimed
    /// (`Unavailable`, with a sentence that says so). Survives a crash. Idempotent.
    async fn hold(&self, held: bool) -> Result<(), StoreError>;

    /// Stops a run with a reason, or (`None`) lets it go on. When it stops, mails that are held and whose dialogue has not
    /// begun go back. `NotFound`.
    async fn pause_run(&self, run: i64, reason: Option<&str>, at: Timestamp) -> Result<(), StoreError>;

    /// Runs, newest first.
    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// Runs that do not go on by themselves, oldest first: paused, or with an audience that is not frozen yet. However many
    /// runs came after them.
    async fn stuck_runs(&self, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// One run; `None` when no run has this number.
    async fn run(&self, run: i64) -> Result<Option<Run>, StoreError>;

    /// Mails of a run in order of address, after `after` (an address key; empty: from the beginning).
    async fn mails(&self, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>, StoreError>;

    /// What this ledger knows of an article, oldest first: `accepted`, `withdrawn` or `stale`, and one line a run: `planned`,
    /// `mailed` or `corrected`, with how many mails stand how.
    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
