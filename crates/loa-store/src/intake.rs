//! Intake's ledger: what stands of each article, the outbox, and the archive that replay reads.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, EventKey, EventType, JourneyStep};

/// What stands of an article or document that came in through intake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its revision.
    pub revision: u64,
    /// Whether it is withdrawn.
    pub withdrawn: bool,
    /// A digest of what the producer sent, to tell a repeat from an edit.
    pub fingerprint: String,
    /// The event that brought it.
    pub event: EventKey,
    /// The category in its routing key, for the withdrawal's.
    pub category: String,
}

/// An event to be stored, archived and sent on, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The event's identity.
    pub key: EventKey,
    /// Its type.
    pub event_type: EventType,
    /// Its subject.
    pub article: ArticleId,
    /// The revision it brings.
    pub revision: u64,
    /// See [`Current::fingerprint`].
    pub fingerprint: String,
    /// The revision the caller saw as current; `None`: none. Anything else standing there is a conflict.
    pub expect: Option<u64>,
    /// The category in the routing key.
    pub category: String,
    /// Where it is published to.
    pub routing_key: String,
    /// The event in structured mode.
    pub body: Vec<u8>,
    /// Now.
    pub at: Timestamp,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Stored; the outbox owes it to the bus.
    Stored,
    /// An event of this key is stored already: no change.
    Repeat,
    /// Something else stands than `expect` said; nothing was changed.
    Conflict(Option<Current>),
}

/// An event owed to the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number; grows in the order of submission.
    pub sequence: i64,
    /// The event's identity.
    pub key: EventKey,
    /// Its subject.
    pub article: ArticleId,
    /// Where it is published to.
    pub routing_key: String,
    /// The event in structured mode.
    pub body: Vec<u8>,
    /// How often it was tried before.
    pub attempts: u32,
}

/// How full the outbox is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxState {
    /// Events not yet confirmed by the bus; 100,000 means that many or more.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub oldest_at: Option<Timestamp>,
}

/// An event in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its number; grows in the order of archiving. Pages go by it.
    pub sequence: i64,
    /// Its identity.
    pub key: EventKey,
    /// Its type.
    pub event_type: EventType,
    /// Its subject.
    pub article: ArticleId,
    /// The revision it brings.
    pub revision: u64,
    /// What it was published with.
    pub routing_key: String,
    /// The event in structured mode.
    pub body: Vec<u8>,
    /// When it was archived.
    pub at: Timestamp,
}

/// Which part of the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveQuery {
    /// Only after this number; 0: from the beginning.
    pub after: i64,
    /// Only archived at or after.
    pub since: Option<Timestamp>,
    /// Only about this subject.
    pub article: Option<ArticleId>,
    /// At most this many (1 to 1,000).
    pub limit: u32,
}

/// The ledger.
#[async_trait]
pub trait IntakeLedger: Send + Sync {
    /// What stands of each article, in the order asked; `None` where nothing came in.
    async fn current(&self, articles: &[ArticleId]) -> Result<Vec<Option<Current>>, StoreError>;

    /// Stores article state, event (in the archive) and outbox row of each submission, all in one transaction; one outcome for
    /// each, in order; each sees those before it. An older version than the one that stands is stored and sent, but does not
    /// stand.
    async fn submit(&self, batch: &[Submission]) -> Result<Vec<Submitted>, StoreError>;

    /// Claims up to `max` due outbox rows in order of sequence. Of one article never a later row while an earlier one
    /// is unconfirmed and not in this claim; so what stands behind a failed row waits with it. Fewer where events are large:
    /// some MiB of bodies fill a claim, which has at least one.
    async fn claim_outbox(&self, lease: &Lease, max: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Removes rows that the bus has confirmed (whoever holds them: confirmed is confirmed). Idempotent.
    async fn outbox_confirmed(&self, sequences: &[i64], at: Timestamp) -> Result<(), StoreError>;

    /// Gives rows back, due again at `due_at`, their attempts counted, with the error for operators. Only those still
    /// held by `holder`.
    async fn outbox_failed(
        &self,
        holder: &str,
        sequences: &[i64],
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError>;

    /// How full the outbox is.
    async fn outbox_state(&self) -> Result<OutboxState, StoreError>;

    /// Archives events received from the bus (any producer's). Idempotent by key; `sequence` is ignored. Returns how
    /// many were not archived before.
    async fn archive(&self, events: &[Archived]) -> Result<u64, StoreError>;

    /// Reads the archive in order of sequence.
    async fn archived(&self, query: &ArchiveQuery) -> Result<Vec<Archived>, StoreError>;

    /// What this ledger knows of an article, oldest first: `accepted` (through intake), `sent` (the bus confirmed it),
    /// `archived` (others published it).
    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
