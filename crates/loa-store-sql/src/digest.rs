//! The digest ledger on SQL. It implements the doors of `loa_store::DigestLedger`; each method is one
//! function of a file below.
//!
//! A wish is stored once and matched once, when an item is accepted. A subscription is owed what its wish
//! matched and no mail has reserved (`mail_item`). Each subscription stores the item number up to which it
//! was considered, so no question costs the whole history.
//!
//! | file | what it does |
//! |---|---|
//! | `accept.rs` | takes events in and matches them with wishes |
//! | `subscribe.rs`, `people.rs` | write and read subscriptions |
//! | `owed.rs`, `runs.rs`, `plan.rs` | say what is owed, open runs, plan their mails |
//! | `unconfirmed.rs` | counts confirmation mails, keeps their keys, cleans up what nobody confirmed |
//! | `claim.rs`, `record.rs` | give due mails to a sender, record what came of them |
//! | `learn.rs` | tells receipts, and learns from them |
//! | `accept/upcoming.rs` | keeps what is dated in the future until its time |
//! | `views.rs` | answers read-only questions |

mod accept;
mod claim;
mod learn;
mod owed;
mod people;
mod plan;
mod record;
mod runs;
mod subscribe;
mod survey;
mod unconfirmed;
mod views;

use self::accept::upcoming;
use crate::{
    db::{During, schema::ledger_store},
    restoring, seen,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleKey, Because, EmailAddress, Event, EventKey, Frequency, JourneyLine, MailId, PauseReason, RunKey, Wish,
};
use loa_store::{
    Accepted, Arrivals, Book, Confirmations, DigestItem, DigestViews, DueMail, Lease, Ledger, MailBegun, MailRecord,
    MailView, Mails, Plan, Receipt, Receptions, Restorable, Run, Runs, Said, StoreError, Subscriber, Subscription,
    SubscriptionRequest, Subscriptions,
};
pub(crate) use survey::survey;

ledger_store!(
    /// The digest ledger on SQL.
    DigestStore, "digest", DIGEST
);

#[async_trait]
impl Arrivals for DigestStore {
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the digests", &self.db)
    }
}

#[async_trait]
impl Subscriptions for DigestStore {
    async fn subscribe(&self, batch: &[SubscriptionRequest]) -> Result<Vec<Subscription>, StoreError> {
        subscribe::subscribe(&self.db, batch).await.during("add subscriptions", &self.db)
    }

    async fn confirm(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        subscribe::confirm(&self.db, token_hash, at).await.during("confirm a subscription", &self.db)
    }

    async fn unsubscribe(&self, token_hash: &str, at: Timestamp) -> Result<Option<Subscription>, StoreError> {
        subscribe::unsubscribe(&self.db, token_hash, at).await.during("end a subscription", &self.db)
    }
}

#[async_trait]
impl Confirmations for DigestStore {
    async fn allow_confirmation(
        &self,
        email: &EmailAddress,
        since: Timestamp,
        max: u32,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        unconfirmed::allow_confirmation(&self.db, email, since, max, at)
            .await
            .during("count a confirmation mail", &self.db)
    }

    async fn release_confirmation(&self, email: &EmailAddress, at: Timestamp) -> Result<(), StoreError> {
        unconfirmed::release_confirmation(&self.db, email, at).await.during("take back a confirmation mail", &self.db)
    }

    async fn add_key(&self, token_hash: &str, key_hash: &str, until: Timestamp) -> Result<bool, StoreError> {
        unconfirmed::add_key(&self.db, token_hash, key_hash, until).await.during("keep a subscription's key", &self.db)
    }

    async fn expire_unconfirmed(&self, before: Timestamp, at: Timestamp, max: u32) -> Result<u64, StoreError> {
        unconfirmed::expire(&self.db, before, at, max).await.during("end what nobody confirmed", &self.db)
    }
}

#[async_trait]
impl Runs for DigestStore {
    async fn owed(&self, frequency: Frequency, oldest: Timestamp, cutoff: Timestamp) -> Result<bool, StoreError> {
        owed::anything(&self.db, frequency, oldest, cutoff).await.during("look whether anything is owed", &self.db)
    }

    async fn open_run(&self, key: &RunKey, cutoff: Timestamp, at: Timestamp) -> Result<(Run, bool), StoreError> {
        runs::open_run(&self.db, key, cutoff, at).await.during("open a run", &self.db)
    }

    async fn plan(&self, run: i64, oldest: Timestamp, max: u32, at: Timestamp) -> Result<Plan, StoreError> {
        plan::plan(&self.db, run, oldest, max, at).await.during("plan the mails of a run", &self.db)
    }

    async fn pause_run(&self, run: i64, why: Option<&Because<PauseReason>>, at: Timestamp) -> Result<(), StoreError> {
        runs::pause(&self.db, run, why, at).await.during("pause or resume a run", &self.db)
    }
}

#[async_trait]
impl Mails for DigestStore {
    async fn claim_mails(&self, lease: &Lease, max: u32) -> Result<Vec<DueMail>, StoreError> {
        claim::claim(&self.db, lease, max).await.during("claim mails", &self.db)
    }

    async fn submitting(&self, holder: &str, ids: &[MailId], at: Timestamp) -> Result<Vec<MailId>, StoreError> {
        record::submitting(&self.db, holder, ids, at).await.during("mark mails as submitting", &self.db)
    }

    async fn record_mails(&self, holder: &str, records: &[MailRecord]) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records).await.during("record mails", &self.db)
    }

    async fn in_dialogue(&self, ids: &[MailId]) -> Result<Vec<MailBegun>, StoreError> {
        learn::in_dialogue(&self.db, ids).await.during("look which mails are in their dialogue", &self.db)
    }
}

#[async_trait]
impl DigestViews for DigestStore {
    async fn subscribers(&self, after: &str, limit: u32) -> Result<Vec<Subscriber>, StoreError> {
        people::subscribers(&self.db, after, limit).await.during("list subscribers", &self.db)
    }

    async fn subscriber(&self, email: &EmailAddress) -> Result<Option<Subscriber>, StoreError> {
        people::subscriber(&self.db, email).await.during("look a subscriber up", &self.db)
    }

    async fn by_token(&self, token_hash: &str) -> Result<Option<Subscription>, StoreError> {
        people::by_token(&self.db, token_hash).await.during("look a subscription up", &self.db)
    }

    async fn by_key(&self, key_hash: &str, now: Timestamp) -> Result<Option<Subscription>, StoreError> {
        unconfirmed::by_key(&self.db, key_hash, now).await.during("look a subscription up by its key", &self.db)
    }

    async fn preview(&self, wish: &Wish, since: Timestamp, limit: u32) -> Result<Vec<DigestItem>, StoreError> {
        views::preview(&self.db, wish, since, limit).await.during("preview a wish", &self.db)
    }

    async fn runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        views::runs(&self.db, limit).await.during("list runs", &self.db)
    }

    async fn stuck_runs(&self, limit: u32) -> Result<Vec<Run>, StoreError> {
        views::stuck_runs(&self.db, limit).await.during("list runs that are stuck", &self.db)
    }

    async fn run(&self, run: i64) -> Result<Option<Run>, StoreError> {
        views::run(&self.db, run).await.during("look at a run", &self.db)
    }

    async fn mails(&self, run: i64, after: &str, limit: u32) -> Result<Vec<MailView>, StoreError> {
        views::mails(&self.db, run, after, limit).await.during("list the mails of a run", &self.db)
    }
}

#[async_trait]
impl Restorable for DigestStore {
    fn book(&self) -> Option<Book> {
        Some(Book::Digest)
    }

    async fn learn(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        learn::learn(&self.db, receipts).await.during("learn from receipts of digests", &self.db)
    }

    async fn set_restoring(&self, restoring: bool) -> Result<(), StoreError> {
        restoring::set(&self.db, restoring).await.during("begin or end the restore of the digest ledger", &self.db)
    }
}

#[async_trait]
impl Receptions for DigestStore {
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError> {
        seen::not_seen(&self.db, events).await.during("look which events have not reached the digests", &self.db)
    }
}

#[async_trait]
impl Ledger for DigestStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the digest ledger", &self.db)
    }

    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        views::journey(&self.db, article).await.during("read an article's journey through the digests", &self.db)
    }
}
