//! The outbox: events owed to the bus.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, EventKey};

/// What the relay does.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims up to `max` due outbox rows in order of sequence. Of one article never a later row while an earlier one
    /// is unconfirmed and not in this claim, unless that one is set aside; so what stands behind a failed row waits with it.
    /// Fewer where events are large:
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

    /// Sets rows aside that the bus will never take as they are, from `at` on, with the sentence for operators: later rows of
    /// their articles no longer wait. They are due again at `due_at`, and stay set aside until they are confirmed. Only those
    /// still held by `holder`.
    async fn outbox_set_aside(
        &self,
        holder: &str,
        sequences: &[i64],
        at: Timestamp,
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError>;
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
