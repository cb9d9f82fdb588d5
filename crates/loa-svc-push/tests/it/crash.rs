//! Attempts whose process dies before it records them.

use crate::stage::{Stage, config, run_until_idle};
use loa_domain::DeliveryState;
use loa_svc_push::Config;
use loa_testkit::{
    build::{article, published},
    http::HttpStandIn,
};
use std::time::Duration;

#[tokio::test]
async fn after_send_and_before_record_it_is_sent_again_under_the_same_id() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[published(article("bai-1", 1))]).await;
    let doomed = stage.another(config());
    doomed.step().await.unwrap();
    portal.wait_for(1).await;
    drop(doomed); // its result is never recorded

    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 1, "until the lease ends, it is nobody else's");
    stage.advance(60).await;
    let requests = portal.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(stage.only().await.0.state, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_result_that_comes_after_its_lease_does_not_send_what_another_delivered() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[published(article("bai-1", 1))]).await;
    let slow = stage.another(Config { total_timeout_ms: 1_000, ..config() });
    portal.script([loa_testkit::http::Reply::status(500)]);
    slow.step().await.unwrap();
    portal.wait_for(1).await;
    stage.clock.advance(Duration::from_secs(60));
    stage.run_until_idle().await;
    assert_eq!(stage.only().await.0.state, DeliveryState::Delivered);
    // only now does the slow one come to record its 500
    run_until_idle(&slow).await;
    let (delivery, log) = stage.only().await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(log.len(), 2, "the late attempt is in the log all the same: {log:?}");
    stage.advance(100_000).await;
    assert_eq!(portal.requests().len(), 2);
}

#[tokio::test]
async fn what_is_owed_outlives_a_restart() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    stage.accept(&[published(article("bai-1", 1))]).await;
    let restarted = stage.another(config());
    run_until_idle(&restarted).await;
    assert_eq!(portal.requests().len(), 1);
}
