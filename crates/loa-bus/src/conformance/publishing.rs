//! Rules of publishing: what `Ok` means, where messages go, what stays the same on the way.

use super::fixture::{
    Fixture, article, consume, id, ids, ids_of, message, publish, receive, receive_nothing, settle, to_feed, wait_until,
};
use crate::{BusErrorKind, Chosen, Outgoing, Queue, Route, Settlement};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// `Ok` means on disk: it outlives the process that published.
pub async fn a_confirmed_publish_survives_the_death_of_its_process(fixture: &impl Fixture) {
    let first = fixture.bus().await;
    publish(&first, (0..10).map(article).collect()).await;
    fixture.crash(first, Vec::new()).await;
    let second = fixture.bus().await;
    for queue in Queue::ALL {
        let mut consumer = consume(&second, queue, 100).await;
        assert_eq!(ids_of(&receive(&mut consumer, 10).await), ids(0..10), "{queue}");
    }
}

/// One publish to the exchange, one copy in each bound queue, and the routing key with it.
pub async fn a_topic_reaches_every_bound_queue(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let keys = ["article.published.kinh-te", "article.withdrawn", "document.issued.thong-bao"];
    let batch = keys
        .iter()
        .enumerate()
        .map(|(n, key)| Outgoing { route: Route::Topic((*key).to_owned()), message: message(n) });
    publish(&bus, batch.collect()).await;
    for queue in Queue::ALL {
        let mut consumer = consume(&bus, queue, 10).await;
        let received = receive(&mut consumer, keys.len()).await;
        assert_eq!(received.iter().map(|r| r.routing_key.as_str()).collect::<Vec<_>>(), keys, "{queue}");
        assert!(received.iter().all(|r| !r.redelivered), "{queue}");
    }
    assert_eq!(bus.unrouted().await.unwrap(), 0);
}

/// Nothing unroutable vanishes: it is confirmed, and kept where an operator finds it.
pub async fn a_routing_key_that_no_binding_takes_is_kept_as_unrouted(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let strange = Outgoing { route: Route::Topic("articles.published".to_owned()), message: message(1) };
    publish(&bus, vec![article(0), strange, article(2)]).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    assert_eq!(ids_of(&receive(&mut consumer, 2).await), [id(0), id(2)]);
    receive_nothing(&mut consumer).await;
    wait_until("the unrouted message to be counted", async || bus.unrouted().await.unwrap() == 1).await;
}

/// A replay goes to one outlet and bothers no other.
pub async fn a_route_to_one_queue_reaches_that_queue_alone(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    for (n, queue) in Queue::ALL.into_iter().enumerate() {
        publish(&bus, vec![Outgoing { route: Route::Queue(queue), message: message(n) }]).await;
    }
    for (n, queue) in Queue::ALL.into_iter().enumerate() {
        let mut consumer = consume(&bus, queue, 10).await;
        let received = receive(&mut consumer, 1).await;
        assert_eq!((received[0].message.id.clone(), received[0].routing_key.as_str()), (id(n), ""), "{queue}");
        receive_nothing(&mut consumer).await;
    }
}

/// What a broker carries beside the body arrives as it was, Vietnamese and all.
pub async fn headers_content_type_and_id_survive(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut full = article(1);
    full.message.headers = BTreeMap::from([
        ("cloudEvents:specversion".to_owned(), "1.0".to_owned()),
        ("cloudEvents:subject".to_owned(), "Điện Biên Đông, xã Phì Nhừ".to_owned()),
        ("replay".to_owned(), String::new()),
        ("x-own".to_owned(), "x".repeat(4_000)),
    ]);
    let mut bare = article(2);
    bare.message.headers = BTreeMap::new();
    bare.message.content_type = String::new();
    publish(&bus, vec![full.clone(), bare.clone()]).await;
    let mut consumer = consume(&bus, Queue::Push, 10).await;
    let received = receive(&mut consumer, 2).await;
    assert_eq!(received[0].message, full.message);
    assert_eq!(received[1].message, bare.message);
}

/// Bytes are bytes: none is read, turned or cut; an empty body is a body.
pub async fn a_binary_body_survives(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut every_byte = to_feed(1);
    every_byte.message.body = (0..=255).collect::<Vec<u8>>().into();
    let mut empty = to_feed(2);
    empty.message.body = Vec::new().into();
    publish(&bus, vec![every_byte.clone(), empty]).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 2).await;
    assert_eq!(received[0].message.body, every_byte.message.body);
    assert!(received[1].message.body.is_empty());
}

/// The largest event of the contract passes, through the exchange and back out of the dead letters.
pub async fn a_body_of_one_mebibyte_survives(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut large = to_feed(1);
    large.message.body = (0..1024 * 1024).map(|n: u32| (n % 251) as u8).collect::<Vec<u8>>().into();
    publish(&bus, vec![large.clone()]).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 1).await;
    assert!(received[0].message.body == large.message.body, "the body arrives whole");
    let reason = crate::DeadReason { reason: "too good to be true".to_owned(), cause: None, position: String::new() };
    settle(&mut consumer, &received, Settlement::Dead(reason)).await;
    let dead = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap();
    assert!(dead[0].message.body == large.message.body, "the body is kept whole");
}

/// The bus drops no duplicates: that is the ledger's business, and a bus that tried would lose messages.
pub async fn the_same_message_published_twice_is_delivered_twice(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, vec![article(7), article(7)]).await;
    publish(&bus, vec![article(7)]).await;
    let mut consumer = consume(&bus, Queue::Digest, 10).await;
    assert_eq!(ids_of(&receive(&mut consumer, 3).await), [id(7), id(7), id(7)]);
    receive_nothing(&mut consumer).await;
}

/// One message that no broker can carry spoils nothing but itself.
pub async fn a_message_that_cannot_be_carried_is_rejected_and_its_neighbours_go_through(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut impossible = article(1);
    impossible.message.id = "x".repeat(300);
    let outcomes = bus.publish(vec![article(0), impossible, article(2)]).await;
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok(), "{outcomes:?}");
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind, BusErrorKind::Rejected);
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    assert_eq!(ids_of(&receive(&mut consumer, 2).await), [id(0), id(2)]);
}

/// No messages, no outcomes, no failure.
pub async fn an_empty_batch_is_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    assert!(bus.publish(Vec::new()).await.is_empty());
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    consumer.settle(Vec::new()).await.unwrap();
}

/// A backlog costs the same per message as an empty queue: 5,000 pass within a minute even on a busy machine.
pub async fn thousands_of_messages_pass_in_bounded_time(fixture: &impl Fixture) {
    const COUNT: usize = 5_000;
    let bus = fixture.bus().await;
    let started = Instant::now();
    for first in (0..COUNT).step_by(1_000) {
        publish(&bus, (first..first + 1_000).map(article).collect()).await;
    }
    let mut consumer = consume(&bus, Queue::Feed, 500).await;
    let mut seen = Vec::with_capacity(COUNT);
    while seen.len() < COUNT {
        let received = receive(&mut consumer, 200).await;
        seen.extend(ids_of(&received));
        settle(&mut consumer, &received, Settlement::Ack).await;
    }
    assert_eq!(seen, ids(0..COUNT));
    receive_nothing(&mut consumer).await;
    assert!(started.elapsed() < Duration::from_secs(60), "{COUNT} messages took {:?}", started.elapsed());
}

/// Many callers, one bus: each has its own answers, and every message arrives once.
pub async fn publishers_side_by_side_lose_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let publishers = (0..8).map(|publisher| {
        let bus = bus.clone();
        tokio::spawn(async move {
            for round in 0..5 {
                let first = publisher * 100 + round * 20;
                publish(&bus, (first..first + 20).map(to_feed).collect()).await;
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let mut consumer = consume(&bus, Queue::Feed, 2_000).await;
    let received = ids_of(&receive(&mut consumer, 800).await);
    assert_eq!(received.iter().cloned().collect::<BTreeSet<_>>(), ids(0..800).into_iter().collect());
    receive_nothing(&mut consumer).await;
}

/// Where nobody declared, publishing says so instead of losing the message; afterwards it works.
pub async fn publishing_without_a_topology_is_unroutable(fixture: &impl Fixture) {
    let bus = fixture.undeclared().await;
    for outgoing in [article(1), to_feed(2)] {
        let outcomes = bus.publish(vec![outgoing]).await;
        assert_eq!(outcomes[0].as_ref().unwrap_err().kind, BusErrorKind::Unroutable, "{outcomes:?}");
    }
    bus.declare().await.unwrap();
    publish(&bus, vec![article(3)]).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    assert_eq!(ids_of(&receive(&mut consumer, 1).await), [id(3)]);
}

/// A closed bus answers at once, for each message, and takes nothing.
pub async fn publishing_after_close_is_unavailable(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bus.close().await;
    bus.close().await;
    let outcomes = bus.publish(vec![article(1), article(2)]).await;
    assert_eq!(outcomes.len(), 2);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Unavailable);
    }
    let after = fixture.bus().await;
    let mut consumer = consume(&after, Queue::Feed, 10).await;
    receive_nothing(&mut consumer).await;
}
