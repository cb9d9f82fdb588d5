//! What can be asked of the feeds' ledger without changing anything.

use crate::{Ledger, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, Content, FeedName};

/// Read-only: for documents, pages and the console.
#[async_trait]
pub trait FeedViews: Ledger {
    /// The newest `limit` entries of a feed: by `published_at`, then by id, newest first. `before`: only older than that
    /// (published_at, id) – the last entry of the page before.
    ///
    /// Of a combination: what stands in one part of each of its sides (areas, sections, portals; a side of which there are none
    /// does not ask), looked for among the newest entries of each part of the smallest side, 2,000 at least.
    async fn entries(
        &self,
        feed: &FeedName,
        before: Option<(Timestamp, ArticleKey)>,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError>;

    /// The newest `limit` tombstones of a feed, newest first. Of a combination: as for [`Self::entries`].
    async fn tombstones(&self, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>, StoreError>;

    /// How many entries of a feed (a combination has no history: none) were published from `from` up to but without `until`. Costs their keys, not their contents.
    async fn counted(&self, feed: &FeedName, from: Timestamp, until: Timestamp) -> Result<u64, StoreError>;

    /// The entries of a feed published from `from` up to but without `until`, the oldest first (by `published_at`, then by
    /// id): `limit` of them after the first `skip`. What is skipped costs its keys, not its contents.
    async fn between(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
        skip: u64,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError>;

    /// When the entries of a feed on both sides of a span of time were published: the newest before `from`, and the oldest
    /// at `until` or later; `None` where there is none.
    async fn around(
        &self,
        feed: &FeedName,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError>;

    /// All feeds that any publication ever belonged to, by name; those with nothing in them now as well. Entries
    /// published at `until` or later count as not there yet.
    async fn summaries(&self, until: Timestamp) -> Result<Vec<FeedSummary>, StoreError>;

    /// Whether an article stands, is withdrawn, or is unknown (`None`).
    async fn standing(&self, article: &ArticleKey) -> Result<Option<Result<FeedEntry, Tombstone>>, StoreError>;
}

/// An entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// Its subject.
    pub article: ArticleKey,
    /// The event source that its outward id is made of: the source of the subject's first event to arrive is not stable under
    /// reordering, so this is the source of the version that stands.
    pub source: String,
    /// What it says.
    pub content: Content,
}

/// What is left of a withdrawn entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// See [`FeedEntry::source`].
    pub source: String,
    /// Its subject.
    pub article: ArticleKey,
    /// The withdrawal's revision.
    pub revision: u64,
    /// When the portal withdrew it.
    pub at: Timestamp,
    /// For people; may be empty.
    pub reason: String,
}

/// A feed in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSummary {
    /// Its name.
    pub feed: FeedName,
    /// For a category feed, what its newest entry calls the category; when nothing stands in it, what the newest publication
    /// that ever belonged to it did, whatever the order of arrival. Otherwise empty.
    pub label: String,
    /// Entries standing in it.
    pub entries: u64,
    /// When its newest entry was published; `None` when it has none.
    pub newest_at: Option<Timestamp>,
}
