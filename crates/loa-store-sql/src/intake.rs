//! The intake ledger: what stands of each article, the archive, the outbox.
//!
//! An event's bytes stand once, in the archive; the outbox is a list of the archive's numbers that the bus has not
//! confirmed yet. `submit.rs` takes in, `outbox.rs` owes, `archive.rs` remembers.

mod archive;
mod outbox;
mod submit;

use crate::{fault::During, schema::ledger_store};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, JourneyStep};
use loa_store::{
    ArchiveQuery, Archived, Current, IntakeLedger, Lease, OutboxRow, OutboxState, StoreError, Submission, Submitted,
};

ledger_store!(
    /// The intake ledger on SQL.
    IntakeStore, "intake", INTAKE
);

#[async_trait]
impl IntakeLedger for IntakeStore {
    async fn current(&self, articles: &[ArticleId]) -> Result<Vec<Option<Current>>, StoreError> {
        submit::current(&self.db, articles).await.during("read what stands of articles")
    }

    async fn submit(&self, batch: &[Submission]) -> Result<Vec<Submitted>, StoreError> {
        submit::submit(&self.db, batch).await.during("store submissions")
    }

    async fn claim_outbox(&self, lease: &Lease, max: u32) -> Result<Vec<OutboxRow>, StoreError> {
        outbox::claim(&self.db, lease, max).await.during("claim outbox rows")
    }

    async fn outbox_confirmed(&self, sequences: &[i64], at: Timestamp) -> Result<(), StoreError> {
        outbox::confirmed(&self.db, sequences, at).await.during("remove confirmed outbox rows")
    }

    async fn outbox_failed(
        &self,
        holder: &str,
        sequences: &[i64],
        due_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        outbox::failed(&self.db, holder, sequences, due_at, error).await.during("give outbox rows back")
    }

    async fn outbox_state(&self) -> Result<OutboxState, StoreError> {
        outbox::state(&self.db).await.during("measure the outbox")
    }

    async fn archive(&self, events: &[Archived]) -> Result<u64, StoreError> {
        archive::archive(&self.db, events).await.during("archive events")
    }

    async fn archived(&self, query: &ArchiveQuery) -> Result<Vec<Archived>, StoreError> {
        archive::archived(&self.db, query).await.during("read the archive")
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        archive::journey(&self.db, article).await.during("read an article's journey through intake")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the intake ledger")
    }
}
