//! Intake's ledger on SQL. It implements the doors of `loa_store::IntakeLedger`.
//!
//! An event's bytes are stored once, in the archive. The outbox lists the numbers of archived events that
//! the bus has not confirmed. `submit.rs` takes submissions in, `outbox.rs` keeps the outbox, `archive.rs`
//! the archive, `audit.rs` what outlets have not seen of it.

mod archive;
mod audit;
mod outbox;
mod submit;

use crate::db::{Db, During, schema::ledger_store, share_of};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, JourneyLine, NotCarried, Outlet};
use loa_store::{
    ArchiveQuery, Archived, AuditEvent, AuditRound, Audits, ClaimRoom, Completeness, Current, EventArchive,
    HeardHeartbeat, IntakeViews, Lease, Ledger, Outbox, OutboxRow, OutboxState, StoreError, Submission, Submissions,
    Submitted, Unaudited,
};
use tokio::time::Instant;

ledger_store!(
    /// The intake ledger on SQL.
    IntakeStore, "intake", INTAKE
);

#[async_trait]
impl Submissions for IntakeStore {
    async fn current(&self, articles: &[ArticleKey]) -> Result<Vec<Option<Current>>, StoreError> {
        submit::current(&self.db, articles).await.during("read what stands of articles", &self.db)
    }

    async fn submit(&self, batch: &[Submission]) -> Result<Vec<Submitted>, StoreError> {
        submit::submit(&self.db, batch).await.during("store submissions", &self.db)
    }

    async fn renumber(&self, article: &ArticleKey, revision_max: u64) -> Result<Option<Current>, StoreError> {
        submit::renumber(&self.db, article, revision_max).await.during("renumber an article", &self.db)
    }
}

#[async_trait]
impl Outbox for IntakeStore {
    async fn claim_outbox(&self, lease: &Lease, room: &ClaimRoom) -> Result<Vec<OutboxRow>, StoreError> {
        outbox::claim(&self.db, lease, room).await.during("claim outbox rows", &self.db)
    }

    async fn outbox_confirmed(&self, sequences: &[i64], at: Timestamp) -> Result<(), StoreError> {
        outbox::confirmed(&self.db, sequences, at).await.during("remove confirmed outbox rows", &self.db)
    }

    async fn outbox_failed(
        &self,
        holder: &str,
        sequences: &[i64],
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        outbox::failed(&self.db, holder, sequences, due_at, error).await.during("give outbox rows back", &self.db)
    }

    async fn outbox_set_aside(
        &self,
        holder: &str,
        sequences: &[i64],
        at: Timestamp,
        due_at: Timestamp,
        why: &NotCarried,
    ) -> Result<(), StoreError> {
        outbox::set_aside(&self.db, holder, sequences, (at, due_at), why)
            .await
            .during("set outbox rows aside", &self.db)
    }
}

#[async_trait]
impl EventArchive for IntakeStore {
    async fn archive(&self, events: &[Archived]) -> Result<u64, StoreError> {
        archive::archive(&self.db, events).await.during("archive events", &self.db)
    }

    async fn newest(&self, article: &ArticleKey) -> Result<Option<Archived>, StoreError> {
        archive::newest(&self.db, article).await.during("read the newest archived event of an article", &self.db)
    }

    async fn archived(&self, query: &ArchiveQuery) -> Result<Vec<Archived>, StoreError> {
        archive::archived(&self.db, query).await.during("read the archive", &self.db)
    }
}

#[async_trait]
impl Audits for IntakeStore {
    async fn unaudited(&self, outlet: Outlet, limit: u32) -> Result<Unaudited, StoreError> {
        audit::unaudited(&self.db, outlet, limit).await.during("read what is to be audited", &self.db)
    }

    async fn audited(&self, round: &AuditRound) -> Result<bool, StoreError> {
        audit::audited(&self.db, round).await.during("record a round of the audit", &self.db)
    }

    async fn gaps_to_ask_about(&self, outlet: Outlet, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        audit::gaps_to_ask_about(&self.db, outlet, limit).await.during("read the gaps of an outlet", &self.db)
    }

    async fn gaps_asked_about(
        &self,
        outlet: Outlet,
        seen: &[i64],
        missing: &[i64],
        at: Timestamp,
    ) -> Result<(), StoreError> {
        audit::gaps_asked_about(&self.db, outlet, seen, missing, at).await.during("record a look at gaps", &self.db)
    }

    async fn heartbeats_heard(&self, heard: &[HeardHeartbeat]) -> Result<(), StoreError> {
        audit::heartbeats_heard(&self.db, heard).await.during("note heartbeats", &self.db)
    }

    async fn forget_heartbeats(&self, before: Timestamp) -> Result<(), StoreError> {
        audit::forget_heartbeats(&self.db, before).await.during("forget heartbeats", &self.db)
    }
}

#[async_trait]
impl IntakeViews for IntakeStore {
    async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        outbox::state(&self.db).await.during("measure the outbox", &self.db)
    }

    async fn completeness(&self, routed_until: Timestamp) -> Result<Vec<Completeness>, StoreError> {
        audit::completeness(&self.db, routed_until).await.during("count what outlets have not seen", &self.db)
    }

    async fn heartbeats(&self) -> Result<Vec<HeardHeartbeat>, StoreError> {
        audit::heartbeats(&self.db).await.during("read the heartbeats", &self.db)
    }

    async fn installation(&self) -> Result<String, StoreError> {
        audit::installation(&self.db).await.during("read the installation's id", &self.db)
    }
}

#[async_trait]
impl Ledger for IntakeStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the intake ledger", &self.db)
    }

    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        archive::journey(&self.db, article).await.during("read an article's journey through intake", &self.db)
    }
}

/// Reads all rows that are worked with, until it is time to end: then `false`.
pub(crate) async fn survey(db: &Db, until: Instant) -> crate::fault::Result<bool> {
    Ok(submit::survey(db, share_of(until, 3)).await?
        & outbox::survey(db, share_of(until, 2)).await?
        & archive::survey(db, until).await?)
}
