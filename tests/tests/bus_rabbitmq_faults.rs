//! The bus over RabbitMQ while the broker is frozen, cut off, starved, robbed of a queue, or
//! refuses us.
//!
//! The tests share one node, one after the other, each on a virtual host of its own. `tests/run
//! conformance` starts them.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod broker;

use broker::{
    proxy::{Line, Proxy},
    shared,
    traffic::{self, *},
};
use lapin::{
    Connection, ConnectionProperties,
    options::{QueueDeclareOptions, QueueDeleteOptions},
};
use loa_bus::{
    Administer, BusErrorKind, Chosen, Connect, Consume, Consumer, DeadReason, Health, Measure, Publish, Queue,
    Received, Route, Settlement,
};
use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// The sum of a metric's series that have these labels, as `/metrics` would show them.
fn counted(name: &str, labels: &[(&str, &str)]) -> f64 {
    let of_interest = |line: &&str| {
        line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|(key, value)| line.contains(&format!("{key}=\"{value}\"")))
    };
    measured()
        .render()
        .lines()
        .filter(of_interest)
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

/// Where this process's metrics are kept. They are counted over all tests of this file: look at differences.
fn measured() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| PrometheusBuilder::new().install_recorder().unwrap())
}

/// A bus whose doings are measured from the first on.
fn bus(url: &str) -> Arc<RabbitBus> {
    measured();
    traffic::bus(url)
}

/// Receives exactly so many.
async fn take(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Received> {
    let begun = Instant::now();
    let mut batch = Vec::new();
    while batch.len() < count {
        assert!(begun.elapsed() < Duration::from_secs(30), "{} of {count} came", batch.len());
        batch.extend(consumer.receive(count - batch.len(), Duration::from_secs(1)).await.unwrap());
    }
    batch
}

/// Receives until the consumer ends; how it did.
async fn end_of(consumer: &mut Box<dyn Consumer>, patience: Duration) -> loa_bus::BusError {
    let ending = async {
        loop {
            if let Err(error) = consumer.receive(100, Duration::from_millis(200)).await {
                return error;
            }
        }
    };
    tokio::time::timeout(patience, ending).await.expect("the end is told")
}

/// Threads in which lapin reads connections.
fn reading_threads() -> usize {
    let name = |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.ok()?.path().join("comm")).ok();
    std::fs::read_dir("/proc/self/task").unwrap().filter_map(name).filter(|name| name.trim() == "lapin-io-loop").count()
}

/// A bus that gives up soon.
fn impatient(url: &str) -> Arc<RabbitBus> {
    let config = RabbitConfig {
        confirm_timeout: Duration::from_secs(2),
        connect_timeout: Duration::from_millis(500),
        reconnect_max: Duration::from_millis(200),
        heartbeat: Duration::from_secs(1),
        ..RabbitConfig::new(url)
    };
    measured();
    Arc::new(RabbitBus::connect(config, broker::clock(), broker::random()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_and_a_missing_vhost_are_refusals_and_not_outages() {
    let node = shared().await;
    let password = node.url.split([':', '@']).nth(2).unwrap().to_owned();
    for wrong in [node.url.replace(&password, "wrong"), node.url.replace(&node.vhost, "nowhere")] {
        let bus = bus(&wrong);
        let outcome = bus.publish(vec![to_feed(0)]).await.remove(0);
        assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Refused);
        assert_eq!(bus.check().await.unwrap_err().kind, BusErrorKind::Refused);
        let Health::Refused(why) = bus.health() else { panic!("{:?}", bus.health()) };
        let why = format!("{why:?}");
        assert!(!why.contains(&password) && !why.contains("wrong"), "no secret in {why}");
        assert_eq!(bus.takes().unwrap_err().kind, BusErrorKind::Refused);
        let tries = counted("loa_bus_connect_failures_total", &[]);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let more = counted("loa_bus_connect_failures_total", &[]) - tries;
        assert!(more <= 16.0, "{more} tries in two seconds on two connections: it spins");
        bus.close().await;
    }
    // mended by the operator: the same process gets in without being started again
    node.add_user("late", "secret").await;
    let late = bus(&node.url.replace(&password, "other").replace("loa:", "late:"));
    until("the refusal", Duration::from_secs(10), async || matches!(late.health(), Health::Refused(_))).await;
    node.add_user("late", "other").await;
    until_up(&late).await;
    late.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_deleted_under_load_ends_the_consumer_and_refuses_publishes_until_it_is_declared_again() {
    let node = shared().await;
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
    assert_eq!((error.kind, error.cause), (BusErrorKind::Unavailable, "cancelled"), "{error:?}");
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

/// A console page and a command at the same time: each takes some from the others, and copies of copies come about.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_walk_through_dead_letters_at_once_lose_none() {
    let node = shared().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..60).await;
    let mut consumer = bus.consume(Queue::Feed, 60).await.unwrap();
    let reason = DeadReason { reason: "bad".into(), cause: None, position: "/x".into() };
    let taken = take(&mut consumer, 60).await;
    consumer.settle(taken.iter().map(|one| (one.tag, Settlement::Dead(reason.clone()))).collect()).await.unwrap();
    consumer.close().await.unwrap();
    let gone = ids(5);
    let mut walks = tokio::task::JoinSet::new();
    for walker in 0..5 {
        let (bus, gone) = (bus.clone(), gone.clone());
        walks.spawn(async move {
            for _ in 0..8 {
                if walker == 0 {
                    bus.discard(Queue::Feed.into(), &Chosen::Ids(gone.clone())).await.unwrap();
                } else {
                    bus.dead_letters(Queue::Feed.into(), &Chosen::All, 100).await.unwrap();
                }
            }
        });
    }
    while let Some(ended) = walks.join_next().await {
        ended.unwrap();
    }
    bus.discard(Queue::Feed.into(), &Chosen::Ids(gone.clone())).await.unwrap();
    until("all others to be there, each once", Duration::from_secs(20), async || {
        let left = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 100).await.unwrap();
        let found: BTreeSet<String> = left.iter().map(|letter| letter.message.id.clone()).collect();
        left.len() == 55 && found == &ids(60) - &gone
    })
    .await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn looking_at_dead_letters_is_no_delivery_whatever_a_policy_says() {
    let mut node = shared().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    let policy = format!(r#"set_policy -p {} looked .* {{"delivery-limit":1}} --apply-to queues"#, node.vhost);
    node.ctl(&policy).await;
    publish_for_sure(bus.clone(), 0..20).await;
    let mut consumer = bus.consume(Queue::Feed, 20).await.unwrap();
    let taken = take(&mut consumer, 20).await;
    let dead = |received: &Received| {
        (received.tag, Settlement::Dead(DeadReason { reason: "bad".into(), cause: None, position: "/x".into() }))
    };
    consumer.settle(taken.iter().map(dead).collect()).await.unwrap();
    consumer.close().await.unwrap();
    let ids = |letters: &[loa_bus::DeadLetter]| letters.iter().map(|one| one.message.id.clone()).collect::<Vec<_>>();
    let first = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 100).await.unwrap();
    assert_eq!(first.len(), 20);
    for round in 0..10 {
        assert_eq!(bus.dead_letters(Queue::Feed.into(), &Chosen::All, 100).await.unwrap(), first, "round {round}");
        assert_eq!(
            ids(&bus.dead_letters(Queue::Feed.into(), &Chosen::All, 5).await.unwrap()),
            ids(&first[..5]),
            "round {round}"
        );
    }
    // those that are not meant are gone through as well
    for letter in &first[..5] {
        let discarded = bus.discard(Queue::Feed.into(), &Chosen::key(&letter.key)).await.unwrap();
        assert_eq!(discarded.letters.len(), 1);
    }
    for letter in &first[5..10] {
        let redriven = bus.redrive(Queue::Feed.into(), &Chosen::key(&letter.key), None).await.unwrap();
        assert_eq!(redriven.moved, 1);
    }
    assert_eq!(ids(&bus.dead_letters(Queue::Feed.into(), &Chosen::All, 100).await.unwrap()), ids(&first[10..]));
    bus.close().await;
}

/// A hand that imports definitions, say. Some brokers tell the old consumer nothing then, and give it what never comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_made_anew_at_once_under_an_idle_consumer_is_consumed_again() {
    let node = shared().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    for count in [3, 200] {
        let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
        publish_for_sure(bus.clone(), 0..1).await;
        let first = take(&mut consumer, 1).await;
        consumer.settle(vec![(first[0].tag, Settlement::Ack)]).await.unwrap();
        let hand = Connection::connect(&node.url, ConnectionProperties::default()).await.unwrap();
        let channel = hand.create_channel().await.unwrap();
        channel.queue_delete(Queue::Feed.name().into(), QueueDeleteOptions::default()).await.unwrap();
        bus.declare().await.unwrap();
        publish_for_sure(bus.clone(), 0..count).await;
        let mut seen = BTreeSet::new();
        let begun = Instant::now();
        while seen.len() < count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{} of {count} messages came", seen.len());
            match consumer.receive(50, Duration::from_millis(500)).await {
                Ok(batch) => {
                    seen.extend(batch.iter().map(|received| received.message.id.clone()));
                    consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
                }
                // newer brokers say it
                Err(error) => {
                    assert_eq!(error.cause, "cancelled", "{error:?}");
                    consumer = bus.consume(Queue::Feed, 10).await.unwrap();
                }
            }
        }
        assert_eq!(seen, ids(count));
        consumer.close().await.unwrap();
    }
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn returned_messages_are_told_from_their_delivered_neighbours() {
    let node = shared().await;
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
    let mut node = shared().await;
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

    assert_eq!(bus.takes().unwrap_err().kind, BusErrorKind::Blocked);

    // consuming, acking and giving back go on; a dead letter is held until the alarm has passed
    let batch = take(&mut consumer, 20).await;
    let reason = DeadReason { reason: "no title".to_owned(), cause: None, position: "/data/title".to_owned() };
    let decide = |n: usize| if n == 3 { Settlement::Dead(reason.clone()) } else { Settlement::Ack };
    let begun = Instant::now();
    consumer.settle(batch.iter().enumerate().map(|(n, r)| (r.tag, decide(n))).collect()).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(6), "one dead letter does not hold up its neighbours");
    assert_eq!(consumer.receive(10, Duration::from_secs(3)).await.unwrap(), [], "it is not handed out again");
    assert_eq!(bus.depth(Queue::Feed).await.unwrap(), (0, 0), "held, and neither ready nor dead");
    assert_eq!(counted("loa_dead_letters_held", &[("queue", "loa.feed")]), 1.0);
    assert!(counted("loa_bus_blocked_seconds_total", &[("role", "publishing")]) >= 1.0);

    node.ctl("set_vm_memory_high_watermark 0.6").await;
    until_up(&bus).await;
    // disk, too, is told in the broker's words
    node.ctl("set_disk_free_limit 100000GB").await;
    until("the next alarm", Duration::from_secs(20), async || {
        let _ = bus.publish(vec![to_feed(20)]).await;
        matches!(bus.health(), Health::Blocked(why) if why.said.as_str().contains("disk"))
    })
    .await;
    node.ctl("set_disk_free_limit 64MB").await;
    until_up(&bus).await;

    // its consumer tries again while it waits for messages
    while bus.depth(Queue::Feed).await.unwrap().1 == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "the dead letter is never published");
        let again = consumer.receive(10, Duration::from_millis(500)).await.unwrap();
        consumer.settle(again.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
    }
    let dead = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap();
    assert_eq!(dead[0].message, to_feed(3).message);
    assert_eq!(dead[0].reason, reason);
    assert_eq!(counted("loa_dead_letters_held", &[("queue", "loa.feed")]), 0.0);
    publish_for_sure(bus.clone(), 20..21).await;
    consumer.close().await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_broker_is_told_within_its_deadlines_and_leaves_nothing_behind() {
    let mut node = shared().await;
    let bus = impatient(&node.url);
    until_up(&bus).await;
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..10).await;
    let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
    let batch = take(&mut consumer, 10).await;
    node.freeze().await;

    // every call ends by its own deadline: publishing, asking, settling, opening, closing
    let begun = Instant::now();
    let outcome = bus.publish(vec![to_feed(10)]).await.remove(0).unwrap_err();
    assert_eq!(outcome.kind, BusErrorKind::Unavailable, "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "the publish took {:?}", begun.elapsed());
    let begun = Instant::now();
    let _ = consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await;
    assert!(bus.check().await.is_err() && bus.declare().await.is_err());
    assert!(bus.consume(Queue::Push, 10).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(12), "the questions took {:?}", begun.elapsed());
    let ended = end_of(&mut consumer, Duration::from_secs(10)).await;
    assert_eq!(ended.kind, BusErrorKind::Unavailable);
    until("the loss to be told", Duration::from_secs(10), async || matches!(bus.health(), Health::Down(_))).await;
    assert!(bus.takes().is_err(), "nobody need try");
    assert!(counted("loa_bus_connections_lost_total", &[("cause", "heartbeat_missed")]) >= 1.0);

    // the kernel still takes connections for the frozen broker; each try must end, thread and socket
    let before = counted("loa_bus_connect_failures_total", &[("cause", "late")]);
    until("some tries", Duration::from_secs(20), async || {
        counted("loa_bus_connect_failures_total", &[("cause", "late")]) >= before + 10.0
    })
    .await;
    assert!(reading_threads() <= 6, "{} threads read connections of two", reading_threads());

    node.thaw().await;
    until_up(&bus).await;
    // whether the broker heard the acks or not: nothing is lost, and what comes again says so
    publish_for_sure(bus.clone(), 10..20).await;
    let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
    let rest = take(&mut consumer, 10).await;
    assert!(rest.iter().all(|r| r.redelivered || r.message.id.as_str() >= "m-00010"), "{rest:?}");
    consumer.close().await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_swallows_everything_and_one_that_is_reset_lose_nothing() {
    let node = shared().await;
    let proxy = Proxy::to(node.address()).await;
    let bus = impatient(&node.url.replace(&node.address().to_string(), &proxy.address.to_string()));
    until_up(&bus).await;
    bus.declare().await.unwrap();
    for (round, (line, cause)) in
        [(Line::Swallows, "heartbeat_missed"), (Line::Resets, "network")].into_iter().enumerate()
    {
        let lost = counted("loa_bus_connections_lost_total", &[("cause", cause)]);
        publish_for_sure(bus.clone(), round * 100..round * 100 + 50).await;
        let mut consumer = bus.consume(Queue::Feed, 100).await.unwrap();
        let batch = take(&mut consumer, 50).await;
        proxy.set(line);
        // an ack into a dead line may seem to be sent; the message comes again
        let _ = consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await;
        let publishing = tokio::spawn(publish_for_sure(bus.clone(), round * 100 + 50..round * 100 + 100));
        assert_eq!(end_of(&mut consumer, Duration::from_secs(10)).await.kind, BusErrorKind::Unavailable, "{line:?}");
        until("the loss", Duration::from_secs(10), async || {
            counted("loa_bus_connections_lost_total", &[("cause", cause)]) > lost
        })
        .await;
        proxy.set(Line::Passes);
        until_up(&bus).await;
        publishing.await.unwrap();
        let mut again = bus.consume(Queue::Feed, 200).await.unwrap();
        let mut seen = std::collections::BTreeSet::new();
        while seen.len() < 50 {
            let batch = take(&mut again, 1).await;
            // a repeat of the first half, or of a publish whose outcome was unknown, is a duplicate and no more
            seen.extend(
                batch.iter().map(|r| r.message.id.clone()).filter(|id| *id >= format!("m-{:05}", round * 100 + 50)),
            );
            again.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
        }
        drain(&mut again).await;
        again.close().await.unwrap();
    }
    bus.close().await;
}

/// Acks whatever comes until nothing comes.
async fn drain(consumer: &mut Box<dyn Consumer>) {
    loop {
        let batch = consumer.receive(200, Duration::from_millis(500)).await.unwrap();
        if batch.is_empty() {
            return;
        }
        consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn permissions_that_are_taken_away_are_a_refusal_and_given_back_they_suffice() {
    let node = shared().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    node.allow(".*", "^$", "^$").await;
    // on a channel that was never allowed anything: the broker remembers what it allowed for as long as a channel lives
    for _ in 0..2 {
        let outcome = bus.publish(vec![to_feed(1)]).await.remove(0);
        assert_eq!(outcome.unwrap_err().kind, BusErrorKind::Refused);
    }
    let connections: std::collections::BTreeMap<_, _> = bus.connections().into_iter().collect();
    assert!(
        matches!(&connections["bus publishing"], Health::Refused(why) if why.said.as_str().contains("ACCESS_REFUSED")),
        "{connections:?}"
    );
    assert_eq!(connections["bus consuming"], Health::Up, "the connection stands");
    let refused = bus.consume(Queue::Feed, 10).await.err().unwrap();
    assert_eq!((refused.kind, refused.cause), (BusErrorKind::Refused, "access_refused"));
    // given back, and no more than docs/operating/broker.md says that a service needs
    node.allow("^$", r"^(loa\.|amq\.default)", r"^loa\.").await;
    publish_for_sure(bus.clone(), 0..2).await;
    assert_eq!(bus.health(), Health::Up);
    bus.check().await.unwrap();
    let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
    let batch = take(&mut consumer, 2).await;
    let reason = DeadReason { reason: "no title".to_owned(), cause: None, position: String::new() };
    consumer.settle(batch.iter().map(|r| (r.tag, Settlement::Dead(reason.clone()))).collect()).await.unwrap();
    assert_eq!(bus.redrive(Queue::Feed.into(), &Chosen::All, None).await.unwrap().moved, 2);
    assert!(bus.declare().await.unwrap().iter().all(|thing| thing.missed().is_none()), "all is there");
    let hand = Connection::connect(&node.url, ConnectionProperties::default()).await.unwrap();
    node.allow(".*", ".*", ".*").await;
    hand.create_channel()
        .await
        .unwrap()
        .queue_delete(Queue::Push.name().into(), QueueDeleteOptions::default())
        .await
        .unwrap();
    node.allow("^$", r"^(loa\.|amq\.default)", r"^loa\.").await;
    let error = bus.declare().await.unwrap_err();
    assert_eq!(error.kind, BusErrorKind::Refused, "making things is another matter");
    assert!(error.what.contains("loa.push is missing") && error.what.contains("`configure`"), "{}", error.what);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_there_with_other_arguments_is_named() {
    let node = shared().await;
    let bus = bus(&node.url);
    until_up(&bus).await;
    let hand = Connection::connect(&node.url, ConnectionProperties::default()).await.unwrap();
    let channel = hand.create_channel().await.unwrap();
    let classic = QueueDeclareOptions::durable();
    channel.queue_declare(Queue::Digest.name().into(), classic, Default::default()).await.unwrap();
    let error = bus.declare().await.unwrap_err();
    assert_eq!((error.kind, error.cause), (BusErrorKind::Refused, "precondition_failed"), "{error:?}");
    assert!(error.what.contains("loa.digest") && error.what.contains("other arguments"), "{}", error.what);
    channel.queue_delete(Queue::Digest.name().into(), QueueDeleteOptions::default()).await.unwrap();
    bus.declare().await.unwrap();
    bus.check().await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_held_beyond_the_brokers_patience_ends_the_consumer_and_comes_again() {
    let mut node = shared().await;
    // looked at when a channel ticks, which is once a minute otherwise
    node.eval("application:set_env(rabbit, channel_tick_interval, 300).").await;
    node.eval("application:set_env(rabbit, consumer_timeout, 1000).").await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    publish_for_sure(bus.clone(), 0..3).await;
    let mut slow = bus.consume(Queue::Feed, 10).await.unwrap();
    let held = take(&mut slow, 3).await;
    let error = end_of(&mut slow, Duration::from_secs(20)).await;
    node.eval("application:set_env(rabbit, consumer_timeout, 1800000).").await;
    node.eval("application:set_env(rabbit, channel_tick_interval, 60000).").await;
    assert_eq!(error.cause, "precondition_failed", "{error:?}");
    // a stale ack harms nobody
    let stale = slow.settle(held.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await;
    assert!(
        stale.is_err_and(|error| error.kind == BusErrorKind::Unavailable),
        "the caller hears that it was not heard"
    );
    assert_eq!(bus.health(), Health::Up, "only the channel was closed");
    let mut next = bus.consume(Queue::Feed, 10).await.unwrap();
    let again = take(&mut next, 3).await;
    assert!(again.iter().all(|r| r.redelivered));
    next.settle(again.iter().map(|r| (r.tag, Settlement::Ack)).collect()).await.unwrap();
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_an_operator_closes_are_opened_again() {
    let mut node = shared().await;
    let bus = bus(&node.url);
    bus.declare().await.unwrap();
    let lost = counted("loa_bus_connections_lost_total", &[("cause", "connection_forced")]);
    let mut consumer = bus.consume(Queue::Feed, 10).await.unwrap();
    let vhost = node.vhost.clone();
    node.ctl(&format!("close_all_connections -p {vhost} tidying")).await;
    let error = end_of(&mut consumer, Duration::from_secs(10)).await;
    assert_eq!(error.kind, BusErrorKind::Unavailable);
    until("both to be counted", Duration::from_secs(10), async || {
        counted("loa_bus_connections_lost_total", &[("cause", "connection_forced")]) >= lost + 2.0
    })
    .await;
    until_up(&bus).await;
    publish_for_sure(bus.clone(), 0..5).await;
    assert_eq!(consume_for_sure(bus.clone(), 5).await, 1);
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_while_the_broker_takes_nothing_or_does_not_answer_ends_in_time() {
    let mut node = shared().await;
    let frozen = impatient(&node.url);
    frozen.declare().await.unwrap();
    let consumer = frozen.consume(Queue::Feed, 10).await.unwrap();
    let publishing = tokio::spawn({
        let bus = frozen.clone();
        async move { bus.publish(vec![to_feed(0)]).await }
    });
    node.freeze().await;
    let begun = Instant::now();
    let _ = consumer.close().await;
    frozen.close().await;
    assert!(begun.elapsed() < Duration::from_secs(10), "stopping took {:?}", begun.elapsed());
    assert_eq!(publishing.await.unwrap().len(), 1);
    node.thaw().await;
}
