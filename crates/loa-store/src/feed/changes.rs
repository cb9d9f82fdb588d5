//! What changes the feeds: events that come in, and what readers were last told.

use crate::{Accepted, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{Event, FeedName};

/// What the loop of the feed service does.
#[async_trait]
pub trait FeedChanges: Send + Sync {
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
}

/// An event with the feeds it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedArrival {
    /// The event.
    pub event: Event,
    /// The feeds its content belongs to (empty for a withdrawal: the ledger knows where the subject stands).
    pub feeds: Vec<FeedName>,
}

/// What readers were last told of one feed, or another document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// A digest of everything rendered.
    pub fingerprint: String,
    /// What `Last-Modified` says: whole seconds, and later than for any earlier fingerprint.
    pub last_modified: Timestamp,
}
