//! Receivers that misbehave harm nobody but themselves.

use crate::stage::{Stage, config};
use loa_domain::{AttemptError, DeliveryState, EndpointState};
use loa_svc_push::Config;
use loa_testkit::{
    build::{article, published},
    http::{HttpStandIn, Reply},
};
use loa_words::Language;
use std::time::Duration;

#[tokio::test]
async fn gone_disables_the_endpoint_and_keeps_what_it_is_owed() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (id, _) = stage.endpoint(&portal, "/").await;
    portal.script([Reply::status(410)]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    let state = stage.service.endpoint(&id).await.unwrap().state;
    assert!(matches!(state, EndpointState::Disabled { .. }), "{state:?}");
    stage.accept(&[published(article("bai-2", 1))]).await;
    stage.advance(100_000).await;
    assert_eq!(portal.requests().len(), 1);
    stage.service.enable_endpoint(&id).await.unwrap();
    stage.run_until_idle().await;
    assert!(portal.requests().last().unwrap().text().contains("bai-2"));
}

#[tokio::test]
async fn an_overrun_receiver_is_left_alone_as_long_as_it_asks() {
    let stage = Stage::with(Config { in_flight_per_endpoint_max: 1, ..config() }).await;
    let portal = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    portal.script([Reply::retry_after(429, "120")]);
    stage
        .accept(&[published(article("bai-1", 1)), published(article("bai-2", 1)), published(article("bai-3", 1))])
        .await;
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 1, "the pause holds for all its deliveries");
    stage.advance(119).await;
    assert_eq!(portal.requests().len(), 1);
    stage.advance(1).await;
    assert_eq!(portal.requests().len(), 4);
    assert!(stage.states().await.iter().all(|(_, state)| *state == DeliveryState::Delivered));
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let elsewhere = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    portal.script([Reply::redirect(&elsewhere.url("/metadata"))]);
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    assert!(elsewhere.requests().is_empty());
    let (delivery, log) = stage.only().await;
    assert_eq!((delivery.state, log[0].status), (DeliveryState::Pending, Some(308)));
    assert!(log[0].words.as_str().contains("/metadata"), "{}", log[0].words);
    let said = Language::English.words().attempt(log[0].error, log[0].status, &log[0].words);
    assert!(said.contains("not followed"), "{said}");
}

#[tokio::test]
async fn a_dead_receiver_delays_nobody_else() {
    let stage = Stage::with(Config { in_flight_max: 4, in_flight_per_endpoint_max: 2, ..config() }).await;
    let (dead, alive) = (HttpStandIn::start().await.unwrap(), HttpStandIn::start().await.unwrap());
    dead.always(Reply::Never);
    stage.endpoint(&dead, "/").await;
    stage.endpoint(&alive, "/").await;
    let events: Vec<_> = (0..10).map(|n| published(article(&format!("bai-{n}"), 1))).collect();
    stage.accept(&events).await;
    // the dead receiver's attempts stay under way all the time: nothing here waits for them
    let all_served = async {
        let mut heard = alive.listen();
        while alive.requests().len() < 10 {
            stage.service.step().await.unwrap();
            let _ = tokio::time::timeout(Duration::from_millis(20), heard.recv()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), all_served).await.expect("the living one is served meanwhile");
    assert_eq!(dead.requests().len(), 2, "its own slots and no more");
}

#[tokio::test]
async fn whatever_a_receiver_does_ends_at_the_deadline_and_is_named() {
    let stage = Stage::with(Config { total_timeout_ms: 300, ..config() }).await;
    let portal = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    let drip = Reply::Drip(Duration::from_millis(10));
    for (reply, class, state) in [
        (Reply::Never, "timeout", DeliveryState::Pending),
        (Reply::Continues, "timeout", DeliveryState::Pending),
        (Reply::Close, "protocol", DeliveryState::Pending),
        (Reply::Garbage, "protocol", DeliveryState::Pending),
        (Reply::text(500, "\u{1b}[31m\r\nInjected: yes"), "http", DeliveryState::Pending),
        (Reply::Huge(50_000_000), "", DeliveryState::Delivered),
        (drip, "", DeliveryState::Delivered), // its status has decided; only the body does not end
    ] {
        portal.script([reply.clone()]);
        let name = format!("bai-{class}-{state:?}-{}", portal.requests().len());
        stage.accept(&[published(article(&name, 1))]).await;
        stage.run_until_idle().await;
        let delivery = stage.deliveries().await.into_iter().find(|d| d.article.as_str() == name).unwrap();
        let (delivery, log) = stage.one(&delivery.id).await;
        let told = log[0].error.map_or("", AttemptError::as_str);
        assert_eq!((told, delivery.state), (class, state), "{reply:?}: {log:?}");
        let words = log[0].words.as_str();
        assert!(words.chars().count() <= 1_000 && !words.chars().any(char::is_control));
        // clear the stage: what failed must not come up again
        if state == DeliveryState::Pending {
            stage.service.redrive(&delivery.id).await.unwrap();
            stage.run_until_idle().await;
        }
    }
}

#[tokio::test]
async fn a_closed_port_is_a_failed_connection() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    portal.stop().await;
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    let (delivery, log) = stage.only().await;
    assert_eq!(
        (delivery.state, log[0].error, log[0].status),
        (DeliveryState::Pending, Some(AttemptError::Connect), None)
    );
}

#[tokio::test]
async fn a_receiver_that_keeps_failing_rests_and_one_probe_opens_the_way() {
    let stage = Stage::with(Config {
        breaker_failures: 3,
        breaker_open_seconds: 1_000,
        breaker_open_seconds_max: 10_000,
        in_flight_per_endpoint_max: 1,
        ..config()
    })
    .await;
    let portal = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    portal.always(Reply::status(500));
    let events: Vec<_> = (0..8).map(|n| published(article(&format!("bai-{n}"), 1))).collect();
    stage.accept(&events).await;
    stage.run_until_idle().await;
    assert_eq!(portal.requests().len(), 3, "three failures, then rest");
    stage.advance(999).await;
    assert_eq!(portal.requests().len(), 3);
    stage.advance(1).await;
    assert_eq!(portal.requests().len(), 4, "one probe, and rest again");
    portal.always(Reply::status(204));
    stage.advance(2_000).await;
    assert_eq!(portal.requests().len(), 12, "the probe is taken and all others follow");
    assert!(stage.states().await.iter().all(|(_, state)| *state == DeliveryState::Delivered));
}

#[tokio::test]
async fn what_only_a_person_can_mend_is_given_up_sooner() {
    let stage = Stage::with(Config { short_attempts_max: 2, ..config() }).await;
    let portal = HttpStandIn::start().await.unwrap();
    stage.endpoint(&portal, "/").await;
    portal.always(Reply::status(401));
    stage.accept(&[published(article("bai-1", 1))]).await;
    stage.run_until_idle().await;
    stage.advance(5).await;
    let (delivery, _) = stage.only().await;
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Failed, 2));
}
