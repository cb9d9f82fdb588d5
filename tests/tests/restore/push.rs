//! Restoring the push ledger: no second webhook, nothing owed forgotten, endpoints as they stood.

use crate::town::Town;
use loa_domain::{EndpointId, EndpointState};
use loa_svc_push::NewEndpoint;
use loa_testkit::{
    build::{article, published, withdrawn},
    http::Reply,
};

async fn endpoint(town: &Town, path: &str) -> EndpointId {
    let wish = NewEndpoint { url: town.portal.url(path), ..NewEndpoint::default() };
    let added = town.push.add_endpoint(wish).await.unwrap();
    town.wind(1);
    added.endpoint.id
}

/// One endpoint that has one article; then the copy.
async fn thursday() -> Town {
    let town = Town::new().await;
    endpoint(&town, "/tinh").await;
    town.publish(published(article("bai-1", 1))).await;
    town.come_to_rest().await;
    assert_eq!(town.portal.requests().len(), 1);
    town.copy("push").await;
    town
}

fn ids(town: &Town) -> Vec<String> {
    town.portal.requests().iter().map(|request| request.header("webhook-id").unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn a_restored_ledger_is_equal_to_the_lost_one() {
    let mut town = thursday().await;
    endpoint(&town, "/so").await;
    town.publish(published(article("bai-2", 1))).await;
    town.come_to_rest().await;
    town.publish(published(article("bai-1", 2))).await;
    town.publish(withdrawn("bai-2", 2)).await;
    town.come_to_rest().await;
    // the portal is away: two attempts each, and a third is due later
    town.portal.always(Reply::status(503));
    town.publish(published(article("bai-3", 1))).await;
    town.come_to_rest().await;
    town.wind(10);
    town.come_to_rest().await;
    let articles = ["bai-1", "bai-2", "bai-3"];
    let (lost, journeys, sent) =
        (town.deliveries().await, town.journeys("push", &articles).await, town.portal.requests().len());

    let restored = town.lose_and_restore("push").await;
    assert_eq!(restored.events, 4);
    assert_eq!(town.deliveries().await, lost);
    assert_eq!(town.journeys("push", &articles).await, journeys);
    town.come_to_rest().await;
    assert_eq!(town.portal.requests().len(), sent, "no second webhook");

    town.portal.always(Reply::status(204));
    town.wind(1_000);
    town.come_to_rest().await;
    let mut last = ids(&town).split_off(sent);
    last.sort();
    last.dedup();
    assert_eq!((last.len(), town.portal.requests().len()), (1, sent + 2), "what was owed, to both, under its own id");
}

#[tokio::test]
async fn what_was_accepted_since_the_copy_and_not_sent_is_sent() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    town.lose_and_restore("push").await;
    town.come_to_rest().await;
    town.wind(100_000);
    town.come_to_rest().await;
    assert_eq!(town.portal.requests().len(), 2);
}

#[tokio::test]
async fn an_endpoint_disabled_since_the_copy_is_left_alone() {
    let mut town = thursday().await;
    town.portal.always(Reply::status(410));
    town.publish(published(article("bai-2", 1))).await;
    town.come_to_rest().await;
    town.portal.always(Reply::status(204));
    let sent = town.portal.requests().len();
    let before = town.push_ledger.endpoints().await.unwrap();
    town.lose_and_restore("push").await;
    assert_eq!(town.push_ledger.endpoints().await.unwrap(), before);
    assert!(matches!(before[0].state, EndpointState::Disabled { .. }));
    town.publish(published(article("bai-3", 1))).await;
    town.come_to_rest().await;
    assert_eq!(town.portal.requests().len(), sent, "no attempt beyond 410");
}

#[tokio::test]
async fn a_secret_rotated_since_the_copy_signs() {
    let mut town = thursday().await;
    let id = town.push_ledger.endpoints().await.unwrap()[0].id.clone();
    town.push.rotate_secret(&id, false).await.unwrap();
    let before = town.push_ledger.endpoint(&id).await.unwrap();
    town.lose_and_restore("push").await;
    assert_eq!(town.push_ledger.endpoint(&id).await.unwrap(), before);
}

#[tokio::test]
async fn a_ledger_restored_twice_is_as_equal_as_one_restored_once() {
    let mut town = thursday().await;
    town.publish(published(article("bai-2", 1))).await;
    town.come_to_rest().await;
    town.lose_and_restore("push").await;
    // a life after the first loss, and a second loss
    town.publish(published(article("bai-2", 2))).await;
    town.come_to_rest().await;
    let (lost, sent) = (town.deliveries().await, town.portal.requests().len());
    town.lose_and_restore("push").await;
    assert_eq!(town.deliveries().await, lost);
    town.wind(100_000);
    town.come_to_rest().await;
    assert_eq!(town.portal.requests().len(), sent);
}
