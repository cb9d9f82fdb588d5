//! The push outlet's doors that note receipts: endpoints as they change, attempts as they end.
//!
//! Nothing of the hub is noted: a subscription that a copy does not know comes back when its subscriber renews it.

use super::Notary;
use crate::{
    AttemptReceipt, AttemptRecord, Book, Deliveries, DueDelivery, Endpoints, Lease, PushLedger, Receipt, StoreError,
};
use async_trait::async_trait;
use loa_domain::{Endpoint, EndpointId, EndpointState};
use std::sync::Arc;

/// Notes what operators decide.
pub(crate) struct NotingEndpoints {
    ledger: Arc<dyn PushLedger>,
    notary: Notary,
}

impl NotingEndpoints {
    pub(crate) fn new(ledger: Arc<dyn PushLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }

    async fn note(&self, id: &EndpointId) -> Result<(), StoreError> {
        let receipts: Vec<Receipt> =
            self.ledger.endpoint(id).await?.into_iter().map(|endpoint| Receipt::Endpoint(endpoint.into())).collect();
        self.notary.note(Book::Push, &receipts).await
    }
}

#[async_trait]
impl Endpoints for NotingEndpoints {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.ledger.add_endpoint(endpoint).await?;
        self.note(&endpoint.id).await
    }

    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError> {
        self.ledger.set_endpoint_state(id, state).await?;
        self.note(id).await
    }

    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError> {
        self.ledger.set_secrets(id, secrets).await?;
        self.note(id).await
    }
}

/// Notes what was attempted, and what followed.
pub(crate) struct NotingDeliveries {
    ledger: Arc<dyn PushLedger>,
    notary: Notary,
}

impl NotingDeliveries {
    pub(crate) fn new(ledger: Arc<dyn PushLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }
}

#[async_trait]
impl Deliveries for NotingDeliveries {
    async fn claim(
        &self,
        lease: &Lease,
        skip: &[EndpointId],
        per_endpoint: u32,
        max: u32,
    ) -> Result<Vec<DueDelivery>, StoreError> {
        self.ledger.claim(lease, skip, per_endpoint, max).await
    }

    async fn record(&self, holder: &str, records: &[AttemptRecord]) -> Result<u64, StoreError> {
        let receipts: Vec<Receipt> = self.ledger.receipts(records).await?.into_iter().map(Receipt::Attempt).collect();
        self.notary.note(Book::Push, &receipts).await?;
        self.ledger.record(holder, records).await
    }

    async fn receipts(&self, records: &[AttemptRecord]) -> Result<Vec<AttemptReceipt>, StoreError> {
        self.ledger.receipts(records).await
    }
}
