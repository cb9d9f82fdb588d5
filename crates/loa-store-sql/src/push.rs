//! The push ledger on SQL. It implements the doors of `loa_store::PushLedger`.
//!
//! An event's bytes are stored once; a delivery is one event owed to one endpoint. `endpoints.rs` keeps
//! endpoints, `accept.rs` makes deliveries, `upcoming.rs` keeps what is dated in the future until
//! its time, `claim.rs` gives due ones to a sender, `record.rs` records
//! attempts, `learn.rs` tells receipts and learns from them, `views.rs` answers read-only questions. `hub/`
//! is the WebSub hub's ledger, whose tables are in the same place.

mod accept;
mod claim;
mod endpoints;
mod hub;
mod learn;
mod record;
mod views;

use self::accept::upcoming;
use crate::{
    db::{Db, During, schema::ledger_store, share_of},
    restoring, seen,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleKey, DeliveryId, Endpoint, EndpointId, EndpointState, Event, EventKey, JourneyLine};
use loa_store::{
    Accepted, Arrivals, Attempt, AttemptReceipt, AttemptRecord, Book, Deliveries, DeliveryQuery, DeliveryView,
    DueDelivery, DueTimes, Endpoints, Lease, Ledger, PushViews, Receipt, Receptions, Restorable, Said, StoreError,
};
use tokio::time::Instant;

ledger_store!(
    /// The push ledger on SQL.
    PushStore, "push", PUSH
);

#[async_trait]
impl Arrivals for PushStore {
    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the endpoints", &self.db)
    }
}

#[async_trait]
impl Endpoints for PushStore {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        endpoints::add(&self.db, endpoint).await.during("add an endpoint", &self.db)
    }

    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError> {
        endpoints::set_state(&self.db, id, state).await.during("enable or disable an endpoint", &self.db)
    }

    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError> {
        endpoints::set_secrets(&self.db, id, secrets).await.during("replace an endpoint's secrets", &self.db)
    }
}

#[async_trait]
impl DueTimes for PushStore {
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        views::next_due(&self.db).await.during("look when the next delivery is due", &self.db)
    }

    async fn redrive(&self, id: &DeliveryId, at: Timestamp) -> Result<(), StoreError> {
        record::redrive(&self.db, id, at).await.during("redrive a delivery", &self.db)
    }
}

#[async_trait]
impl Deliveries for PushStore {
    async fn claim(
        &self,
        lease: &Lease,
        skip: &[EndpointId],
        per_endpoint: u32,
        max: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        claim::claim(&self.db, lease, skip, per_endpoint, max).await.during("claim deliveries", &self.db)
    }

    async fn record(&self, holder: &str, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records).await.during("record attempts", &self.db)
    }

    async fn receipts(&self, records: &[AttemptRecord]) -> Result<Vec<AttemptReceipt>, StoreError> {
        learn::receipts(&self.db, records).await.during("tell attempts as receipts", &self.db)
    }
}

#[async_trait]
impl PushViews for PushStore {
    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        endpoints::all(&self.db).await.during("list the endpoints", &self.db)
    }

    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        endpoints::one(&self.db, id).await.during("read an endpoint", &self.db)
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, StoreError> {
        views::deliveries(&self.db, query).await.during("list deliveries", &self.db)
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), StoreError> {
        views::delivery(&self.db, id).await.during("read a delivery", &self.db)
    }
}

#[async_trait]
impl Restorable for PushStore {
    fn book(&self) -> Option<Book> {
        Some(Book::Push)
    }

    async fn learn(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        learn::learn(&self.db, receipts).await.during("learn from receipts of webhooks", &self.db)
    }

    async fn set_restoring(&self, restoring: bool) -> Result<(), StoreError> {
        restoring::set(&self.db, restoring).await.during("begin or end the restore of the push ledger", &self.db)
    }
}

#[async_trait]
impl Receptions for PushStore {
    async fn not_seen(&self, events: &[Said]) -> Result<Vec<EventKey>, StoreError> {
        seen::not_seen(&self.db, events).await.during("look which events have not reached push", &self.db)
    }
}

#[async_trait]
impl Ledger for PushStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the push ledger", &self.db)
    }

    async fn journey(&self, article: &ArticleKey) -> Result<Vec<JourneyLine>, StoreError> {
        views::journey(&self.db, article).await.during("read an article's journey through push", &self.db)
    }
}

/// Reads all rows that are worked with, until it is time to end: then `false`.
pub(crate) async fn survey(db: &Db, until: Instant) -> crate::fault::Result<bool> {
    Ok(endpoints::survey(db, share_of(until, 3)).await?
        & upcoming::survey(db, share_of(until, 2)).await?
        & views::survey(db, until).await?)
}
