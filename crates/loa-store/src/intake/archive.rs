//! The archive of events: what replay and restore read.

use crate::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, EventType};

/// Every event ever taken in, whoever published it.
#[async_trait]
pub trait EventArchive: Send + Sync {
    /// Archives events received from the bus (any producer's). Idempotent by key; `sequence` is ignored. Returns how
    /// many were not archived before.
    async fn archive(&self, events: &[Archived]) -> Result<u64, StoreError>;

    /// The archived event of a subject with the highest revision; of several with it, the one that was archived last. One that
    /// cannot be read is passed over.
    async fn newest(&self, article: &ArticleKey) -> Result<Option<Archived>, StoreError>;

    /// Reads the archive in order of sequence.
    async fn archived(&self, query: &ArchiveQuery) -> Result<Vec<Archived>, StoreError>;
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
    pub article: ArticleKey,
    /// The revision it brings.
    pub revision: u64,
    /// The hash of its content (`Event::content_hash`); empty where a program of before archived it.
    pub content_hash: String,
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
    pub article: Option<ArticleKey>,
    /// At most this many (1 to 1,000).
    pub limit: u32,
}
