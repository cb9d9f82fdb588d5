//! The WebSub hub's tables in the push ledger: topics, subscriptions, requests, hosts.
//!
//! `request.rs` takes in what subscribers ask for, `topics.rs` keeps what topics say, `claim.rs` hands out calls, `record.rs` writes
//! down what they came to, `clean_up.rs` throws away what came to its end, `list.rs` shows. `standing.rs` is what they share.
//!
//! A subscription is claimed through its host, whose row says when one of its callbacks may be called: what a claim costs
//! depends on the hosts with something due and their room, not on how many subscriptions wait behind.

mod claim;
mod clean_up;
mod list;
mod record;
mod request;
mod standing;
mod topics;

use crate::{PushStore, db::During};
use async_trait::async_trait;
use jiff::Timestamp;
use loa_domain::HubSubscriptionId;
use loa_store::{
    CallClass, CallRecord, DueCall, DueTopic, FetchOutcome, FetchRule, HostRule, HubCleanUpRule, HubCleanedUp, HubDue,
    HubLedger, HubLimits, HubQuery, HubSubscriptionRequest, HubSubscriptionView, HubTaken, Lease, StoreError,
    TopicKind,
};

#[async_trait]
impl HubLedger for PushStore {
    async fn hub_request(
        &self,
        request: &HubSubscriptionRequest,
        limits: &HubLimits,
        at: Timestamp,
    ) -> Result<HubTaken, StoreError> {
        request::take_in(&self.db, request, limits, at)
            .await
            .during("take in what a subscriber asks the hub for", &self.db)
    }

    async fn hub_fetch_soon(
        &self,
        topics: Option<&[String]>,
        rule: &FetchRule,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        topics::fetch_soon(&self.db, topics, rule, at).await.during("have the hub's topics fetched", &self.db)
    }

    async fn hub_claim_topics(&self, kind: TopicKind, lease: &Lease, max: u32) -> Result<Vec<DueTopic>, StoreError> {
        topics::claim(&self.db, kind, lease, max).await.during("claim topics of the hub", &self.db)
    }

    async fn hub_record_fetches(
        &self,
        holder: &str,
        fetches: &[(String, FetchOutcome)],
        rule: &FetchRule,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        topics::record(&self.db, holder, fetches, rule, at)
            .await
            .during("record fetches of topics of the hub", &self.db)
    }

    async fn hub_claim(
        &self,
        call_class: CallClass,
        lease: &Lease,
        per_host: u32,
        max: u32,
    ) -> Result<Vec<DueCall>, StoreError> {
        claim::claim(&self.db, call_class, lease, per_host, max).await.during("claim calls of the hub", &self.db)
    }

    async fn hub_record(&self, holder: &str, records: &[CallRecord], rule: &HostRule) -> Result<u64, StoreError> {
        record::record(&self.db, holder, records, rule).await.during("record calls of the hub", &self.db)
    }

    async fn hub_next_due(&self) -> Result<HubDue, StoreError> {
        list::next_due(&self.db).await.during("look when the hub is to do something next", &self.db)
    }

    async fn hub_clean_up(&self, rule: &HubCleanUpRule, at: Timestamp) -> Result<HubCleanedUp, StoreError> {
        clean_up::clean_up(&self.db, rule, at).await.during("clean up the hub", &self.db)
    }

    async fn hub_subscriptions(&self, query: &HubQuery) -> Result<Vec<HubSubscriptionView>, StoreError> {
        list::subscriptions(&self.db, query).await.during("list the hub's subscriptions", &self.db)
    }

    async fn hub_remove(&self, id: &HubSubscriptionId, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        request::remove(&self.db, id, reason, at).await.during("remove a subscription of the hub", &self.db)
    }
}
