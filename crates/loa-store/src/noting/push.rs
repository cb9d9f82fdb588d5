//! The push ledger that notes receipts: endpoints as they change, attempts as they end.

use super::Notary;
use crate::{
    Accepted, Attempt, AttemptReceipt, AttemptRecord, Book, CallRecord, DeliveryQuery, DeliveryView, DueCall,
    DueDelivery, DueTopic, HostRule, HubDue, HubLane, HubLedger, HubLimits, HubQuery, HubSubscriptionView,
    HubSweepRule, HubSwept, HubTaken, HubWish, Lease, Look, LookRule, PushLedger, Receipt, StoreError, TopicKind,
};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::{ArticleId, DeliveryId, Endpoint, EndpointId, EndpointState, Event, HubSubscriptionId, JourneyStep};
use std::sync::Arc;

/// A push ledger and its notary.
pub struct NotingPush {
    ledger: Arc<dyn PushLedger>,
    notary: Notary,
}

impl NotingPush {
    /// The same ledger; what it does is noted from now on.
    pub fn new(ledger: Arc<dyn PushLedger>, notary: Notary) -> Self {
        Self { ledger, notary }
    }

    async fn note_endpoint(&self, id: &EndpointId) -> Result<(), StoreError> {
        let receipts: Vec<Receipt> =
            self.ledger.endpoint(id).await?.into_iter().map(|endpoint| Receipt::Endpoint(endpoint.into())).collect();
        self.notary.note(Book::Push, &receipts).await
    }
}

#[async_trait]
impl PushLedger for NotingPush {
    async fn add_endpoint(&self, endpoint: &Endpoint) -> Result<(), StoreError> {
        self.ledger.add_endpoint(endpoint).await?;
        self.note_endpoint(&endpoint.id).await
    }

    async fn endpoints(&self) -> Result<Vec<Endpoint>, StoreError> {
        self.ledger.endpoints().await
    }

    async fn endpoint(&self, id: &EndpointId) -> Result<Option<Endpoint>, StoreError> {
        self.ledger.endpoint(id).await
    }

    async fn set_endpoint_state(&self, id: &EndpointId, state: &EndpointState) -> Result<(), StoreError> {
        self.ledger.set_endpoint_state(id, state).await?;
        self.note_endpoint(id).await
    }

    async fn set_secrets(&self, id: &EndpointId, secrets: &[Vec<u8>]) -> Result<(), StoreError> {
        self.ledger.set_secrets(id, secrets).await?;
        self.note_endpoint(id).await
    }

    async fn accept(&self, batch: &[Event], at: Timestamp) -> Result<Accepted, StoreError> {
        self.ledger.accept(batch, at).await
    }

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

    async fn settle(&self, receipts: &[Receipt]) -> Result<u64, StoreError> {
        self.ledger.settle(receipts).await
    }

    async fn hold(&self, held: bool) -> Result<(), StoreError> {
        self.ledger.hold(held).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ledger.next_due().await
    }

    async fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryView>, StoreError> {
        self.ledger.deliveries(query).await
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<(DeliveryView, Vec<Attempt>), StoreError> {
        self.ledger.delivery(id).await
    }

    async fn redrive(&self, id: &DeliveryId, at: Timestamp) -> Result<(), StoreError> {
        self.ledger.redrive(id, at).await
    }

    async fn journey(&self, article: &ArticleId) -> Result<Vec<JourneyStep>, StoreError> {
        self.ledger.journey(article).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.ledger.ping().await
    }
}

/// Nothing of the hub is noted: a subscription that a copy does not know comes back when its subscriber renews it.
#[async_trait]
impl HubLedger for NotingPush {
    async fn hub_wish(&self, wish: &HubWish, limits: &HubLimits, at: Timestamp) -> Result<HubTaken, StoreError> {
        self.ledger.hub_wish(wish, limits, at).await
    }

    async fn hub_ring(&self, topics: Option<&[String]>, rule: &LookRule, at: Timestamp) -> Result<u64, StoreError> {
        self.ledger.hub_ring(topics, rule, at).await
    }

    async fn hub_claim_topics(&self, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>, StoreError> {
        self.ledger.hub_claim_topics(kind, lease, max).await
    }

    async fn hub_record_looks(
        &self,
        holder: &str,
        looks: &[(String, Look)],
        rule: &LookRule,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        self.ledger.hub_record_looks(holder, looks, rule, at).await
    }

    async fn hub_claim(
        &self,
        lane: HubLane,
        lease: &Lease,
        per_host: u32,
        max: u32,
    ) -> Result<Vec<DueCall>, StoreError> {
        self.ledger.hub_claim(lane, lease, per_host, max).await
    }

    async fn hub_record(&self, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64, StoreError> {
        self.ledger.hub_record(holder, records, rule).await
    }

    async fn hub_next_due(&self) -> Result<HubDue, StoreError> {
        self.ledger.hub_next_due().await
    }

    async fn hub_sweep(&self, rule: &HubSweepRule, at: Timestamp) -> Result<HubSwept, StoreError> {
        self.ledger.hub_sweep(rule, at).await
    }

    async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, StoreError> {
        self.ledger.hub_subscriptions(query).await
    }

    async fn hub_remove(&self, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        self.ledger.hub_remove(id, reason, at).await
    }
}
