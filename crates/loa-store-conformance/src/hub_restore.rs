//! The hub's tables stand in the push ledger's place: while that is being restored, nothing of the hub goes out.

use crate::{
    LedgerPlace,
    build::lease,
    hub::{ask, request},
};
use loa_store::{CallClass, StoreErrorKind, TopicKind};

pub async fn while_the_push_ledger_is_restored_the_hub_claims_nothing(place: &impl LedgerPlace) {
    let (push, hub) = (place.push().await, place.hub().await);
    ask(&*hub, &request("a.example", "cb"), 0).await;
    push.set_restoring(true).await.unwrap();
    let topics = hub.hub_claim_topics(TopicKind::Feed, &lease("x", 0), 10).await.unwrap_err();
    let calls = hub.hub_claim(CallClass::Requests, &lease("x", 0), 1, 10).await.unwrap_err();
    assert_eq!((topics.kind, calls.kind), (StoreErrorKind::Unavailable, StoreErrorKind::Unavailable));
    push.set_restoring(false).await.unwrap();
    assert_eq!(hub.hub_claim_topics(TopicKind::Feed, &lease("x", 0), 10).await.unwrap().len(), 1);
}
