//! The bus over RabbitMQ while the broker is absent, killed, starved, or robbed of a queue. Each test has a node of its own
//! and ends it. Started by `tests/run conformance`.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod broker;

use broker::Node;
use lapin::{Connection, ConnectionProperties, options::QueueDeleteOptions};
use loa_bus::{
    Administer, BusErrorKind, Consume, DeadReason, Health, Message, Outgoing, Publish, Queue, Route, Settlement,
};
use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// The bus of a node, with short waits: outages are many here.
fn bus(url: &str) -> Arc<RabbitBus> {
    let config = RabbitConfig {
        confirm_timeout: Duration::from_secs(4),
        connect_timeout: Duration::from_secs(4),
        reconnect_max: Duration::from_millis(500),
        heartbeat: Duration::from_secs(2),
        ..RabbitConfig::new(url)
    };
    Arc::new(RabbitBus::connect(config, broker::clock(), broker::random()).unwrap())
}

async fn until(what: &str, patience: Duration, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < patience, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_up(bus: &RabbitBus) {
    until("the broker to be reached", Duration::from_secs(60), async || bus.health() == Health::Up).await;
}

fn to_feed(n: usize) -> Outgoing {
    let message = Message {
        id: format!("m-{n:05}"),
        content_type: String::new(),
        headers: BTreeMap::new(),
        body: format!("bản tin {n}").into(),
    };
    Outgoing { route: Route::Queue(Queue::Feed), message }
}

fn ids(count: usize) -> BTreeSet<String> {
    (0..count).map(|n| format!("m-{n:05}")).collect()
}

/// Publishes messages of a range, each again until it is confirmed; what a relay with an outbox does.
async fn publish_for_sure(bus: Arc<RabbitBus>, range: std::ops::Range<usize>) {
    let mut left: Vec<usize> = range.collect();
    let begun = Instant::now();
    while !left.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(150), "{} messages were never confirmed", left.len());
        let now: Vec<usize> = left.iter().copied().take(50).collect();
        let outcomes = bus.publish(now.iter().map(|n| to_feed(*n)).collect()).await;
        let confirmed: BTreeSet<usize> =
            now.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok()).map(|(n, _)| *n).collect();
        left.retain(|n| !confirmed.contains(n));
        tokio::time::sleep(Duration::from_millis(if confirmed.is_empty() { 100 } else { 10 })).await;
    }
}

/// Consumes until `count` different messages have been seen and acked; opens the consumer again whenever it ends, as the
/// consuming loop of the services does. Returns how often a session was opened.
async fn consume_for_sure(bus: Arc<RabbitBus>, count: usize) -> usize {
    let mut seen = BTreeSet::new();
    let mut sessions = 0;
    let begun = Instant::now();
    while seen.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(180), "{} of {count} messages came", seen.len());
        let Ok(mut consumer) = bus.consume(Queue::Feed, 100).await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        sessions += 1;
        while seen.len() < count {
            let Ok(batch) = consumer.receive(50, Duration::from_millis(500)).await else { break };
            seen.extend(batch.iter().map(|r| r.message.id.clone()));
            let decisions = batch.iter().map(|r| (r.tag, Settlement::Ack)).collect();
            if consumer.settle(decisions).await.is_err() {
                break;
            }
        }
    }
    assert_eq!(seen, ids(count));
    sessions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_confirmed_is_lost_when_the_broker_is_killed_under_load() {
    const COUNT: usize = 4_000;
    let mut node = Node::started().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    let publishing = tokio::spawn(publish_for_sure(bus.clone(), 0..COUNT));
    let consuming = tokio::spawn(consume_for_sure(bus.clone(), COUNT));
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        node.kill().await;
        until("the loss to be noticed", Duration::from_secs(10), async || matches!(bus.health(), Health::Down(_)))
            .await;
        node.start().await;
        until_up(&bus).await;
    }
    publishing.await.unwrap();
    assert!(consuming.await.unwrap() > 1, "the consumer was cut off at least once");
    until("the queue to be empty", Duration::from_secs(10), async || {
        bus.depth(Queue::Feed).await.is_ok_and(|depth| depth == (0, 0))
    })
    .await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_absent_at_start_is_found_when_it_comes() {
    let mut node = Node::new().await;
    let bus = bus(&node.url);
    until("the absence to be reported", Duration::from_secs(10), async || matches!(bus.health(), Health::Down(_)))
        .await;
    let begun = Instant::now();
    let outcome = bus.publish(vec![to_feed(0)]).await.remove(0);
    assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Unavailable);
    assert_eq!(bus.consume(Queue::Feed, 10).await.err().unwrap().kind, BusErrorKind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(9), "an absent broker is told within the deadline");
    node.start().await;
    until_up(&bus).await;
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..1).await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_missing_vhost_are_refusals_and_not_outages() {
    let mut node = Node::started().await;
    let password = node.url.split([':', '@']).nth(2).unwrap().to_owned();
    for wrong in [node.url.replace(&password, "wrong"), node.url.replace("%2f", "nowhere")] {
        let bus = bus(&wrong);
        let outcome = bus.publish(vec![to_feed(0)]).await.remove(0);
        assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Refused);
        assert_eq!(bus.check().await.unwrap_err().kind, BusErrorKind::Refused);
        let Health::Down(why) = bus.health() else { panic!("{:?}", bus.health()) };
        assert!(!why.contains(&password) && !why.contains("wrong"), "no secret in {why}");
        bus.close().await;
    }
    // mended by the operator: the same process gets in without being started again
    node.ctl("add_user late secret").await;
    let late = bus(&node.url.replace(&password, "other").replace("loa:", "late:"));
    until("the refusal", Duration::from_secs(10), async || matches!(late.health(), Health::Down(_))).await;
    node.ctl("change_password late other").await;
    node.ctl("set_permissions late .* .* .*").await;
    until_up(&late).await;
    late.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_deleted_under_load_ends_the_consumer_and_refuses_publishes_until_it_is_declared_again() {
    let node = Node::started().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..100).await;
    let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
    assert!(!consumer.receive(5, Duration::from_secs(10)).await.unwrap().is_empty());

    let hand = Connection::connect(&node.url, ConnectionProperties::default()).await.unwrap();
    let channel = hand.create_channel().await.unwrap();
    channel.queue_delete(Queue::Feed.name().into(), QueueDeleteOptions::default()).await.unwrap();

    let ended = async {
        loop {
            if let Err(error) = consumer.receive(100, Duration::from_millis(200)).await {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the end is told");
    assert!(matches!(error.kind, BusErrorKind::Unavailable | BusErrorKind::Unroutable), "{error:?}");
    assert_eq!(bus.consume(Queue::Feed, 10).await.err().unwrap().kind, BusErrorKind::Unroutable);
    let missing = bus.check().await.unwrap_err();
    assert!(missing.what.contains("loa.feed"), "{}", missing.what);
    let outcomes = bus.publish((0..300).map(to_feed).collect()).await;
    assert!(
        outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(|e| e.kind == BusErrorKind::Unroutable)),
        "not one of them is taken for delivered"
    );
    assert_eq!(bus.health(), Health::Up, "the connection has no part in it");

    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..100).await;
    assert_eq!(consume_for_sure(bus.clone(), 100).await, 1);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returned_messages_are_told_from_their_delivered_neighbours() {
    let node = Node::started().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    let hand = Connection::connect(&node.url, ConnectionProperties::default()).await.unwrap();
    let channel = hand.create_channel().await.unwrap();
    channel.queue_delete(Queue::Push.name().into(), QueueDeleteOptions::default()).await.unwrap();
    // lapin mixes up a few in a thousand: enough of them that a bus that trusted its pairing would be caught
    for round in 0..10 {
        let batch: Vec<_> = (0..500)
            .map(|n| {
                let mut outgoing = to_feed(round * 500 + n);
                if n % 2 == 0 {
                    outgoing.route = Route::Queue(Queue::Push);
                }
                outgoing
            })
            .collect();
        for (n, outcome) in bus.publish(batch).await.into_iter().enumerate() {
            match outcome {
                Ok(()) => assert!(n % 2 != 0, "round {round}: message {n} had no queue and was taken for delivered"),
                Err(error) => {
                    assert!(n % 2 == 0, "round {round}: message {n} was delivered and taken for lost: {error:?}");
                    assert_eq!(error.kind, BusErrorKind::Unroutable);
                }
            }
        }
    }
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_alarm_blocks_publishing_is_told_and_passes_while_consuming_goes_on() {
    let mut node = Node::started().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..20).await;
    let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
    node.ctl("set_vm_memory_high_watermark 0.0000001").await;

    let begun = Instant::now();
    let outcome = bus.publish(vec![to_feed(20)]).await.remove(0);
    assert!(begun.elapsed() < Duration::from_secs(6), "an alarm is told within the deadline");
    assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Blocked);
    until("the alarm to show", Duration::from_secs(5), async || matches!(bus.health(), Health::Blocked(_))).await;
    let begun = Instant::now();
    assert_eq!(bus.publish(vec![to_feed(20)]).await.remove(0).unwrap_err().kind, BusErrorKind::Blocked);
    assert!(begun.elapsed() < Duration::from_secs(1), "once known, it is told at once");

    // consuming, acking and giving back go on; a dead letter waits for the alarm to pass instead of ending the consumer
    let mut batch = Vec::new();
    while batch.len() < 20 {
        batch.extend(consumer.receive(20, Duration::from_secs(5)).await.unwrap());
    }
    let reason = DeadReason { reason: "no title".to_owned(), position: "/data/title".to_owned() };
    let decisions = batch
        .iter()
        .enumerate()
        .map(|(n, r)| (r.tag, if n == 3 { Settlement::Dead(reason.clone()) } else { Settlement::Ack }))
        .collect();
    let settling = tokio::spawn(async move {
        consumer.settle(decisions).await.unwrap();
        consumer
    });
    until("the acks to be heard", Duration::from_secs(10), async || bus.depth(Queue::Feed).await.unwrap().0 == 0).await;
    assert!(!settling.is_finished(), "the dead letter cannot be published yet");

    node.ctl("set_vm_memory_high_watermark 0.6").await;
    until_up(&bus).await;
    let consumer = tokio::time::timeout(Duration::from_secs(10), settling).await.expect("it is settled now").unwrap();
    let dead = bus.dead_letters(Queue::Feed, 10).await.unwrap();
    assert_eq!(dead[0].message, to_feed(3).message);
    assert_eq!(dead[0].reason, reason);
    publish_for_sure(bus.clone(), 20..21).await;
    consumer.close().await.unwrap();
    bus.close().await;
}
