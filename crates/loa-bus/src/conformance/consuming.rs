//! Rules of receiving: at least once, in order, within the prefetch, and never waiting longer than
//! asked.

use super::fixture::{
    Fixture, QUIET, article, consume, id, ids, ids_of, publish, receive, receive_nothing, settle, to_feed,
    wait_for_depth,
};
use crate::{BusErrorKind, HEARTBEAT, Outgoing, Queue, Route, Settlement, limits::BATCH_BYTES_MAX};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// At least once: a consumer that dies with messages in hand has lost none.
pub async fn what_was_not_settled_comes_back_after_a_crash(fixture: &impl Fixture) {
    let first = fixture.bus().await;
    publish(&first, (0..10).map(article).collect()).await;
    let mut consumer = consume(&first, Queue::Feed, 100).await;
    let received = receive(&mut consumer, 10).await;
    settle(&mut consumer, &received[..4], Settlement::Ack).await;
    fixture.crash(first, vec![consumer]).await;

    let second = fixture.bus().await;
    let mut consumer = consume(&second, Queue::Feed, 100).await;
    let again = receive(&mut consumer, 6).await;
    let mut came = ids_of(&again);
    came.sort();
    assert_eq!(came, ids(4..10));
    assert!(again.iter().all(|r| r.redelivered), "what may have been received before says so");
    receive_nothing(&mut consumer).await;
}

/// Dropping is enough: the next consumer of the same process has the messages, in whatever order.
pub async fn a_dropped_consumer_gives_back_what_it_had_not_settled(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..5).map(to_feed).collect()).await;
    let mut dropped = consume(&bus, Queue::Feed, 100).await;
    receive(&mut dropped, 5).await;
    drop(dropped);
    let mut next = consume(&bus, Queue::Feed, 100).await;
    let mut again = ids_of(&receive(&mut next, 5).await);
    again.sort();
    assert_eq!(again, ids(0..5));
}

/// Closing in order gives back, too, and what was settled before it stays settled.
pub async fn a_closed_consumer_gives_back_what_it_had_not_settled(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..5).map(to_feed).collect()).await;
    let mut closed = consume(&bus, Queue::Feed, 100).await;
    let received = receive(&mut closed, 5).await;
    settle(&mut closed, &received[..2], Settlement::Ack).await;
    closed.close().await.unwrap();
    let mut next = consume(&bus, Queue::Feed, 100).await;
    assert_eq!(ids_of(&receive(&mut next, 3).await), ids(2..5));
    receive_nothing(&mut next).await;
}

/// `max` bounds a batch, whatever is waiting; the rest comes with the next.
pub async fn a_batch_holds_no_more_than_was_asked_for(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..50).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let mut seen = Vec::new();
    while seen.len() < 50 {
        let batch = consumer.receive(7, Duration::from_secs(10)).await.unwrap();
        assert!((1..=7).contains(&batch.len()), "a batch of {}", batch.len());
        seen.extend(ids_of(&batch));
    }
    assert_eq!(seen, ids(0..50));
}

/// Bytes bound a batch too: twenty messages of 1 MiB come in several, each as soon as it is full; a message larger than a
/// whole batch comes alone.
pub async fn a_batch_is_full_when_its_bodies_are(fixture: &impl Fixture) {
    let sized = |n: usize, bytes: usize| {
        let mut outgoing = to_feed(n);
        outgoing.message.body = vec![0; bytes].into();
        outgoing
    };
    let bus = fixture.bus().await;
    publish(&bus, vec![sized(0, BATCH_BYTES_MAX + 1)]).await;
    publish(&bus, (1..=10).map(|n| sized(n, 1024 * 1024)).collect()).await;
    publish(&bus, (11..=20).map(|n| sized(n, 1024 * 1024)).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let mut seen = Vec::new();
    while seen.len() < 21 {
        let batch = consumer.receive(100, Duration::from_secs(10)).await.unwrap();
        let before_the_last: usize = batch.iter().rev().skip(1).map(|received| received.message.body.len()).sum();
        assert!(
            !batch.is_empty() && before_the_last < BATCH_BYTES_MAX,
            "{before_the_last} bytes, and one more was taken"
        );
        seen.extend(ids_of(&batch));
    }
    assert_eq!(seen, ids(0..21));
}

/// First in, first out, over batches and publishes.
pub async fn the_order_of_publishing_is_kept(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    for first in (0..300).step_by(30) {
        publish(&bus, (first..first + 30).map(article).collect()).await;
    }
    let mut consumer = consume(&bus, Queue::Push, 40).await;
    let mut seen = Vec::new();
    while seen.len() < 300 {
        let batch = receive(&mut consumer, 20).await;
        seen.extend(ids_of(&batch));
        settle(&mut consumer, &batch, Settlement::Ack).await;
    }
    assert_eq!(seen, ids(0..300));
}

/// A consumer in trouble holds a bounded number of messages; settling makes room for as many.
pub async fn no_more_than_the_prefetch_is_unsettled(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..30).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let mut held = receive(&mut consumer, 10).await;
    receive_nothing(&mut consumer).await;
    let settled: Vec<_> = held.drain(..4).collect();
    settle(&mut consumer, &settled, Settlement::Ack).await;
    held.extend(receive(&mut consumer, 4).await);
    receive_nothing(&mut consumer).await;
    assert_eq!(ids_of(&held), ids(4..14));
}

/// Replicas divide the work; while both live, nothing is delivered to both.
pub async fn two_consumers_share_a_queue_without_double_delivery(fixture: &impl Fixture) {
    const COUNT: usize = 200;
    let (one, other) = (fixture.bus().await, fixture.bus().await);
    publish(&one, (0..COUNT).map(to_feed).collect()).await;
    let mut consumers = [consume(&one, Queue::Feed, 10).await, consume(&other, Queue::Feed, 10).await];
    let mut shares = [Vec::new(), Vec::new()];
    let deadline = Instant::now() + Duration::from_secs(30);
    while shares[0].len() + shares[1].len() < COUNT {
        assert!(Instant::now() < deadline, "{} and {} of {COUNT}", shares[0].len(), shares[1].len());
        for (consumer, share) in consumers.iter_mut().zip(&mut shares) {
            let received = consumer.receive(10, Duration::from_millis(50)).await.unwrap();
            share.extend(ids_of(&received));
            settle(consumer, &received, Settlement::Ack).await;
        }
    }
    assert!(shares.iter().all(|share| !share.is_empty()), "both have a share");
    let all: BTreeSet<_> = shares.iter().flatten().cloned().collect();
    assert_eq!(all, ids(0..COUNT).into_iter().collect());
    assert_eq!(shares[0].len() + shares[1].len(), COUNT, "and none came twice");
}

/// Nothing waits for ever, not even for messages.
pub async fn receive_waits_no_longer_than_asked(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    for wait in [Duration::ZERO, QUIET] {
        let started = Instant::now();
        assert!(consumer.receive(10, wait).await.unwrap().is_empty());
        let waited = started.elapsed();
        assert!(
            waited >= wait.mul_f64(0.9) && waited < wait + Duration::from_secs(5),
            "asked {wait:?}, took {waited:?}"
        );
    }
}

/// A message is handed out when it comes, not when the wait ends; whoever published it, this process or another.
pub async fn a_waiting_receive_hears_of_a_publish(fixture: &impl Fixture) {
    let (ours, others) = (fixture.bus().await, fixture.bus().await);
    let mut consumer = consume(&ours, Queue::Feed, 10).await;
    for (n, publisher) in [ours.clone(), others].into_iter().enumerate() {
        let started = Instant::now();
        let (received, ()) = tokio::join!(consumer.receive(10, Duration::from_secs(30)), async {
            tokio::time::sleep(QUIET).await; // let the receive begin to wait
            publish(&publisher, vec![to_feed(n)]).await;
        });
        assert_eq!(ids_of(&received.unwrap()), [id(n)]);
        assert!(started.elapsed() < Duration::from_secs(15), "heard only after {:?}", started.elapsed());
    }
}

/// A `receive` may be dropped at any moment, as `select!` does; the message goes to the next one.
pub async fn a_cancelled_receive_loses_nothing(fixture: &impl Fixture) {
    const COUNT: usize = 60;
    let bus = fixture.bus().await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let mut seen = Vec::new();
    for n in 0..COUNT {
        publish(&bus, vec![to_feed(n)]).await;
        let patience = Duration::from_micros(150 * n as u64);
        if let Ok(received) = tokio::time::timeout(patience, consumer.receive(10, Duration::from_secs(1))).await {
            seen.extend(ids_of(&received.unwrap()));
        }
    }
    let rest = COUNT - seen.len();
    seen.extend(ids_of(&receive(&mut consumer, rest).await));
    assert_eq!(seen, ids(0..COUNT), "each once and in order");
    receive_nothing(&mut consumer).await;
}

/// The synthetic message that proves the whole path arrives everywhere, and says what it is.
pub async fn a_heartbeat_reaches_every_queue(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut heartbeat = Outgoing { route: Route::Topic("system.heartbeat".to_owned()), ..article(1) };
    heartbeat.message.content_type = HEARTBEAT.to_owned();
    publish(&bus, vec![heartbeat]).await;
    for queue in Queue::ALL {
        let mut consumer = consume(&bus, queue, 10).await;
        assert_eq!(receive(&mut consumer, 1).await[0].message.content_type, HEARTBEAT, "{queue}");
    }
}

/// A soft stop in the middle of work: what was settled is done, the rest is there for the next process. In which order it
/// comes is not promised: the stopped consumer's prefetch had taken some of it, and a broker gives back as it likes.
pub async fn a_consumer_that_stops_leaves_the_rest_to_the_next(fixture: &impl Fixture) {
    let first = fixture.bus().await;
    publish(&first, (0..40).map(to_feed).collect()).await;
    let mut consumer = consume(&first, Queue::Feed, 20).await;
    let received = receive(&mut consumer, 15).await;
    settle(&mut consumer, &received, Settlement::Ack).await;
    consumer.close().await.unwrap();
    first.close().await;

    let second = fixture.bus().await;
    wait_for_depth(&second, Queue::Feed, (25, 0)).await;
    let mut consumer = consume(&second, Queue::Feed, 100).await;
    let mut rest = ids_of(&receive(&mut consumer, 25).await);
    rest.sort();
    assert_eq!(rest, ids(15..40));
    receive_nothing(&mut consumer).await;
}

/// A service that starts before `loa migrate` is told what is missing.
pub async fn consuming_a_missing_queue_is_unroutable(fixture: &impl Fixture) {
    let bus = fixture.undeclared().await;
    let error = bus.consume(Queue::Digest, 10).await.err().expect("there is nothing to consume");
    assert_eq!(error.kind, BusErrorKind::Unroutable);
    assert!(error.what.contains("loa.digest"), "{}", error.what);
}

/// A closed bus opens no consumers, and ends those it has opened.
pub async fn consuming_after_close_is_unavailable(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let mut open = consume(&bus, Queue::Feed, 10).await;
    bus.close().await;
    let ended = open.receive(10, Duration::from_secs(5)).await;
    assert_eq!(ended.unwrap_err().kind, BusErrorKind::Unavailable);
    let refused = bus.consume(Queue::Feed, 10).await.err().expect("a closed bus opens nothing");
    assert_eq!(refused.kind, BusErrorKind::Unavailable);
}
