//! Heartbeats: through the exchange to every queue, and never so many that they fill one.

use crate::House;
use loa_bus::{
    Administer, Consume, HEARTBEAT, HEARTBEAT_HOST, HEARTBEAT_INSTALLATION, HEARTBEAT_KEYS, HEARTBEAT_SENT_AT, Message,
    Outgoing, Publish, Queue, Route, routing_key_matches,
};
use loa_store::IntakeViews;

use std::{collections::BTreeMap, time::Duration};

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
