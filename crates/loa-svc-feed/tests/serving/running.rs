//! The loops, over the embedded bus: consume, accept, ack, write, stop.

use crate::house::House;
use loa_bus::{Administer, Bus, Chosen, Measure, Message, Outgoing, Publish, Queue, Route};
use loa_bus_sqlite::SqliteBus;
use loa_domain::Event;
use loa_testkit::build::{article, published, withdrawn};
use loa_worker::Status;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

fn outgoing(event: &Event) -> Outgoing {
    raw(&event.key.id, &event.original_bytes)
}

fn raw(id: &str, body: &[u8]) -> Outgoing {
    Outgoing {
        route: Route::Queue(Queue::Feed),
        message: Message {
            id: id.to_owned(),
            content_type: "application/cloudevents+json".into(),
            headers: Default::default(),
            body: body.to_vec().into(),
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_published_on_the_bus_is_read_in_the_feed_and_garbage_beside_it_is_kept_as_dead() {
    let house = House::new().await;
    let folder = tempfile::tempdir().unwrap();
    let clock = house.clock.clone();
    let bus = Arc::new(SqliteBus::open(folder.path().join("bus.db"), Arc::new(move || clock.now())).await.unwrap());
    bus.declare().await.unwrap();
    assert!(house.get("/feeds/all.rss").await.ids().is_empty(), "cached before anything is published");

    let (a, b) = (published(article("a", 1)), published(article("b", 1)));
    let gone = withdrawn("b", 2);
    let batch = vec![outgoing(&gone), outgoing(&a), raw("junk", b"\xff not an event"), outgoing(&b), outgoing(&a)];
    assert!(bus.publish(batch).await.iter().all(Result::is_ok));

    let (status, stop) = (Arc::new(Status::default()), CancellationToken::new());
    let running = tokio::spawn({
        let (service, bus, status, stop) =
            (house.service.clone(), bus.clone() as Arc<dyn Bus>, status.clone(), stop.clone());
        async move { service.run(bus, status, stop).await }
    });
    let arrived = async {
        while bus.depth(Queue::Feed).await.unwrap() != (0, 1) || house.get("/feeds/all.rss").await.ids() != ["a"] {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), arrived).await.expect("the events reach the feed");
    assert!(status.ready(), "{:?}", status.dependencies());
    let dead = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap();
    assert_eq!(dead[0].message.id, "junk");
    assert!(!dead[0].reason.reason.is_empty());

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("it stops when told").unwrap();
    let house = house.restarted().await;
    assert_eq!(house.get("/feeds/all.rss").await.ids(), ["a"], "what was acked is kept");
}
