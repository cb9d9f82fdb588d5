//! What can be asked of the push ledger without changing anything.

use crate::{Ledger, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleKey, AttemptError, DeliveryId, DeliveryState, Endpoint, EndpointId, EventKey, EventType, ServerWords,
};

/// Read-only: for the API, the console and the command line.
#[async_trait]
pub trait PushViews: Ledger {
    /// All endpoints, by id.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;

    /// One endpoint.
    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, StoreError>;

    /// One delivery with its attempts, oldest first. `NotFound`.
    async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), StoreError>;
}

/// A delivery as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryView {
    /// Ours.
    pub id: DeliveryId,
    /// Where to.
    pub endpoint: EndpointId,
    /// The event's identity.
    pub event: EventKey,
    /// Its type.
    pub event_type: EventType,
    /// Its subject.
    pub article: ArticleKey,
    /// The revision it brings.
    pub revision: u64,
    /// Where it stands.
    pub state: DeliveryState,
    /// Attempts made, all of them.
    pub attempts: u32,
    /// When the next attempt is due, or the lease of the running one ends; `None` at an end.
    pub due_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// Which deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only of this endpoint.
    pub endpoint: Option<EndpointId>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only about this subject.
    pub article: Option<ArticleKey>,
    /// At most this many (1 to 1,000), newest first.
    pub limit: u32,
}

/// An attempt as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The HTTP status; `None` when none came.
    pub status: Option<u16>,
    /// See [`crate::AttemptRecord::error`].
    pub error: Option<AttemptError>,
    /// See [`crate::AttemptRecord::words`].
    pub words: ServerWords,
}
