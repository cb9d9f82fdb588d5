//! The outbox: events owed to the bus.

use crate::{Lease, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, Lane, NotCarried};
use std::collections::BTreeMap;

/// What the relay does.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims due outbox rows, as many as there is room for: news before back-files, and in each lane portal by portal in
    /// turns (the first of each, then the second of each), those of one portal in order of sequence. Of one article never a
    /// later row while an earlier one is unconfirmed and not before it in this claim, unless that one is set aside; so what
    /// stands behind a failed row waits with it. Fewer where events are large: some MiB of bodies fill a claim, which has at
    /// least one. The cost grows with the portals that have something due and with the room, never with the backlog.
    async fn claim_outbox(&self, lease: &Lease, room: &ClaimRoom) -> Result<Vec<OutboxRow>, StoreError>;

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

    /// Sets rows aside that the bus will never take as they are, from `at` on, and why: later rows of their articles no longer
    /// wait. They are due again at `due_at`, and stay set aside until they are confirmed. Only those
    /// still held by `holder`.
    async fn outbox_set_aside(
        &self,
        holder: &str,
        sequences: &[i64],
        at: Timestamp,
        due_at: Timestamp,
        why: &NotCarried,
    ) -> Result<(), StoreError>;
}

/// How many rows a claim may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRoom {
    /// In all.
    pub max: u32,
    /// Of back-files, in what news leaves of the room.
    pub back_files: u32,
    /// Of one portal's news.
    pub of_a_portal: u32,
    /// Of the news of some portals, where that is less; by slug, empty for the home portal.
    pub portals: BTreeMap<String, u32>,
}

impl ClaimRoom {
    /// Room for so many, of whatever kind.
    pub fn of(max: u32) -> Self {
        Self { max, back_files: max, of_a_portal: max, portals: BTreeMap::new() }
    }

    /// How many of a portal's rows there is room for in a lane.
    pub fn for_portal(&self, lane: Lane, portal: &str) -> u32 {
        match lane {
            Lane::Live => self.portals.get(portal).copied().unwrap_or(self.of_a_portal).min(self.of_a_portal),
            Lane::BackFile => self.back_files,
        }
    }
}

/// An event owed to the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number; grows in the order of submission.
    pub sequence: i64,
    /// The event's identity.
    pub key: EventKey,
    /// Its subject.
    pub article: ArticleKey,
    /// Where it waited.
    pub lane: Lane,
    /// Where it is published to.
    pub routing_key: String,
    /// The event in structured mode.
    pub body: Vec<u8>,
    /// How often it was tried before.
    pub attempts: u32,
}
