//! Rules of settling: ack, retry, or discard into the dead letters.

use super::fixture::{
    Fixture, PATIENCE, QUIET, article, consume, id, ids, ids_of, publish, receive, receive_nothing, settle, to_feed,
    wait_for_depth,
};
use crate::{Chosen, DELIVERY_LIMIT, DeadReason, Queue, Settlement, Tag};
use loa_domain::{DeadCause, Flaw};
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait for more of what is under way.
const SOON: Duration = Duration::from_millis(60);

/// After an ack the broker has forgotten, for good.
pub async fn what_was_acked_never_comes_again(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..5).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 5).await;
    settle(&mut consumer, &received, Settlement::Ack).await;
    receive_nothing(&mut consumer).await;
    consumer.close().await.unwrap();
    bus.close().await;
    let bus = fixture.bus().await;
    receive_nothing(&mut consume(&bus, Queue::Feed, 10).await).await;
    wait_for_depth(&bus, Queue::Feed, (0, 0)).await;
}

/// A message given back is not sent to the end of the queue; only what is under way already may come before it.
pub async fn a_retried_message_comes_again_in_its_place(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..6).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 2).await;
    let received = receive(&mut consumer, 2).await;
    consumer.settle(vec![(received[1].tag, Settlement::Ack), (received[0].tag, Settlement::Retry)]).await.unwrap();
    let mut again = receive(&mut consumer, 2).await;
    again.sort_by_key(|received| received.message.id.clone());
    assert_eq!(ids_of(&again), [id(0), id(2)]);
    assert!(again[0].redelivered && !again[1].redelivered);
}

/// Each return is counted; the limit ends a message that nobody can process, with its body, and its neighbours go on.
pub async fn a_message_given_back_too_often_becomes_a_dead_letter(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, vec![article(0), article(1)]).await;
    let mut consumer = consume(&bus, Queue::Feed, 1).await;
    let mut deliveries = 0;
    loop {
        let received = receive(&mut consumer, 1).await;
        if received[0].message.id != id(0) {
            settle(&mut consumer, &received, Settlement::Ack).await;
            break;
        }
        deliveries += 1;
        assert!(deliveries < 100, "the limit never strikes");
        settle(&mut consumer, &received, Settlement::Retry).await;
    }
    assert_eq!(deliveries, DELIVERY_LIMIT + 1, "the first delivery, and as many as the limit after it");
    wait_for_depth(&bus, Queue::Feed, (0, 1)).await;
    let dead = bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap();
    assert_eq!(dead[0].message, article(0).message);
    assert_eq!((dead[0].place, dead[0].routing_key.as_str()), (Queue::Feed.into(), "article.published.kinh-te"));
    assert!(dead[0].reason.reason.contains("delivery limit"), "{:?}", dead[0].reason);
    assert_eq!(dead[0].reason.cause, Some(DeadCause::DeliveryLimit));
    assert_eq!((dead[0].past.deaths, dead[0].buried_by.as_str()), (1, ""));
}

/// No code of ours need run after the delivery: a consumer that dies each time is counted, too.
pub async fn a_message_that_kills_its_consumer_each_time_becomes_a_dead_letter(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, vec![to_feed(0)]).await;
    for _ in 0..=DELIVERY_LIMIT {
        let mut consumer = consume(&bus, Queue::Feed, 1).await;
        receive(&mut consumer, 1).await;
        drop(consumer);
    }
    wait_for_depth(&bus, Queue::Feed, (0, 1)).await;
    receive_nothing(&mut consume(&bus, Queue::Feed, 1).await).await;
    assert_eq!(bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap()[0].message, to_feed(0).message);
}

/// A process that dies takes its whole prefetch back with it, time and again; only the message that kills it may end as a
/// dead letter. Which one that is, nobody can know: after [`crate::ALONE_AFTER`] deliveries each comes alone.
pub async fn what_kills_its_consumer_takes_no_neighbour_along(fixture: &impl Fixture) {
    const KILLER: usize = 7;
    const PREFETCH: usize = 10;
    let bus = fixture.bus().await;
    publish(&bus, (0..20).map(to_feed).collect()).await;
    let (mut came, mut deaths) = (Vec::new(), 0);
    let deadline = Instant::now() + 2 * PATIENCE;
    while came.len() < 19 || bus.depth(Queue::Feed).await.unwrap() != (0, 1) {
        assert!(Instant::now() < deadline, "after {deaths} deaths only {came:?} came");
        let mut consumer = consume(&bus, Queue::Feed, 10).await;
        let mut held = consumer.receive(PREFETCH, QUIET).await.unwrap();
        while !held.is_empty() && held.len() < PREFETCH {
            let more = consumer.receive(PREFETCH - held.len(), SOON).await.unwrap();
            if more.is_empty() {
                break;
            }
            held.extend(more);
        }
        if held.iter().any(|received| received.message.id == id(KILLER)) {
            deaths += 1;
            drop(consumer);
        } else {
            came.extend(ids_of(&held));
            settle(&mut consumer, &held, Settlement::Ack).await;
            consumer.close().await.unwrap();
        }
    }
    assert!(deaths > DELIVERY_LIMIT / 2, "{deaths} deaths are too few to give up a message");
    came.sort();
    assert_eq!(came, ids((0..20).filter(|n| *n != KILLER)), "each neighbour came through, once");
    assert_eq!(bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap()[0].message.id, id(KILLER));
}

/// An operator finds what it was, why, where in it, and where it came from; other queues' copies go on.
pub async fn a_dead_letter_keeps_its_message_and_says_why(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, vec![article(0), article(1)]).await;
    let mut consumer = consume(&bus, Queue::Digest, 10).await;
    let received = receive(&mut consumer, 2).await;
    let flaw = Flaw::NoSuchInstant { name: "published_at".into(), text: "2024-02-31T00:00:00Z".into() };
    let reason = DeadReason {
        reason: "ngày không có thật: 31/02/2024".to_owned(),
        cause: Some(DeadCause::Flaw(flaw)),
        position: "/data/published_at".to_owned(),
    };
    consumer
        .settle(vec![(received[0].tag, Settlement::Dead(reason.clone())), (received[1].tag, Settlement::Ack)])
        .await
        .unwrap();
    receive_nothing(&mut consumer).await;
    let dead = bus.dead_letters(Queue::Digest.into(), &Chosen::All, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].message, article(0).message);
    assert_eq!(dead[0].reason, reason);
    assert_eq!((dead[0].place, dead[0].routing_key.as_str()), (Queue::Digest.into(), "article.published.kinh-te"));
    assert!(dead[0].dead_at.is_some(), "since when");
    assert_eq!((dead[0].past.deaths, dead[0].past.first_dead_at), (1, dead[0].dead_at), "for the first time");
    assert!(dead[0].buried_by.starts_with("loa "), "by whom: {:?}", dead[0].buried_by);
    assert!(bus.dead_letters(Queue::Feed.into(), &Chosen::All, 10).await.unwrap().is_empty());
    let mut neighbour = consume(&bus, Queue::Feed, 10).await;
    assert_eq!(ids_of(&receive(&mut neighbour, 2).await), ids(0..2));
}

/// Decisions are each message's own, however they are mixed and ordered.
pub async fn a_batch_may_be_settled_in_all_three_ways_and_in_any_order(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..12).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, 12).await;
    let reason = DeadReason { reason: "bad".to_owned(), cause: None, position: String::new() };
    let mut decisions: Vec<(Tag, Settlement)> = received
        .iter()
        .enumerate()
        .map(|(n, r)| {
            let settlement = match n % 3 {
                0 => Settlement::Ack,
                1 => Settlement::Retry,
                _ => Settlement::Dead(reason.clone()),
            };
            (r.tag, settlement)
        })
        .collect();
    decisions.rotate_left(5);
    decisions.swap(0, 7);
    consumer.settle(decisions).await.unwrap();
    let again = receive(&mut consumer, 4).await;
    assert_eq!(ids_of(&again), ids([1, 4, 7, 10]));
    settle(&mut consumer, &again, Settlement::Ack).await;
    receive_nothing(&mut consumer).await;
    let mut dead: Vec<_> = bus
        .dead_letters(Queue::Feed.into(), &Chosen::All, 100)
        .await
        .unwrap()
        .into_iter()
        .map(|letter| letter.message.id)
        .collect();
    dead.sort();
    assert_eq!(dead, ids([2, 5, 8, 11]));
}

/// Acks may skip messages; a skipped one is not acked by a later one.
pub async fn acking_some_does_not_ack_their_neighbours(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..20).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, 20).await;
    for chosen in [vec![19, 3, 0, 1], vec![10, 2], vec![5, 6, 7]] {
        let decisions = chosen.into_iter().map(|n: usize| (received[n].tag, Settlement::Ack)).collect();
        consumer.settle(decisions).await.unwrap();
    }
    drop(consumer);
    let mut next = consume(&bus, Queue::Feed, 100).await;
    let left = [4, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18];
    assert_eq!(ids_of(&receive(&mut next, left.len()).await), ids(left));
    receive_nothing(&mut next).await;
}

/// A tag of yesterday, of another consumer, of nobody: the consumer goes on, and nothing is settled by mistake.
pub async fn stale_and_unknown_tags_are_harmless(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    publish(&bus, (0..3).map(to_feed).collect()).await;
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, 3).await;
    settle(&mut consumer, &received[..1], Settlement::Ack).await;
    settle(&mut consumer, &received[..1], Settlement::Retry).await;
    consumer.settle(vec![(Tag(999_999), Settlement::Ack), (Tag(0), Settlement::Ack)]).await.unwrap();
    receive_nothing(&mut consumer).await;
    drop(consumer);
    let mut next = consume(&bus, Queue::Feed, 100).await;
    assert_eq!(ids_of(&receive(&mut next, 2).await), ids(1..3));
}
