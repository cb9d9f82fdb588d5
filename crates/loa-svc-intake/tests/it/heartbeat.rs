//! Heartbeats: through the exchange to every queue, and never so many that they fill one.

use crate::House;
use loa_bus::{
    Administer, Consume, HEARTBEAT, HEARTBEAT_KEY, HEARTBEAT_SENT_AT, Message, Outgoing, Publish, Queue, Route,
};
use std::{collections::BTreeMap, time::Duration};

#[tokio::test]
async fn a_heartbeat_goes_the_way_of_an_event_and_says_when_it_was_sent() {
    let house = House::new().await;
    assert_eq!(house.service.beat(&*house.bus).await.expect("sent"), 0);
    for queue in Queue::ALL {
        let mut consumer = house.bus.consume(queue, 10).await.expect("a consumer");
        let received = consumer.receive(10, Duration::from_secs(10)).await.expect("a batch");
        assert_eq!((received.len(), received[0].routing_key.as_str()), (1, HEARTBEAT_KEY), "{queue}");
        assert_eq!(received[0].message.content_type, HEARTBEAT);
        assert_eq!(received[0].message.headers[HEARTBEAT_SENT_AT], house.clock.now().to_string());
    }
}

#[tokio::test]
async fn a_queue_that_nobody_empties_gets_a_bounded_number_of_heartbeats_and_the_others_go_on() {
    let house = House::new().await;
    let full = (0..97).map(|n| Outgoing {
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
            assert_eq!(house.drain(queue).await.len(), 1, "{queue}");
        }
    }
    assert_eq!(house.bus.depth(Queue::Digest).await.expect("counted"), (100, 0));
    assert_eq!(house.drain(Queue::Digest).await.len(), 100);
    assert_eq!(house.service.beat(&*house.bus).await.expect("sent"), 0, "emptied, it has them again");
    assert_eq!(house.drain(Queue::Digest).await.len(), 1);
}
