//! Counting completeness: which archived events an outlet's ledger has not seen, and which heartbeats came through.
//!
//! The audit reads the archive in order and asks each outlet by itself. A *gap* is an event that was archived and is not
//! seen. Heartbeats are noted by whoever heard them: one that is missing at one binding names the binding.

use crate::{Said, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, EventKey, Outlet};

/// What the audit does. `outlet` is never [`Outlet::Intake`].
#[async_trait]
pub trait Audits: Send + Sync {
    /// How far this outlet was audited, and what comes next: up to `limit` (1 to 1,000) archived events, in order of sequence.
    async fn unaudited(&self, outlet: Outlet, limit: u32) -> Result<Unaudited, StoreError>;

    /// Records one round of an outlet: moves its place from `from` to `to` and notes the `missing` as gaps, all or nothing.
    /// Returns whether it did: `false` when another replica has moved the place meanwhile; then nothing is changed.
    async fn audited(&self, round: &AuditRound) -> Result<bool, StoreError>;

    /// Up to `limit` (1 to 1,000) gaps of an outlet, those that nobody looked at for the longest time first.
    async fn gaps_to_ask_about(&self, outlet: Outlet, limit: u32) -> Result<Vec<AuditEvent>, StoreError>;

    /// Records a look at gaps: those in `seen` are closed, those in `missing` stay and were looked at at `at`. Idempotent.
    async fn gaps_asked_about(
        &self,
        outlet: Outlet,
        seen: &[i64],
        missing: &[i64],
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Notes heartbeats that came through. Keeps the newest of each queue, binding and installation; of more than
    /// [`STRANGERS_MAX`] installations the others are left out.
    async fn heartbeats_heard(&self, heard: &[HeardHeartbeat]) -> Result<(), StoreError>;

    /// Forgets heartbeats that were heard before `before`.
    async fn forget_heartbeats(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// The most installations whose heartbeats are kept, of each queue and binding: anybody who may publish can invent some.
pub const STRANGERS_MAX: u32 = 16;

/// The most gaps of an outlet that are counted; a figure that reaches it means "this many or more".
pub const GAPS_COUNTED_MAX: u32 = 10_000;

/// The next events to be audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unaudited {
    /// Everything up to this number was looked at.
    pub reached: i64,
    /// What follows.
    pub events: Vec<AuditEvent>,
}

/// An archived event, as far as the audit needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its number in the archive.
    pub sequence: i64,
    /// Its identity, and its content's.
    pub said: Said,
    /// When it was archived.
    pub archived_at: Timestamp,
    /// When the bus had it at the latest; `None`: it still waits in the outbox.
    pub routed_at: Option<Timestamp>,
}

/// What one round came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRound {
    /// Whose.
    pub outlet: Outlet,
    /// Where it began: [`Unaudited::reached`].
    pub from: i64,
    /// Where it ended; the same when nothing was due.
    pub to: i64,
    /// Numbers of events that the outlet has not seen.
    pub missing: Vec<i64>,
    /// Now.
    pub at: Timestamp,
    /// What was routed until then has passed the outlet's queue, as far as this round found out. It never goes back.
    pub passed_at: Option<Timestamp>,
}

/// How complete one outlet is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completeness {
    /// Which.
    pub outlet: Outlet,
    /// When its ledger last answered the audit; `None`: never.
    pub asked_at: Option<Timestamp>,
    /// Since when the oldest event waits to be audited; `None`: none does.
    pub unaudited_since: Option<Timestamp>,
    /// Gaps whose events have passed the queue: they do not come by themselves.
    pub not_received: Option<Gaps>,
    /// Gaps whose events may still stand in the queue.
    pub late: Option<Gaps>,
}

/// Some gaps of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gaps {
    /// How many; [`GAPS_COUNTED_MAX`] means that many or more.
    pub count: u64,
    /// When the oldest of them was archived: a replay since then brings all.
    pub since: Timestamp,
    /// The subject of the first.
    pub article: ArticleKey,
    /// The first event.
    pub event: EventKey,
}

/// A heartbeat that came through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardHeartbeat {
    /// The queue that it came through.
    pub queue: String,
    /// The binding that took it; empty: it was published straight to the queue.
    pub binding: String,
    /// Whose it is.
    pub installation: String,
    /// The machine that sent it; empty: unknown.
    pub host: String,
    /// When it was sent; not after `heard_at`.
    pub sent_at: Timestamp,
    /// When the first of them was heard; on noting one, the same as `heard_at`.
    pub first_at: Timestamp,
    /// When it was heard.
    pub heard_at: Timestamp,
}
