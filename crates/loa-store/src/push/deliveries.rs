//! Deliveries: claimed when they are due, attempted, recorded.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{
    ArticleKey, AttemptError, AttemptOutcome, DeliveryId, Endpoint, EndpointId, EventKey, EventType, ServerWords,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the deliverer does.
#[async_trait]
pub trait Deliveries: Send + Sync {
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
}

/// When deliveries are due: asked by the deliverer, set anew by operators. None of it is noted in receipts.
#[async_trait]
pub trait DueTimes: Send + Sync {
    /// When the next pending delivery of an enabled endpoint is due, or its lease ends; `None` when none is pending. In the
    /// past when something is due that could not be claimed (its endpoint skipped or at its limit).
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Makes a failed (or pending) delivery due now, with a fresh schedule; one in flight keeps its lease. `NotFound`;
    /// `Conflict` when it was delivered or superseded, or a newer version was delivered, which sending this would undo.
    async fn redrive(&self, id: &DeliveryId, at: Timestamp) -> Result<(), StoreError>;
}

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
    pub article: ArticleKey,
    /// The revision it brings.
    pub revision: u64,
    /// The event's original bytes: sent unchanged.
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
    /// Why it failed; `None` for 2xx.
    pub error: Option<AttemptError>,
    /// What the receiver, the resolver or the system said.
    pub words: ServerWords,
    /// What follows.
    pub outcome: AttemptOutcome,
}

/// An attempt, by names that a restored ledger knows as well: a delivery's own id is of one ledger's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptReceipt {
    /// What was sent.
    pub event: EventKey,
    /// Where to.
    pub endpoint: EndpointId,
    /// See [`AttemptRecord`], as are the following.
    pub started_at: Timestamp,
    /// In milliseconds.
    pub duration_ms: u64,
    /// The HTTP status.
    pub status: Option<u16>,
    /// Why it failed; kept as one word, empty for 2xx.
    #[serde(rename = "error_class", with = "error_class")]
    pub error: Option<AttemptError>,
    /// What the receiver, the resolver or the system said.
    #[serde(rename = "detail")]
    pub words: ServerWords,
    /// What followed.
    pub outcome: AttemptOutcome,
}

impl AttemptReceipt {
    /// Of an attempt of a delivery of this event to this endpoint.
    pub fn of(record: &AttemptRecord, event: EventKey, endpoint: EndpointId) -> Self {
        let AttemptRecord { started_at, duration_ms, status, error, words, outcome, .. } = record.clone();
        Self { event, endpoint, started_at, duration_ms, status, error, words, outcome }
    }

    /// As an attempt of this delivery.
    pub fn record(&self, delivery: DeliveryId) -> AttemptRecord {
        let Self { started_at, duration_ms, status, error, words, outcome, .. } = self.clone();
        AttemptRecord { delivery, started_at, duration_ms, status, error, words, outcome }
    }
}

/// Why an attempt failed, in the form that receipts have had from the beginning. A word that is not known is a fault of ours.
mod error_class {
    use loa_domain::AttemptError;
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::ref_option, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(error: &Option<AttemptError>, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(error.map_or("", AttemptError::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AttemptError>, D::Error> {
        let word = String::deserialize(from)?;
        Ok((!word.is_empty()).then(|| AttemptError::parse(&word).unwrap_or(AttemptError::Ours)))
    }
}
