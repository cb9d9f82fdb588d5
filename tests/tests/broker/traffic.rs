//! Messages over a bus whose broker is in trouble: published until confirmed, consumed until seen.
//!
//! It knows the bus, and not what is done to the broker.

use super::{clock, random};
use loa_bus::{Connect, Consume, Health, Message, Outgoing, Publish, Queue, Route, Settlement};
use loa_bus_rabbitmq::{RabbitBus, RabbitConfig};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// The bus of a node, with short waits: outages are many here.
pub fn bus(url: &str) -> Arc<RabbitBus> {
    let config = RabbitConfig {
        confirm_timeout: Duration::from_secs(4),
        connect_timeout: Duration::from_secs(4),
        reconnect_max: Duration::from_millis(500),
        heartbeat: Duration::from_secs(2),
        ..RabbitConfig::new(url)
    };
    Arc::new(RabbitBus::connect(config, clock(), random()).unwrap())
}

pub async fn until(what: &str, patience: Duration, is_so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < patience, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub async fn until_up(bus: &RabbitBus) {
    until("the broker to be reached", Duration::from_secs(60), async || bus.health() == Health::Up).await;
}

pub fn to_feed(n: usize) -> Outgoing {
    let message = Message {
        id: format!("m-{n:05}"),
        content_type: String::new(),
        headers: BTreeMap::new(),
        body: format!("bản tin {n}").into(),
    };
    Outgoing { route: Route::Queue(Queue::Feed), message }
}

pub fn ids(count: usize) -> BTreeSet<String> {
    (0..count).map(|n| format!("m-{n:05}")).collect()
}

/// Publishes messages of a range, each again until it is confirmed; what a relay with an outbox does.
pub async fn publish_for_sure(bus: Arc<RabbitBus>, range: std::ops::Range<usize>) {
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
pub async fn consume_for_sure(bus: Arc<RabbitBus>, count: usize) -> usize {
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
