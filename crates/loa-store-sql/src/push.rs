//! The push ledger: endpoints, what is owed to each, every attempt.
//!
//! An event's bytes stand once; a delivery is one event owed to one endpoint. `endpoints.rs` says who, `accept.rs` plans,
//! `claim.rs` hands out, `record.rs` writes down, `settle.rs` learns from receipts, `look.rs` shows. `hub/` is the
//! WebSub hub.

mod accept;
mod claim;
mod endpoints;
mod hub;
mod look;
mod record;
mod settle;

use crate::{fault::During, hold, schema::ledger_store};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, DeliveryId, Endpoint, EndpointId, EndpointState, Event, JourneyStep};
use loa_store::{
    Accepted, Attempt, AttemptReceipt, AttemptRecord, DeliveryQuery, DeliveryView, DueDelivery, Lease, PushLedger,
    Receipt, StoreError,
};

ledger_store!(
    /// The push ledger on SQL.
    PushStore, "push", PUSH
);

#[async_trait]
impl PushLedger for PushStore {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        endpoints::add(&self.db, endpoint).await.during("add an endpoint")
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        endpoints::all(&self.db).await.during("list the endpoints")
    }

    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        endpoints::one(&self.db, id).await.during("read an endpoint")
    }

    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError> {
        endpoints::set_state(&self.db, id, state).await.during("enable or disable an endpoint")
    }

    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError> {
        endpoints::set_secrets(&self.db, id, secrets).await.during("replace an endpoint's secrets")
    }

    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        accept::accept(&self.db, batch, at).await.during("accept events for the endpoints")
    }

    async fn claim(
        &self,
        lease: &Lease,
        skip: &[EndpointId],
        per_endpoint: u32,
        max: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        claim::claim(&self.db, lease, skip, per_endpoint, max).await.during("claim deliveries")
    }

    async fn record(&self, holder: &str, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records).await.during("record attempts")
    }

    async fn receipts(&self, records: &[AttemptRecord]) -> Result<Vec<AttemptReceipt>, StoreError> {
        settle::receipts(&self.db, records).await.during("tell attempts as receipts")
    }

    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        settle::settle(&self.db, receipts).await.during("settle receipts of webhooks")
    }

    async fn hold(&self, held: bool) -> Result<(), StoreError> {
        hold::set(&self.db, held).await.during("hold the push ledger")
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        look::next_due(&self.db).await.during("look when the next delivery is due")
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, StoreError> {
        look::deliveries(&self.db, query).await.during("list deliveries")
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), StoreError> {
        look::delivery(&self.db, id).await.during("read a delivery")
    }

    async fn redrive(&self, id: &DeliveryId, at: Timestamp) -> Result<(), StoreError> {
        record::redrive(&self.db, id, at).await.during("redrive a delivery")
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        look::journey(&self.db, article).await.during("read an article's journey through push")
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.db.ping().await.during("read the push ledger")
    }
}
