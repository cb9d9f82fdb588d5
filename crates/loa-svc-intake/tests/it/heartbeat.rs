//! Heartbeats: through the exchange to every queue, and never so many that they fill one.

use crate::House;
use async_trait::async_trait;
use loa_bus::{
    BusError, BusErrorKind, Consume, HEARTBEAT, HEARTBEAT_HOST, HEARTBEAT_INSTALLATION, HEARTBEAT_KEYS,
    HEARTBEAT_SENT_AT, Measure, Message, Outgoing, Publish, Queue, Route, routing_key_matches,
};
use loa_bus_sqlite::SqliteBus;
use loa_store::{Audits, HeardHeartbeat, IntakeViews};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

#[tokio::test]
async fn heartbeats_go_the_ways_of_events_by_each_binding_and_say_when_they_were_sent_and_whose_they_are() {
    let house = House::new().await;
    assert_eq!(house.service.beat(&*house.bus).await.expect("sent"), 0);
    for queue in Queue::ALL {
        let mut consumer = house.bus.consume(queue, 10).await.expect("a consumer");
        let received = consumer.receive(10, Duration::from_secs(10)).await.expect("a batch");
        let keys: Vec<&str> = received.iter().map(|one| one.routing_key.as_str()).collect();
        assert_eq!(keys, HEARTBEAT_KEYS, "{queue}");
        let installation = house.ledger.installation().await.expect("an id");
        for one in received {
            assert_eq!(one.message.content_type, HEARTBEAT);
            assert_eq!(one.message.headers[HEARTBEAT_SENT_AT], house.clock.now().to_string());
            assert_eq!(one.message.headers[HEARTBEAT_INSTALLATION], installation);
            assert_eq!(one.message.headers[HEARTBEAT_HOST], "vps-1");
        }
    }
}

#[test]
fn each_binding_takes_exactly_one_heartbeat_of_a_round() {
    for queue in Queue::ALL {
        for binding in queue.bindings() {
            let taken = HEARTBEAT_KEYS.iter().filter(|key| routing_key_matches(binding, key)).count();
            assert_eq!(taken, 1, "{binding}");
        }
    }
}

#[tokio::test]
async fn a_queue_that_nobody_empties_gets_a_bounded_number_of_heartbeats_and_the_others_go_on() {
    let house = House::new().await;
    let full = (0..91).map(|n| Outgoing {
        route: Route::Queue(Queue::Digest),
        message: Message {
            id: format!("waiting-{n}"),
            content_type: String::new(),
            headers: BTreeMap::new(),
            body: "{}".into(),
        },
    });
    for outcome in house.bus.publish(full.collect()).await {
        outcome.expect("published");
    }
    for beat in 0..6 {
        house.clock.advance(Duration::from_secs(30));
        let left_out = house.service.beat(&*house.bus).await.expect("sent");
        assert_eq!(left_out, usize::from(beat >= 3), "beat {beat}");
        for queue in [Queue::Archive, Queue::Feed, Queue::Push] {
            // a round goes by every binding, and straight to a queue there is but one way
            assert_eq!(house.drain(queue).await.len(), if beat < 3 { 3 } else { 1 }, "{queue}");
        }
    }
    assert_eq!(house.bus.depth(Queue::Digest).await.expect("counted"), (100, 0));
    assert_eq!(house.drain(Queue::Digest).await.len(), 100);
    assert_eq!(house.service.beat(&*house.bus).await.expect("sent"), 0, "emptied, it has them again");
    assert_eq!(house.drain(Queue::Digest).await.len(), 3);
}

/// Notes that a queue heard a heartbeat that is sent now.
async fn hears(house: &House, queue: Queue) {
    let heard = HeardHeartbeat {
        queue: queue.name().to_owned(),
        binding: String::new(),
        installation: house.ledger.installation().await.expect("an id"),
        host: "vps-1".to_owned(),
        sent_at: house.clock.now(),
        first_at: house.clock.now(),
        heard_at: house.clock.now(),
    };
    house.ledger.heartbeats_heard(&[heard]).await.expect("noted");
}

#[tokio::test]
async fn where_depths_are_refused_a_queue_that_hears_nothing_gets_few_heartbeats_until_it_hears_one() {
    let house = House::new().await;
    let bus = Refusing(house.bus.clone());
    let beat = async || house.service.beat(&bus).await.expect("sent");
    for _ in 0..1_000 {
        house.clock.advance(Duration::from_secs(30));
        beat().await;
        for queue in [Queue::Archive, Queue::Feed, Queue::Push] {
            hears(&house, queue).await;
        }
    }
    let (waiting, _) = house.bus.depth(Queue::Digest).await.expect("counted");
    assert!((420..430).contains(&waiting), "a hundred rounds, and one of 21, by three bindings each: {waiting}");
    assert_eq!(
        house.bus.depth(Queue::Feed).await.expect("counted").0 - waiting,
        1_000 - rounds(waiting),
        "others go on"
    );
    // somebody consumes it again
    house.drain(Queue::Digest).await;
    hears(&house, Queue::Digest).await;
    house.clock.advance(Duration::from_secs(30));
    assert_eq!(beat().await, 0);
    assert_eq!(house.drain(Queue::Digest).await.len(), HEARTBEAT_KEYS.len());
}

#[tokio::test]
async fn where_depths_are_refused_hours_without_a_heartbeat_sent_leave_no_queue_out() {
    let house = House::new().await;
    for queue in Queue::ALL {
        hears(&house, queue).await;
    }
    // intake, or the broker, is away
    house.clock.advance(Duration::from_secs(5 * 3_600));
    assert_eq!(house.service.beat(&Refusing(house.bus.clone())).await.expect("sent"), 0);
    for queue in Queue::ALL {
        assert_eq!(house.drain(queue).await.len(), HEARTBEAT_KEYS.len(), "{queue}");
    }
}

/// In how many rounds so many heartbeats came, by three ways in each.
fn rounds(heartbeats: u64) -> u64 {
    heartbeats / HEARTBEAT_KEYS.len() as u64
}

/// A broker that does not tell depths: RabbitMQ, to who lacks the right `configure`.
pub(crate) struct Refusing(pub(crate) Arc<SqliteBus>);

#[async_trait]
impl Publish for Refusing {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        self.0.publish(batch).await
    }
}

#[async_trait]
impl Measure for Refusing {
    async fn depth(&self, _: Queue) -> Result<(u64, u64), BusError> {
        Err(BusError::new(BusErrorKind::Refused, "configure access refused"))
    }

    async fn longest(&self, _: u64) -> Result<(Queue, u64), BusError> {
        Err(BusError::new(BusErrorKind::Refused, "configure access refused"))
    }

    async fn unrouted(&self) -> Result<u64, BusError> {
        self.0.unrouted().await
    }
}
