//! The WebSub hub's tables in the push ledger: topics, subscriptions, wishes, hosts.
//!
//! `wish.rs` takes in what subscribers ask for, `looks.rs` keeps what topics say, `claim.rs` hands out calls, `record.rs` writes
//! down what they came to, `sweep.rs` throws away what came to its end, `look.rs` shows. `standing.rs` is what they share.
//!
//! A subscription is claimed through its host, whose row says when one of its callbacks may be called: what a claim costs
//! depends on the hosts with something due and their room, not on how many subscriptions wait behind.

mod claim;
mod look;
mod looks;
mod record;
mod standing;
mod sweep;
mod wish;

use crate::{PushStore, fault::During};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::HubSubscriptionId;
use loa_store::{
    CallRecord, DueCall, DueTopic, HostRule, HubDue, HubLane, HubLedger, HubLimits, HubQuery, HubSubscriptionView,
    HubSweepRule, HubSwept, HubTaken, HubWish, Lease, Look, LookRule, StoreError, TopicKind,
};

#[async_trait]
impl HubLedger for PushStore {
    async fn hub_wish(&self, wish: &HubWish, limits: &HubLimits, at: Timestamp) -> Result<HubTaken, StoreError> {
        wish::take(&self.db, wish, limits, at).await.during("take in what a subscriber asks the hub for")
    }

    async fn hub_ring(&self, topics: Option<&[String]>, rule: &LookRule, at: Timestamp) -> Result<u64, StoreError> {
        looks::ring(&self.db, topics, rule, at).await.during("have the hub's topics looked at")
    }

    async fn hub_claim_topics(&self, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>, StoreError> {
        looks::claim(&self.db, kind, lease, max).await.during("claim topics of the hub")
    }

    async fn hub_record_looks(
        &self,
        holder: &str,
        looks: &[(String, Look)],
        rule: &LookRule,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        looks::record(&self.db, holder, looks, rule, at).await.during("record looks at topics of the hub")
    }

    async fn hub_claim(
        &self,
        lane: HubLane,
        lease: &Lease,
        per_host: u32,
        max: u32,
    ) -> Result<Vec<DueCall>, StoreError> {
        claim::claim(&self.db, lane, lease, per_host, max).await.during("claim calls of the hub")
    }

    async fn hub_record(&self, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records, rule).await.during("record calls of the hub")
    }

    async fn hub_next_due(&self) -> Result<HubDue, StoreError> {
        look::next_due(&self.db).await.during("look when the hub is to do something next")
    }

    async fn hub_sweep(&self, rule: &HubSweepRule, at: Timestamp) -> Result<HubSwept, StoreError> {
        sweep::sweep(&self.db, rule, at).await.during("sweep the hub")
    }

    async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, StoreError> {
        look::subscriptions(&self.db, query).await.during("list the hub's subscriptions")
    }

    async fn hub_remove(&self, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        wish::remove(&self.db, id, reason, at).await.during("remove a subscription of the hub")
    }
}
