//! The push outlet's ledger: endpoints, what is owed to each, every attempt.

use crate::{Accepted, AttemptReceipt, HubLedger, Lease, Receipt, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleId, AttemptOutcome, DeliveryId, DeliveryState, Endpoint, EndpointId, EndpointState, Event, EventKey,
    EventType, JourneyStep,
};
use std::sync::Arc;

/// A delivery that is due, with everything to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDelivery {
    /// Ours.
    pub id: DeliveryId,
    /// Where to; its secrets are those valid now.
    pub endpoint: Endpoint,
    /// The event's identity.
    pub event: EventKey,
    /// Its type.
    pub event_type: EventType,
    /// Its subject.
    pub article: ArticleId,
    /// The revision it brings.
    pub revision: u64,
    /// The event's frozen bytes: sent unchanged.
    pub body: Arc<[u8]>,
    /// Attempts made before this one, since it was accepted or last redriven: the place in the schedule.
    pub attempts: u32,
}

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Which delivery.
    pub delivery: DeliveryId,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The HTTP status; `None` when none came.
    pub status: Option<u16>,
    /// One word: `http`, `dns`, `connect`, `tls`, `timeout`, `blocked`, `protocol`, `ours`; empty for 2xx.
    pub error_class: String,
    /// A sentence for operators; no secrets, no control characters, at most 1,000 characters.
    pub detail: String,
    /// What follows.
    pub outcome: AttemptOutcome,
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
    /// See [`AttemptRecord::error_class`].
    pub error_class: String,
    /// See [`AttemptRecord::detail`].
    pub detail: String,
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
    pub article: ArticleId,
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
    pub article: Option<ArticleId>,
    /// At most this many (1 to 1,000), newest first.
    pub limit: u32,
}

/// The ledger; the hub's subscriptions stand in it too.
#[async_trait]
pub trait PushLedger: HubLedger {
    /// Adds an endpoint. `Conflict` when its id is taken.
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError>;

    /// All endpoints, by id.
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError>;

    /// One endpoint.
    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// Enables or disables an endpoint. `NotFound`.
    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError>;

    /// Replaces an endpoint's secrets. `NotFound`.
    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError>;

    /// Takes a batch in: seen, the frozen bytes (once, however many endpoints), and one pending delivery for each
    /// endpoint whose filter fits, disabled ones too. Unique on (event, endpoint). A delivery of an older version than
    /// one already delivered to that endpoint is `Superseded` from the start.
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError>;

    /// Claims up to `max` due deliveries of enabled endpoints other than `skip`, at most `per_endpoint` in flight for each, and
    /// at most one for each (endpoint, article): the oldest version that is due. Fair: no endpoint fills the batch while
    /// others are due.
    async fn claim(
        &self,
        lease: &Lease,
        skip: &[EndpointId],
        per_endpoint: u32,
        max: u32,
    ) -> Result<Vec<DueDelivery>, StoreError>;

    /// Records attempts and what follows, each fenced by `holder`: an attempt that comes too late is logged, and changes the
    /// delivery only if it says `Delivered`. `Delivered` supersedes pending older versions of the same article for that endpoint.
    /// `Gone` also disables the endpoint. Returns how many changed their delivery.
    async fn record(&self, holder: &str, records: &[AttemptRecord]) -> Result<u64, StoreError>;

    /// Attempts as receipts tell them: by event and endpoint. Of a delivery that is not there, none.
    async fn receipts(&self, records: &[AttemptRecord]) -> Result<Vec<AttemptReceipt>, StoreError>;

    /// Learns from receipts, in order, what a ledger restored from a copy does not know: endpoints as they stand, and
    /// attempts with what followed, as if each had happened here. Idempotent. Sends nothing. Returns how many it could not
    /// settle yet: attempts of events that it has not seen.
    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError>;

    /// Holds the ledger while it is being restored: until it is let go nothing is claimed (`Unavailable`, with a sentence
    /// that says so). Survives a crash. Idempotent.
    async fn hold(&self, held: bool) -> Result<(), StoreError>;

    /// When the next pending delivery of an enabled endpoint is due, or its lease ends; `None` when none is pending. In the
    /// past when something is due that could not be claimed (its endpoint skipped or at its limit).
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, StoreError>;

    /// One delivery with its attempts, oldest first. `NotFound`.
    async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), StoreError>;

    /// Makes a failed (or pending) delivery due now, with a fresh schedule; one in flight keeps its lease. `NotFound`;
    /// `Conflict` when it was delivered or superseded, or a newer version was delivered, which sending this would undo.
    async fn redrive(&self, id: &DeliveryId, at: Timestamp) -> Result<(), StoreError>;

    /// What this ledger knows of an article, oldest first: `accepted`, `withdrawn` or `stale`, and one line for each delivery,
    /// by its state.
    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError>;

    /// Proves that the ledger can be read.
    async fn ping(&self) -> Result<(), StoreError>;
}
