//! What ledgers have in common: that they answer, tell an article's journey, take events in, and can be restored.

use crate::{Book, Receipt, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, Event, EventKey, JourneyLine};

/// What every ledger of events answers. Changes nothing.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What this ledger knows of an article, oldest first.
    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError>;
}

/// What an outlet has received. Changes nothing.
#[async_trait]
pub trait Receptions: Ledger {
    /// Those of these events (at most 1,000) that this ledger has never accepted, in the order asked. That it has accepted other
    /// content under an event's key does not count.
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError>;
}

/// An event, as far as it can be told from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its identity.
    pub key: EventKey,
    /// The hash of its content (`Event::content_hash`); `None`: not known, and any content under the key is taken for it.
    pub content_hash: Option<String>,
}

impl Said {
    /// Of an event at hand.
    pub fn by(event: &Event) -> Self {
        Self { key: event.key.clone(), content_hash: Some(event.content_hash.clone()) }
    }
}

/// How events come in.
#[async_trait]
pub trait Arrivals: Send + Sync {
    /// Takes a batch in as accepted at `at`: the events as seen, and what this outlet owes because of them. An event seen
    /// before changes nothing. Of two versions of a subject the higher stands, whatever the order of arrival.
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError>;
}

/// A ledger that is brought back from a copy.
#[async_trait]
pub trait Restorable: Arrivals {
    /// Whose receipts it learns from; `None`: events alone make it whole.
    fn book(&self) -> Option<Book>;

    /// Learns from receipts, in order, what a ledger restored from a copy does not know, as if each had happened here.
    /// Idempotent. Sends nothing. Returns how many it has to defer: those about something that it does not know (yet).
    async fn learn(&self, receipts: &[Receipt]) -> Result<u64, StoreError>;

    /// Marks the ledger as being restored, or ends that: in between nothing is opened, planned or claimed (`Unavailable`, with
    /// a sentence that says so). Survives a crash. Idempotent.
    async fn set_restoring(&self, restoring: bool) -> Result<(), StoreError>;
}

/// What accepting a batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Events seen for the first time.
    pub fresh: u64,
    /// Events seen before: no change.
    pub duplicates: u64,
    /// Fresh events that brought an older version than the one that stands: kept as seen, nothing else.
    pub stale: u64,
    /// Fresh events whose id was used before for other content.
    pub reused: u64,
}
