//! The feed ledger on SQL. It implements the doors of `loa_store::FeedLedger`.
//!
//! Its content is a function of the *set* of accepted events: the highest version of a subject stands, and a
//! withdrawn subject has a tombstone in every feed that any of its publications belonged to.
//!
//! `accept.rs` takes events in. `views.rs` reads the newest entries, `combined.rs` those of combinations,
//! `history.rs` those of a span of time. `rendered.rs` keeps `Last-Modified`.

mod accept;
mod combined;
mod history;
mod rendered;
mod views;

use crate::{
    db::{Db, During, schema::ledger_store},
    seen,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, FeedName, JourneyLine};
use loa_store::{
    Accepted, FeedArrival, FeedChanges, FeedEntry, FeedSummary, FeedViews, Ledger, Receptions, Rendered, Said,
    StoreError, Tombstone,
};
use tokio::time::Instant;

ledger_store!(
    /// The feed ledger on SQL.
    FeedStore, "feed", FEED
);

#[async_trait]
impl FeedChanges for FeedStore {
    async fn accept(&self, batch: &[FeedArrival], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the feeds", &self.db)
    }

    async fn changed(&self, after: i64, limit: u32) -> Result<(Vec<FeedName>, i64), StoreError> {
        views::changed(&self.db, after, limit).await.during("list the changed feeds", &self.db)
    }

    async fn changed_at(&self, feeds: &[FeedName]) -> Result<Timestamp, StoreError> {
        views::changed_at(&self.db, feeds).await.during("read when feeds changed", &self.db)
    }

    async fn rendered(
        &self,
        name: &str,
        fingerprint: &str,
        change: i64,
        candidate: Timestamp,
    ) -> Result<Rendered, StoreError> {
        rendered::rendered(&self.db, name, fingerprint, change, candidate)
            .await
            .during("keep what a feed reads like", &self.db)
    }
}

#[async_trait]
impl FeedViews for FeedStore {
    async fn entries(
        &self,
        feed: &FeedName,
        before: Option<(Timestamp, ArticleKey)>,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        views::entries(&self.db, feed, before, limit).await.during("read the entries of a feed", &self.db)
    }

    async fn tombstones(&self, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>, StoreError> {
        views::tombstones(&self.db, feed, limit).await.during("read the tombstones of a feed", &self.db)
    }

    async fn counted(&self, feed: &FeedName, from: Timestamp, until: Timestamp) -> Result<u64, StoreError> {
        history::counted(&self.db, feed, from, until).await.during("count the entries of a feed", &self.db)
    }

    async fn between(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        history::between(&self.db, feed, from, until, skip, limit).await.during("read the history of a feed", &self.db)
    }

    async fn around(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        history::around(&self.db, feed, from, until).await.during("look around in the history of a feed", &self.db)
    }

    async fn summaries(&self, until: Timestamp) -> Result<Vec<FeedSummary>, StoreError> {
        views::summaries(&self.db, until).await.during("sum the feeds up", &self.db)
    }

    async fn standing(&self, article: &ArticleKey) -> Result<Option<Result<FeedEntry, Tombstone>>, StoreError> {
        views::standing(&self.db, article).await.during("read how an article stands", &self.db)
    }
}

#[async_trait]
impl Receptions for FeedStore {
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError> {
        seen::not_seen(&self.db, events).await.during("look which events have not reached the feeds", &self.db)
    }
}

#[async_trait]
impl Ledger for FeedStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the feed ledger", &self.db)
    }

    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        views::journey(&self.db, article).await.during("read an article's journey through the feeds", &self.db)
    }
}

/// Reads all rows that are worked with, until it is time to end: then `false`.
pub(crate) async fn survey(db: &Db, until: Instant) -> crate::fault::Result<bool> {
    views::survey(db, until).await
}
