//! The digest ledger: subscriptions, what matches their wishes, runs with their frozen audience, what was sent.
//!
//! A wish is stored once and matched once, when an item is accepted. What a subscription is owed is what its wish matched
//! and no mail has reserved (`mail_item`); there is no window of time in it. Each subscription remembers the item number
//! up to which it was considered, so nothing here costs the whole history.
//!
//! `accept.rs` takes in, `subscribe.rs` and `people.rs` keep subscriptions, `owed.rs` says what is owed, `runs.rs`
//! opens runs, `plan.rs` makes mails of it, `claim.rs` hands them out, `record.rs` writes down what came of them, `settle.rs`
//! learns from receipts, `look.rs` shows.

mod accept;
mod claim;
mod look;
mod owed;
mod people;
mod plan;
mod record;
mod runs;
mod settle;
mod subscribe;

use crate::{fault::During, hold, schema::ledger_store};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, EmailAddress, Event, Frequency, JourneyStep, MailId, RunKey, Wish};
use loa_store::{
    Accepted, DigestItem, DigestLedger, DueMail, Lease, MailBegun, MailRecord, MailView, Plan, Receipt, Run,
    StoreError, Subscriber, Subscription, SubscriptionRequest,
};

ledger_store!(
    /// The digest ledger on SQL.
    DigestStore, "digest", DIGEST
);

#[async_trait]
impl DigestLedger for DigestStore {
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the digests")
    }

    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError> {
        subscribe::subscribe(&self.db, batch).await.during("add subscriptions")
    }

    async fn subscribers(&self, after: &str, limit: u32) -> Result<Vec<Subscriber>, StoreError> {
        people::subscribers(&self.db, after, limit).await.during("list subscribers")
    }

    async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
        people::subscriber(&self.db, email).await.during("look a subscriber up")
    }

    async fn by_token(&self, token_hash: &str) -> Result<Option<Subscription>, StoreError> {
        people::by_token(&self.db, token_hash).await.during("look a subscription up")
    }

    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        subscribe::confirm(&self.db, token_hash, at).await.during("confirm a subscription")
    }

    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        subscribe::unsubscribe(&self.db, token_hash, at).await.during("end a subscription")
    }

    async fn allow_confirmation(
        &self,
        email: &EmailAddress,
        since: Timestamp,
        max: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        subscribe::allow_confirmation(&self.db, email, since, max, at).await.during("count a confirmation mail")
    }

    async fn release_confirmation(&self, email: &EmailAddress, at: Timestamp) -> Result<(), StoreError> {
        subscribe::release_confirmation(&self.db, email, at).await.during("take back a confirmation mail")
    }

    async fn open_run(&self, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool), StoreError> {
        runs::open_run(&self.db, key, cutoff, at).await.during("open a run")
    }

    async fn plan(&self, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan, StoreError> {
        plan::plan(&self.db, run, oldest, max, at).await.during("plan the mails of a run")
    }

    async fn preview(&self, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>, StoreError> {
        look::preview(&self.db, wish, since, limit).await.during("preview a wish")
    }

    async fn owed(&self, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool, StoreError> {
        owed::anything(&self.db, frequency, oldest, cutoff).await.during("look whether anything is owed")
    }

    async fn claim_mails(&self, lease: &Lease, max: u32) -> Result<Vec<DueMail>, StoreError> {
        claim::claim(&self.db, lease, max).await.during("claim mails")
    }

    async fn submitting(&self, holder: &str, ids: &[MailId], at: Timestamp) -> Result<Vec<MailId>, StoreError> {
        record::submitting(&self.db, holder, ids, at).await.during("mark mails as submitting")
    }

    async fn record_mails(&self, holder: &str, records: &[MailRecord]) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records).await.during("record mails")
    }

    async fn in_dialogue(&self, ids: &[MailId]) -> Result<Vec<MailBegun>, StoreError> {
        settle::in_dialogue(&self.db, ids).await.during("look which mails are in their dialogue")
    }

    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        settle::settle(&self.db, receipts).await.during("settle receipts of digests")
    }

    async fn hold(&self, held: bool) -> Result<(), StoreError> {
        hold::set(&self.db, held).await.during("hold the digest ledger")
    }

    async fn pause_run(&self, run: i64, reason: Option<&str>, at: Timestamp) -> Result<(), StoreError> {
        runs::pause(&self.db, run, reason, at).await.during("pause or resume a run")
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        look::runs(&self.db, limit).await.during("list runs")
    }

    async fn stuck_runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        look::stuck_runs(&self.db, limit).await.during("list runs that are stuck")
    }

    async fn run(&self, run: i64) -> Result<Option<Run>, StoreError> {
        look::run(&self.db, run).await.during("look at a run")
    }

    async fn mails(&self, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>, StoreError> {
        look::mails(&self.db, run, after, limit).await.during("list the mails of a run")
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        look::journey(&self.db, article).await.during("read an article's journey through the digests")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the digest ledger")
    }
}
