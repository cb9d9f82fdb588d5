//! The service as it runs: consuming the real embedded bus, delivering, stopping.

use crate::stage::Stage;
use jiff::Timestamp;
use loa_bus::{Administer, Bus, Chosen, Measure, Message, Outgoing, Publish, Queue, Route};
use loa_bus_sqlite::SqliteBus;
use loa_domain::{DeliveryState, Event};
use loa_testkit::{
    build::{article, published},
    http::{HttpStandIn, Reply},
};
use loa_worker::Status;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

async fn bus(stage: &Stage) -> Arc<SqliteBus> {
    let clock = stage.clock.clone();
    let bus = SqliteBus::open(stage.folder.path().join("bus.db"), Arc::new(move || clock.now())).await.unwrap();
    bus.declare().await.unwrap();
    Arc::new(bus)
}

fn message(id: &str, body: Vec<u8>) -> Outgoing {
    let message = Message {
        id: id.into(),
        content_type: "application/cloudevents+json".into(),
        headers: Default::default(),
        body: body.into(),
    };
    Outgoing { route: Route::Queue(Queue::Push), message }
}

fn of(event: Event) -> Outgoing {
    message(&event.key.id.clone(), event.original_bytes)
}

#[tokio::test]
async fn what_is_published_is_delivered_and_what_cannot_be_read_is_kept_with_a_reason() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    let (_, secret) = stage.endpoint(&portal, "/").await;
    let bus = bus(&stage).await;
    let batch = vec![
        of(published(article("bai-1", 1))),
        message("bad", b"{ not json".to_vec()),
        of(published(article("bai-2", 1))),
    ];
    for outcome in bus.publish(batch).await {
        outcome.unwrap();
    }
    let (stop, status) = (CancellationToken::new(), Arc::new(Status::default()));
    let running = tokio::spawn({
        let (service, bus, status, stop) =
            (stage.service.clone(), bus.clone() as Arc<dyn Bus>, status.clone(), stop.clone());
        async move { service.run(bus, status, stop).await }
    });
    let requests = tokio::time::timeout(Duration::from_secs(20), portal.wait_for(2)).await.expect("both arrive");
    assert!(status.ready(), "{:?}", status.dependencies());
    stop.cancel();
    running.await.unwrap();

    assert!(requests.iter().all(|request| stage.verify(request, &secret) == Ok(())));
    assert!(
        stage.states().await.iter().all(|(_, state)| *state == DeliveryState::Delivered),
        "the stop records what ended"
    );
    let dead = bus.dead_letters(Queue::Push.into(), &Chosen::All, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].message.id, "bad");
    assert!(!dead[0].reason.reason.is_empty());
    assert_eq!(bus.depth(Queue::Push).await.unwrap(), (0, 1));
}

#[tokio::test]
async fn a_soft_stop_finishes_what_is_under_way() {
    let (stage, portal) = (Stage::new().await, HttpStandIn::start().await.unwrap());
    stage.endpoint(&portal, "/").await;
    portal.always(Reply::After(Duration::from_millis(300), Box::new(Reply::status(200))));
    let bus = bus(&stage).await;
    bus.publish(vec![of(published(article("bai-1", 1)))]).await.remove(0).unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (service, stop) = (stage.service.clone(), stop.clone());
        async move { service.run(bus, Arc::new(Status::default()), stop).await }
    });
    tokio::time::timeout(Duration::from_secs(20), portal.wait_for(1)).await.expect("it is under way");
    stop.cancel();
    running.await.unwrap();
    let (delivery, log) = stage.only().await;
    assert_eq!((delivery.state, log.len()), (DeliveryState::Delivered, 1));
    assert!(log[0].started_at <= stage.clock.now() && log[0].started_at > Timestamp::UNIX_EPOCH);
}
