//! What is sent, when, and how often.

use crate::stage::Stage;
use loa_domain::{AttemptError, DeliveryState, EventType};
use loa_svc_push::NewEndpoint;
use loa_testkit::{
    build::{article, published, withdrawn},
    http::{HttpStandIn, Reply},
};
use std::collections::BTreeSet;

#[tokio::test]
async fn an_event_is_delivered_once_signed_with_its_frozen_bytes() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (_, secret) = stage.endpoint(&portal, "/webhooks?from=loa").await;
    let event = published(article("bai-1", 1));
    stage.accept(std::slice::from_ref(&event)).await;
    stage.run_until_idle().await;

    let requests = portal.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/webhooks?from=loa"));
    assert_eq!(request.body, event.original_bytes);
    assert_eq!(request.header("content-type"), Some("application/cloudevents+json"));
    assert!(!request.header("webhook-id").unwrap().contains('.'));
    assert_eq!(stage.verify(request, &secret), Ok(()));
    let oracle = standardwebhooks::Webhook::new(&secret.reveal()).unwrap();
    let timestamp = request.header("webhook-timestamp").unwrap().parse().unwrap();
    let expected = oracle.sign(request.header("webhook-id").unwrap(), timestamp, &request.body).unwrap();
    assert_eq!(request.header("webhook-signature"), Some(expected.as_str()));

    let (delivery, log) = stage.only().await;
    assert_eq!((delivery.state, delivery.due_at), (DeliveryState::Delivered, None));
    assert_eq!((log.len(), log[0].status, log[0].error), (1, Some(204), None));
}

#[tokio::test]
async fn an_event_accepted_again_is_not_sent_again() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    let event = published(article("bai-1", 1));
    stage.accept(&[event.clone(), event.clone()]).await;
    stage.run_until_idle().await;
    stage.accept(&[event]).await;
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 1);
    assert_eq!(stage.deliveries().await.len(), 1);
}

#[tokio::test]
async fn each_attempt_has_the_same_bytes_and_id_and_a_fresh_timestamp_and_signature() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (_, secret) = stage.endpoint(&portal, "/").await;
    portal.script([Reply::status(500), Reply::status(503)]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    let mut verdicts = Vec::new();
    for seconds in [0, 5, 60] {
        stage.advance(seconds).await;
        verdicts.push(stage.verify(portal.requests().last().unwrap(), &secret));
    }
    assert_eq!(verdicts, [Ok(()); 3]);
    let requests = portal.requests();
    assert_eq!(requests.len(), 3);
    let all = |name: &str| requests.iter().map(|r| r.header(name).unwrap().to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(requests.iter().map(|r| r.body.clone()).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(all("webhook-id").len(), 1);
    assert_eq!(all("webhook-timestamp").len(), 3);
    assert_eq!(all("webhook-signature").len(), 3);
    assert_eq!(all("loa-attempt").into_iter().collect::<Vec<_>>(), ["1", "2", "3"]);
}

#[tokio::test]
async fn what_failed_is_tried_again_on_schedule_and_given_up_at_its_end() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    portal.always(Reply::text(500, "hỏng rồi"));
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 1);
    for (delay, made) in [(5, 2), (60, 3), (300, 4)] {
        stage.advance(delay - 1).await;
        assert_eq!(portal.requests().len(), made - 1, "not before its time");
        stage.advance(1).await;
        assert_eq!(portal.requests().len(), made);
    }
    let (delivery, log) = stage.only().await;
    assert_eq!((delivery.state, delivery.attempts, delivery.due_at), (DeliveryState::Failed, 4, None));
    assert!(
        log.iter()
            .all(|a| a.status == Some(500) && a.error == Some(AttemptError::Http) && a.words.as_str() == "hỏng rồi")
    );
    stage.advance(1_000_000).await;
    assert_eq!(portal.requests().len(), 4);
}

#[tokio::test]
async fn a_delivery_given_up_can_be_redriven_under_the_same_id() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    portal.script([Reply::status(415)]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    let (delivery, _) = stage.only().await;
    assert_eq!(delivery.state, DeliveryState::Failed, "a format not understood is not tried again");
    stage.service.redrive(&delivery.id).await.unwrap();
    stage.run_until_idle().await;
    let requests = portal.requests();
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_eq!(stage.only().await.0.state, DeliveryState::Delivered);
    assert!(stage.service.redrive(&delivery.id).await.is_err(), "what was delivered is not sent again");
}

#[tokio::test]
async fn an_endpoint_gets_only_the_types_it_wants() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let event_types = BTreeSet::from([EventType::ArticleWithdrawn]);
    let asked = NewEndpoint { url: portal.url("/"), event_types, ..NewEndpoint::default() };
    stage.service.add_endpoint(asked).await.unwrap();
    stage.accept(&[published(article("bai-1", 1)), withdrawn("bai-1", 2)]).await;
    stage.run_until_idle().await;
    let requests = portal.requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].text().contains("vn.loa.article.withdrawn.v1"));
}

#[tokio::test]
async fn an_endpoint_is_not_owed_what_was_accepted_before_it() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.endpoint(&portal, "/").await;
    stage.run_until_idle().await;
    assert!(portal.requests().is_empty());
}

#[tokio::test]
async fn while_an_endpoint_is_disabled_its_deliveries_wait() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (id, _) = stage.endpoint(&portal, "/").await;
    stage.service.disable_endpoint(&id, "bảo trì").await.unwrap();
    stage.accept(&[published(article("bai-1", 1)), published(article("bai-2", 1))]).await;
    stage.advance(100_000).await;
    assert!(portal.requests().is_empty());
    stage.service.enable_endpoint(&id).await.unwrap();
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 2);
}
