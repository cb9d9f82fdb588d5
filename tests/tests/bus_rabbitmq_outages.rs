//! The bus over RabbitMQ while the broker is absent or killed.
//!
//! Each test has a node of its own and ends it. `tests/run conformance` starts them.

#![allow(clippy::unwrap_used)] // a panic is the failure's message

mod broker;

use broker::{Node, traffic::*};
use loa_bus::{Administer, BusErrorKind, Connect, Consume, Health, Measure, Publish, Queue};
use std::time::{Duration, Instant};

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
