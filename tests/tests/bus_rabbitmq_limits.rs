//! The bus over RabbitMQ with limits that an administrator lowered: frames too small for a message's headers, and messages
//! larger than the broker takes.
//!
//! The tests share one node, one after the other, each on a virtual host of its own. `tests/run conformance` starts them.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod broker;

use broker::{Node, shared, traffic::*};
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::{AMQPValue, FieldTable},
};
use loa_bus::{
    Administer, BusErrorKind, Chosen, Connect, Consume, Consumer, DeadReason, Health, Measure, Outgoing, Place,
    Publish, Queue, Received, Settlement,
};
use loa_bus_rabbitmq::RabbitBus;
use loa_domain::{NotCarried, StayReason};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const FEED: Place = Place::Dead(Queue::Feed);
/// What a broker that nobody changed takes.
const FRAME: usize = 131_072;
const MESSAGE: usize = 134_217_728;

/// For connections that are opened from now on.
async fn set_frame_max(node: &mut Node, bytes: usize) {
    node.eval(&format!("application:set_env(rabbit, frame_max, {bytes}).")).await;
}

/// For channels that are opened from now on.
async fn set_message_max(node: &mut Node, bytes: usize) {
    // where 3.10 reads it, and where later ones do
    let both = format!(
        "application:set_env(rabbit, max_message_size, {bytes}), persistent_term:put(max_message_size, {bytes})."
    );
    node.eval(&both).await;
}

async fn take(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Received> {
    let begun = Instant::now();
    let mut batch = Vec::new();
    while batch.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} came", batch.len());
        batch.extend(consumer.receive(count - batch.len(), Duration::from_secs(1)).await.unwrap());
    }
    batch
}

/// Sends all of these to the feed's dead letters.
async fn bury(bus: &Arc<RabbitBus>, count: usize) {
    let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
    let reason = DeadReason { reason: "no title".to_owned(), cause: None, position: "/data/title".to_owned() };
    for received in take(&mut consumer, count).await {
        consumer.settle(vec![(received.tag, Settlement::Dead(reason.clone()))]).await.unwrap();
    }
    consumer.close().await.unwrap();
    until("the dead letters", Duration::from_secs(30), async || {
        bus.depth(Queue::Feed).await.is_ok_and(|depth| depth == (0, count as u64))
    })
    .await;
}

fn large(n: usize, bytes: usize) -> Outgoing {
    let mut outgoing = to_feed(n);
    outgoing.message.body = vec![b'x'; bytes].into();
    outgoing
}

fn ids(letters: &[loa_bus::DeadLetter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.message.id.as_str()).collect()
}

/// A foreign producer may fill a whole frame with headers. With the reason beside them the letter would need a larger one,
/// and a frame that is too large ends the connection, again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_header_keeps_a_message_from_its_dead_letter_however_small_the_frames_are() {
    let mut node = shared().await;
    let root = node.url.clone();
    // lapin connects with no less than 8,192, and RabbitMQ 4 allows no less
    for (round, frame) in [8_192, FRAME].into_iter().enumerate() {
        set_frame_max(&mut node, frame).await;
        let bus = bus(&root);
        bus.declare().await.unwrap();
        let hand = Connection::connect(&root, ConnectionProperties::default()).await.unwrap();
        let channel = hand.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let mut headers = FieldTable::default();
        headers.insert("cloudEvents:id".into(), AMQPValue::LongString("e-1".into()));
        headers.insert("retries".into(), AMQPValue::LongInt(3));
        headers.insert("nested".into(), AMQPValue::FieldArray(vec![AMQPValue::Boolean(true)].into()));
        headers.insert("a-stack-trace".into(), AMQPValue::LongString("x".repeat(frame - 200).into()));
        let properties = BasicProperties::default().with_message_id("poison".into()).with_headers(headers);
        let options = BasicPublishOptions::default();
        let confirm = channel
            .basic_publish("loa.events".into(), "article.published.x".into(), options, b"the whole body", properties)
            .await
            .unwrap();
        assert!(confirm.await.unwrap().is_ack(), "frame {frame}");
        bury(&bus, 1).await;

        let first = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
        for _ in 0..3 {
            assert_eq!(bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap(), first, "frame {frame}");
        }
        let letter = &first[0];
        assert_eq!((&letter.message.body[..], letter.reason.reason.as_str()), (&b"the whole body"[..], "no title"));
        assert_eq!(letter.message.headers["cloudEvents:id"], "e-1");
        assert_eq!(
            (letter.message.headers["retries"].as_str(), letter.odd_headers["nested"]),
            ("3", loa_domain::HeaderType::Array)
        );
        assert!(letter.past.headers_left_out.contains("1 header of"), "{:?}", letter.past);
        assert!(letter.past.headers_left_out.contains("a-stack-trace"), "{:?}", letter.past);

        assert_eq!(bus.redrive(FEED, &Chosen::key(&letter.key), None).await.unwrap().moved, 1);
        let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
        let again = take(&mut consumer, 1).await;
        assert_eq!(again[0].message, letter.message, "frame {frame}");
        assert_eq!(again[0].odd_headers, letter.odd_headers);
        consumer.settle(vec![(again[0].tag, Settlement::Ack)]).await.unwrap();
        assert_eq!(bus.health(), Health::Up, "round {round}");
        for queue in [Queue::Archive, Queue::Digest, Queue::Push] {
            let mut consumer = bus.consume(queue, 10).await.unwrap();
            let other = take(&mut consumer, 1).await;
            consumer.settle(vec![(other[0].tag, Settlement::Ack)]).await.unwrap();
            consumer.close().await.unwrap();
        }
        consumer.close().await.unwrap();
        bus.close().await;
    }
    set_frame_max(&mut node, FRAME).await;
}

/// Our own headers, too: what a replay or a redrive carries is cut to the frame of its connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_we_publish_fits_the_frames_that_were_agreed_on() {
    let mut node = shared().await;
    set_frame_max(&mut node, 8_192).await;
    let bus = bus(&node.url.clone());
    bus.declare().await.unwrap();
    let mut outgoing = to_feed(1);
    outgoing.message.headers.insert("ce-id".to_owned(), "e-1".to_owned());
    outgoing.message.headers.insert("huge".to_owned(), "x".repeat(50_000));
    bus.publish(vec![to_feed(0), outgoing, to_feed(2)]).await.into_iter().for_each(|outcome| outcome.unwrap());
    let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
    let batch = take(&mut consumer, 3).await;
    assert_eq!(batch[1].message.headers, [("ce-id".to_owned(), "e-1".to_owned())].into());
    consumer.close().await.unwrap();
    bus.close().await;
    set_frame_max(&mut node, FRAME).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_larger_than_the_broker_takes_is_refused_alone_and_goes_once_the_limit_is_raised() {
    let mut node = shared().await;
    set_message_max(&mut node, 100_000).await;
    let bus = bus(&node.url.clone());
    bus.declare().await.unwrap();
    let outcomes = bus.publish(vec![to_feed(0), large(1, 100_001), to_feed(2), large(3, 100_000)]).await;
    let error = outcomes[1].as_ref().unwrap_err();
    assert_eq!((error.kind, error.cause), (BusErrorKind::Rejected, "too_large"), "{error:?}");
    assert!(error.what.contains("100001 bytes") && error.what.contains("max_message_size"), "{}", error.what);
    assert!([0, 2, 3].iter().all(|n| outcomes[*n].is_ok()), "{outcomes:?}");
    assert_eq!(bus.health(), Health::Up);

    set_message_max(&mut node, MESSAGE).await;
    until("a new channel", Duration::from_secs(10), async || bus.publish(vec![large(1, 100_001)]).await[0].is_ok())
        .await;
    bus.close().await;
}

/// The limit was lowered after a message had come: the broker moves it to the dead letters itself, and there it can be looked
/// at with its neighbours as often as one likes; only a redrive must wait until the limit is raised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_larger_than_the_broker_takes_is_kept_and_listed_and_its_neighbours_go() {
    let mut node = shared().await;
    set_message_max(&mut node, MESSAGE).await;
    let url = node.url.clone();
    let before = bus(&url);
    before.declare().await.unwrap();
    before.publish(vec![to_feed(0), large(1, 200_000), to_feed(2)]).await.into_iter().for_each(|one| one.unwrap());
    before.close().await;

    set_message_max(&mut node, 100_000).await;
    let bus = bus(&url);
    bury(&bus, 3).await;
    for _ in 0..3 {
        let letters = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
        let mut found = ids(&letters);
        found.sort_unstable();
        assert_eq!(found, ["m-00000", "m-00001", "m-00002"]);
        let large = letters.iter().find(|letter| letter.message.id == "m-00001").unwrap();
        assert_eq!(large.message.body.len(), 200_000);
    }
    let redriven = bus.redrive(FEED, &Chosen::All, None).await.unwrap();
    assert_eq!((redriven.moved, redriven.stayed), (2, 1));
    let is_too_large = |why: &StayReason| matches!(why, StayReason::NotCarried(NotCarried::TooLargeForBroker { .. }));
    assert!(is_too_large(&redriven.reasons[0].1), "{:?}", redriven.reasons);
    until("the large one", Duration::from_secs(10), async || {
        bus.depth(Queue::Feed).await.is_ok_and(|depth| depth == (2, 1))
    })
    .await;

    set_message_max(&mut node, MESSAGE).await;
    until("the limit is raised", Duration::from_secs(10), async || {
        bus.redrive(FEED, &Chosen::All, None).await.is_ok_and(|redriven| redriven.moved == 1)
    })
    .await;
    bus.close().await;
}
