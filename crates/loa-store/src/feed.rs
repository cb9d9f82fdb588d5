//! The feed outlet's ledger: what stands in which feed, what is gone, and what readers were last told.

use crate::{Accepted, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, Content, Event, FeedName, JourneyStep};

/// An event with the feeds it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedArrival {
    /// The event.
    pub event: Event,
    /// The feeds its content belongs to (empty for a withdrawal: the ledger knows where the subject stands).
    pub feeds: Vec<FeedName>,
}

/// An entry of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
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
    pub article: ArticleId,
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

/// What readers were last told of one feed, or another document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// A digest of everything rendered.
    pub fingerprint: String,
    /// What `Last-Modified` says: whole seconds, and later than for any earlier fingerprint.
    pub last_modified: Timestamp,
}

/// The ledger.
#[async_trait]
pub trait FeedLedger: Send + Sync {
    /// Takes a batch in: seen, entries, memberships, tombstones, and a new change number for each feed touched (those an
    /// entry left as well). The higher version stands. A withdrawal removes its subject from every feed, and leaves a tombstone in each feed it
    /// stood in (in `all`, where it stood in none: it may have been withdrawn before it arrived). "Stood in" counts every
    /// publication of it, also one that arrives after its withdrawal: the feeds are the same in any order.
    async fn accept(&self, batch: &[FeedArrival], at: Timestamp) -> Result<Accepted, StoreError>;

    /// The feeds changed after change number `after` (0: from the beginning), in order of change, each once, with the number
    /// to ask from next. Pages of `limit` (1 to 10,000): when as many came back, ask again at once from the number returned.
    async fn changed(&self, after: i64, limit: u32) -> Result<(Vec<FeedName>, i64), StoreError>;

    /// When the last of these feeds changed (of those it knows; of all, when it knows none): whole seconds, never before the
    /// change was accepted. A later change says later, or as long as the clocks handed to [`Self::accept`] are within the same second,
    /// the same. May lie ahead of the clock: after one was set back, and in a ledger that is being filled again.
    async fn changed_at(&self, feeds: &[FeedName]) -> Result<Timestamp, StoreError>;

    /// The newest `limit` entries of a feed: by `published_at`, then by id, newest first. `before`: only older than that
    /// (published_at, id) – the last entry of the page before.
    ///
    /// Of a combination: what stands in one of its areas and in one of its sections (all that stands in any part, when there
    /// are none of the other kind), looked for among the newest entries of each part of the smaller side, 2,000 at least.
    async fn entries(
        &self,
        feed: &FeedName,
        before: Option<(Timestamp, ArticleId)>,
        limit: u32,
    ) -> Result<Vec<FeedEntry>, StoreError>;

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

    /// The newest `limit` tombstones of a feed, newest first. Of a combination: as for [`Self::entries`].
    async fn tombstones(&self, feed: &FeedName, limit: u32) -> Result<Vec<Tombstone>, StoreError>;

    /// All feeds that any publication ever belonged to, by name; those with nothing in them now as well.
    async fn summaries(&self) -> Result<Vec<FeedSummary>, StoreError>;

    /// Whether an article stands, is withdrawn, or is unknown (`None`).
    async fn standing(&self, article: &ArticleId) -> Result<Option<Result<FeedEntry, Tombstone>>, StoreError>;

    /// Says that something served now reads like `fingerprint`: a feed under its name, any other document under a name that no
    /// feed has (1 to 500 bytes). The same fingerprint as stored: what is stored comes back. Another: it is stored with `Last-Modified` = the later of `candidate` (cut to whole seconds) and one second after the stored one.
    /// `change`: the number of [`Self::changed`] up to which what was rendered is surely true.
    ///
    /// # Errors
    /// `Stale` when something else is stored that is true up to a higher number: read it again. `Rejected` for a
    /// combination: there are more of them than could be kept.
    async fn rendered(
        &self,
        name: &str,
        fingerprint: &str,
        change: i64,
        candidate: Timestamp,
    ) -> Result<Rendered, StoreError>;

    /// What this ledger knows of an article, oldest first: `accepted`, `withdrawn`, `stale` (came too late to stand).
    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
