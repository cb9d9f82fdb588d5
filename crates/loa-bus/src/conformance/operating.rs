//! Rules of operating: topology, dead letters and their second chance, health.

use super::fixture::{
    Fixture, article, consume, id, ids, ids_of, publish, receive, receive_nothing, settle, to_feed, wait_for_depth,
};
use crate::{Bus, BusErrorKind, DELIVERY_LIMIT, DeadReason, Health, Queue, Settlement};
use std::sync::Arc;

/// Publishes messages of a range and sends each to the feed's dead letters.
async fn bury(bus: &Arc<dyn Bus>, range: std::ops::Range<usize>) {
    let count = range.len();
    publish(bus, range.map(article).collect()).await;
    let mut consumer = consume(bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, count).await;
    let reason = DeadReason { reason: "no title".to_owned(), position: "/data/title".to_owned() };
    settle(&mut consumer, &received, Settlement::Dead(reason)).await;
    consumer.close().await.unwrap();
    wait_for_depth(bus, Queue::Feed, (0, count as u64)).await;
}

/// The ids of the feed's dead letters.
async fn buried(bus: &Arc<dyn Bus>) -> Vec<String> {
    bus.dead_letters(Queue::Feed, 100).await.unwrap().into_iter().map(|letter| letter.message.id).collect()
}

/// `loa migrate` may be run at any time: messages stay, and it says what it did.
pub async fn declaring_twice_changes_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, vec![article(1)]).await;
    let lines = bus.declare().await.unwrap();
    for queue in Queue::ALL {
        assert!(lines.iter().any(|line| line.contains(queue.name())), "{lines:?}");
    }
    bus.check().await.unwrap();
    assert_eq!(ids_of(&receive(&mut consume(&bus, Queue::Archive, 10).await, 1).await), [id(1)]);
}

/// What is missing is named, and looking for it makes nothing.
pub async fn a_missing_topology_is_named(fixture: &impl Fixture) {
    let bus = fixture.undeclared().await;
    for _ in 0..2 {
        let error = bus.check().await.unwrap_err();
        assert_eq!(error.kind, BusErrorKind::Unroutable);
        assert!(error.what.contains("loa."), "{}", error.what);
        assert_eq!(bus.depth(Queue::Feed).await.unwrap_err().kind, BusErrorKind::Unroutable);
    }
    bus.declare().await.unwrap();
    bus.check().await.unwrap();
}

/// Per queue, what waits and what is dead.
pub async fn depth_counts_what_is_ready_and_what_is_dead(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    wait_for_depth(&bus, Queue::Feed, (0, 0)).await;
    bury(&bus, 0..3).await;
    publish(&bus, (3..5).map(article).collect()).await;
    wait_for_depth(&bus, Queue::Feed, (2, 3)).await;
    wait_for_depth(&bus, Queue::Push, (5, 0)).await;
}

/// Operators look as often as they like; no limit of deliveries ever strikes a dead letter.
pub async fn looking_at_dead_letters_changes_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..3).await;
    let first = bus.dead_letters(Queue::Feed, 10).await.unwrap();
    for look in 0..DELIVERY_LIMIT + 5 {
        assert_eq!(bus.dead_letters(Queue::Feed, 10).await.unwrap(), first, "look {look}");
    }
    wait_for_depth(&bus, Queue::Feed, (0, 3)).await;
}

/// A long list is cut at its new end.
pub async fn dead_letters_come_oldest_first_and_up_to_the_maximum(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..5).await;
    let oldest = bus.dead_letters(Queue::Feed, 2).await.unwrap();
    assert_eq!(oldest.iter().map(|letter| letter.message.id.clone()).collect::<Vec<_>>(), ids(0..2));
    assert_eq!(buried(&bus).await, ids(0..5));
    assert!(bus.dead_letters(Queue::Feed, 0).await.unwrap().is_empty());
}

/// Chosen by id; it goes to the queue it died in and no other, whole; the others stay.
pub async fn one_dead_letter_gets_its_second_chance(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..3).await;
    assert_eq!(bus.redrive(Queue::Feed, &[id(1), "unknown".to_owned()]).await.unwrap(), 1);
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 1).await;
    assert_eq!(received[0].message, article(1).message);
    assert_eq!(received[0].routing_key, "article.published.kinh-te", "it is what it was");
    assert!(!received[0].redelivered, "and counted anew");
    receive_nothing(&mut consumer).await;
    assert_eq!(buried(&bus).await, [id(0), id(2)]);
    wait_for_depth(&bus, Queue::Push, (3, 0)).await;
}

/// All of them, when none is named, in the order they died.
pub async fn all_dead_letters_get_their_second_chance_in_order(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..30).await;
    assert_eq!(bus.redrive(Queue::Feed, &[]).await.unwrap(), 30);
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    assert_eq!(ids_of(&receive(&mut consumer, 30).await), ids(0..30));
    assert!(buried(&bus).await.is_empty());
    assert_eq!(bus.redrive(Queue::Feed, &[]).await.unwrap(), 0);
}

/// A second chance is not a third: the new reason replaces the old one, and nothing of the way back is left on the message.
pub async fn a_redriven_message_that_fails_again_is_dead_again(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..1).await;
    let first = bus.dead_letters(Queue::Feed, 10).await.unwrap().remove(0);
    bus.redrive(Queue::Feed, &[]).await.unwrap();
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 1).await;
    let reason = DeadReason { reason: "no date".to_owned(), position: "/data/published_at".to_owned() };
    settle(&mut consumer, &received, Settlement::Dead(reason.clone())).await;
    let dead = bus.dead_letters(Queue::Feed, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0].message, &dead[0].reason), (&article(0).message, &reason));
    assert_eq!(dead[0].past.deaths, 2, "it is known that this was its second chance");
    assert_eq!(dead[0].past.first_dead_at, first.dead_at);
    assert_eq!(dead[0].routing_key, "article.published.kinh-te");
}

/// What is deleted for good is handed back once more, for the audit log; no ids, no deletion.
pub async fn discarding_deletes_only_what_was_named(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..4).await;
    assert!(bus.discard(Queue::Feed, &[]).await.unwrap().is_empty());
    let gone = bus.discard(Queue::Feed, &[id(2), id(0), "unknown".to_owned()]).await.unwrap();
    assert_eq!(gone, [article(0).message, article(2).message]);
    assert_eq!(buried(&bus).await, [id(1), id(3)]);
    assert!(bus.discard(Queue::Feed, &[id(0)]).await.unwrap().is_empty());
    // what was discarded here is not gone elsewhere
    assert_eq!(ids_of(&receive(&mut consume(&bus, Queue::Push, 10).await, 4).await), ids(0..4));
    publish(&bus, vec![to_feed(9)]).await;
    assert_eq!(ids_of(&receive(&mut consume(&bus, Queue::Feed, 10).await, 1).await), [id(9)]);
}

/// Readiness hears the truth.
pub async fn health_is_up_and_after_close_it_is_not(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    assert_eq!(bus.health(), Health::Up);
    bus.close().await;
    assert!(matches!(bus.health(), Health::Down(_)), "{:?}", bus.health());
    assert_eq!(bus.check().await.unwrap_err().kind, BusErrorKind::Unavailable);
}
