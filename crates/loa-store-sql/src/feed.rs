//! The feed ledger: what stands in which feed, what is gone, and what readers were last told.
//!
//! What can be read is a function of the *set* of accepted events: the highest version of a subject stands; a withdrawn
//! one has its tombstone in every feed that any of its publications belonged to, whatever came first.
//! `accept.rs` takes in, `look.rs` reads what is new (`combined.rs` for combinations of feeds) and `history.rs` what is old,
//! `rendered.rs` keeps `Last-Modified` honest.

mod accept;
mod combined;
mod history;
mod look;
mod rendered;

use crate::{fault::During, schema::ledger_store};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, FeedName, JourneyStep};
use loa_store::{Accepted, FeedArrival, FeedEntry, FeedLedger, FeedSummary, Rendered, StoreError, Tombstone};

ledger_store!(
    /// The feed ledger on SQL.
    FeedStore, "feed", FEED
);

#[async_trait]
impl FeedLedger for FeedStore {
    async fn accept(&self, batch: &[FeedArrival], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the feeds")
    }

    async fn changed(&self, after: i64, limit: u32) -> Result<(Vec<FeedName>, i64), StoreError> {
        look::changed(&self.db, after, limit).await.during("list the changed feeds")
    }

    async fn changed_at(&self, feeds: &[FeedName]) -> Result<Timestamp, StoreError> {
        look::changed_at(&self.db, feeds).await.during("read when feeds changed")
    }

    async fn entries(
        &self,
        feed: &FeedName,
        before: Option<(Timestamp, ArticleId)>,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        look::entries(&self.db, feed, before, limit).await.during("read the entries of a feed")
    }

    async fn counted(&self, feed: &FeedName, from: Timestamp, until: Timestamp) -> Result<u64, StoreError> {
        history::counted(&self.db, feed, from, until).await.during("count the entries of a feed")
    }

    async fn between(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError> {
        history::between(&self.db, feed, from, until, skip, limit).await.during("read the history of a feed")
    }

    async fn around(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
        history::around(&self.db, feed, from, until).await.during("look around in the history of a feed")
    }

    async fn tombstones(&self, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>, StoreError> {
        look::tombstones(&self.db, feed, limit).await.during("read the tombstones of a feed")
    }

    async fn summaries(&self) -> Result<Vec<FeedSummary>, StoreError> {
        look::summaries(&self.db).await.during("sum the feeds up")
    }

    async fn standing(&self, article: &ArticleId) -> Result<Option<Result<FeedEntry, Tombstone>>, StoreError> {
        look::standing(&self.db, article).await.during("read how an article stands")
    }

    async fn rendered(
        &self,
        name: &str,
        fingerprint: &str,
        change: i64,
        candidate: Timestamp,
    ) -> Result<Rendered, StoreError> {
        rendered::rendered(&self.db, name, fingerprint, change, candidate).await.during("keep what a feed reads like")
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        look::journey(&self.db, article).await.during("read an article's journey through the feeds")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the feed ledger")
    }
}
