//! Rules of operating: topology, dead letters and their redrive, health.

use super::fixture::{
    Fixture, article, consume, id, ids, ids_of, publish, receive, receive_nothing, settle, to_feed, wait_for_depth,
    wait_until,
};
use crate::{
    Bus, BusErrorKind, Chosen, DELIVERY_LIMIT, DeadLetter, DeadReason, DiscardedLetter, Health, Outgoing, Place, Queue,
    Route, Settlement,
    limits::{LIST_BYTES_MAX, stays_unrouted},
};
use loa_domain::{TopologyOutcome, TopologyThing};
use std::{collections::BTreeSet, sync::Arc};

const FEED: Place = Place::Dead(Queue::Feed);

/// Publishes messages of a range and sends each to the feed's dead letters.
async fn bury(bus: &Arc<dyn Bus>, range: std::ops::Range<usize>) {
    let count = range.len();
    publish(bus, range.map(article).collect()).await;
    let mut consumer = consume(bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, count).await;
    let reason = DeadReason { reason: "no title".to_owned(), cause: None, position: "/data/title".to_owned() };
    settle(&mut consumer, &received, Settlement::Dead(reason)).await;
    consumer.close().await.unwrap();
    wait_for_depth(bus, Queue::Feed, (0, count as u64)).await;
}

/// The ids of the feed's dead letters.
async fn buried(bus: &Arc<dyn Bus>) -> Vec<String> {
    bus.dead_letters(FEED, &Chosen::All, 100).await.unwrap().into_iter().map(|letter| letter.message.id).collect()
}

/// How many letters of a place were redriven; none of them stayed.
async fn redriven(bus: &Arc<dyn Bus>, place: Place, chosen: Chosen, key: Option<&str>) -> u64 {
    let redriven = bus.redrive(place, &chosen, key).await.unwrap();
    assert_eq!((redriven.stayed, redriven.reasons), (0, Vec::new()));
    redriven.moved
}

/// Publishes messages under routing keys that no binding takes.
async fn stray(bus: &Arc<dyn Bus>, keys: &[&str]) -> Vec<DeadLetter> {
    let outgoing = |(n, key): (usize, &&str)| Outgoing { route: Route::Topic((*key).to_owned()), ..article(n) };
    publish(bus, keys.iter().enumerate().map(outgoing).collect()).await;
    wait_until("what no binding took", async || bus.unrouted().await.unwrap() == keys.len() as u64).await;
    bus.dead_letters(Place::Unrouted, &Chosen::All, 100).await.unwrap()
}

/// `loa migrate` may be run at any time: messages stay, and it says of each queue whether it found or made it.
pub async fn declaring_twice_changes_nothing(fixture: &impl Fixture) {
    let bus = fixture.undeclared().await;
    let outcomes = async |wanted: TopologyOutcome| {
        let things = bus.declare().await.unwrap();
        for queue in Queue::ALL {
            let thing = TopologyThing::Queue { name: queue.name().to_owned() };
            let declared = things.iter().find(|declared| declared.thing == thing);
            let declared = declared.unwrap_or_else(|| panic!("{thing} in {things:?}"));
            assert_eq!((&declared.outcome, declared.of), (&wanted, Some(queue)), "{thing}");
        }
    };
    outcomes(TopologyOutcome::Made).await;
    publish(&bus, vec![article(1)]).await;
    outcomes(TopologyOutcome::There).await;
    assert!(bus.check().await.unwrap().is_empty(), "all could be looked at");
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

/// Back-files wait while a queue is long: the longest is named, counted as far as asked.
pub async fn the_longest_queue_is_told(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    assert_eq!(bus.longest(64).await.unwrap().1, 0);
    publish(&bus, (0..2).map(article).collect()).await;
    publish(&bus, (2..7).map(|n| Outgoing { route: Route::Queue(Queue::Digest), ..article(n) }).collect()).await;
    wait_for_depth(&bus, Queue::Digest, (7, 0)).await;
    assert_eq!(bus.longest(64).await.unwrap(), (Queue::Digest, 7));
    let (_, counted) = bus.longest(2).await.unwrap();
    assert!((2..=7).contains(&counted), "{counted}");
}

/// Operators look as often as they like; no limit of deliveries ever strikes a dead letter.
pub async fn looking_at_dead_letters_changes_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..3).await;
    let first = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
    for look in 0..DELIVERY_LIMIT + 5 {
        assert_eq!(bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap(), first, "look {look}");
    }
    wait_for_depth(&bus, Queue::Feed, (0, 3)).await;
}

/// A long list is cut at its new end.
pub async fn dead_letters_come_oldest_first_and_up_to_the_maximum(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..5).await;
    let oldest = bus.dead_letters(FEED, &Chosen::All, 2).await.unwrap();
    assert_eq!(oldest.iter().map(|letter| letter.message.id.clone()).collect::<Vec<_>>(), ids(0..2));
    assert_eq!(buried(&bus).await, ids(0..5));
    assert!(bus.dead_letters(FEED, &Chosen::All, 0).await.unwrap().is_empty());
}

/// Of letters that together have no room in memory, all are told, and each is whole when it is looked at alone.
pub async fn a_look_holds_a_bounded_number_of_bytes_and_tells_of_every_letter(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let bytes = LIST_BYTES_MAX / 4 - 1024 * 1024;
    let mut consumer = consume(&bus, Queue::Feed, 1).await;
    for n in 0..5 {
        let mut large = to_feed(n);
        large.message.body = vec![b'x'; bytes].into();
        publish(&bus, vec![large]).await;
        let received = receive(&mut consumer, 1).await;
        let reason = DeadReason { reason: "too large".to_owned(), cause: None, position: String::new() };
        settle(&mut consumer, &received, Settlement::Dead(reason)).await;
    }
    consumer.close().await.unwrap();
    let letters = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
    assert_eq!(letters.iter().map(|letter| letter.bytes).collect::<Vec<_>>(), [bytes; 5]);
    assert_eq!(letters.iter().filter(|letter| letter.lacks_its_body()).count(), 1);
    for letter in letters.iter().filter(|letter| letter.lacks_its_body()) {
        let alone = bus.dead_letters(FEED, &Chosen::key(letter.key.as_str()), 1).await.unwrap();
        assert!(!alone[0].lacks_its_body() && alone[0].message.body.len() == bytes);
    }
}

/// What was named and come to is told by key, so that who named more knows the rest.
pub async fn a_redrive_by_key_tells_which_letters_it_came_to(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..3).await;
    let there = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
    let keys = BTreeSet::from([there[0].key.clone(), there[2].key.clone()]);
    let named = keys.iter().cloned().chain(["999".to_owned()]).collect();
    let redriven = bus.redrive(FEED, &Chosen::Keys(named), None).await.unwrap();
    assert_eq!((redriven.moved, redriven.met, redriven.unfinished.is_none()), (2, keys, true));
}

/// Chosen by id; it goes to the queue it died in and no other, whole; the others stay.
pub async fn one_dead_letter_gets_its_second_chance(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..3).await;
    let chosen = Chosen::Ids(BTreeSet::from([id(1), "unknown".to_owned()]));
    assert_eq!(redriven(&bus, FEED, chosen, None).await, 1);
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
    assert_eq!(redriven(&bus, FEED, Chosen::All, None).await, 30);
    let mut consumer = consume(&bus, Queue::Feed, 100).await;
    assert_eq!(ids_of(&receive(&mut consumer, 30).await), ids(0..30));
    assert!(buried(&bus).await.is_empty());
    assert_eq!(redriven(&bus, FEED, Chosen::All, None).await, 0);
}

/// A second chance is not a third: the new reason replaces the old one, and nothing of the way back is left on the message.
pub async fn a_redriven_message_that_fails_again_is_dead_again(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..1).await;
    let first = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap().remove(0);
    redriven(&bus, FEED, Chosen::All, None).await;
    let mut consumer = consume(&bus, Queue::Feed, 10).await;
    let received = receive(&mut consumer, 1).await;
    let reason = DeadReason { reason: "no date".to_owned(), cause: None, position: "/data/published_at".to_owned() };
    settle(&mut consumer, &received, Settlement::Dead(reason.clone())).await;
    let dead = bus.dead_letters(FEED, &Chosen::All, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((&dead[0].message, &dead[0].reason), (&article(0).message, &reason));
    assert_eq!(dead[0].past.deaths, 2, "it is known that this was its second chance");
    assert_eq!(dead[0].past.first_dead_at, first.dead_at);
    assert_eq!(dead[0].routing_key, "article.published.kinh-te");
    assert_ne!(dead[0].key, first.key, "it is another letter");
}

/// Discards; all that is meant is come to.
async fn discarded(bus: &Arc<dyn Bus>, place: Place, chosen: &Chosen) -> Vec<DiscardedLetter> {
    let discarded = bus.discard(place, chosen).await.unwrap();
    assert!(discarded.unfinished.is_none(), "{:?}", discarded.unfinished);
    discarded.letters
}

/// What is deleted for good is named once more, for the audit log; no ids, no deletion.
pub async fn discarding_deletes_only_what_was_named(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..4).await;
    for nothing in
        [Chosen::Ids(BTreeSet::new()), Chosen::Keys(BTreeSet::new()), Chosen::key("unknown"), Chosen::key("")]
    {
        assert!(discarded(&bus, FEED, &nothing).await.is_empty());
        let redriven = bus.redrive(FEED, &nothing, None).await.unwrap();
        assert!((redriven.moved, redriven.stayed) == (0, 0) && redriven.met.is_empty(), "{redriven:?}");
    }
    let chosen = Chosen::Ids(BTreeSet::from([id(2), id(0), "unknown".to_owned()]));
    let gone: Vec<_> = discarded(&bus, FEED, &chosen).await.into_iter().map(|letter| letter.message_id).collect();
    assert_eq!(gone, [id(0), id(2)]);
    assert_eq!(buried(&bus).await, [id(1), id(3)]);
    assert!(discarded(&bus, FEED, &Chosen::id(id(0))).await.is_empty());
    // what was discarded here is not gone elsewhere
    assert_eq!(ids_of(&receive(&mut consume(&bus, Queue::Push, 10).await, 4).await), ids(0..4));
    publish(&bus, vec![to_feed(9)]).await;
    assert_eq!(ids_of(&receive(&mut consume(&bus, Queue::Feed, 10).await, 1).await), [id(9)]);
}

/// One message may be dead in many queues, and often in one. A letter's key means this letter alone, and goes on meaning it
/// while others come and go.
pub async fn a_letter_is_named_unambiguously_and_for_as_long_as_it_is_there(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    bury(&bus, 0..2).await;
    for queue in [Queue::Feed, Queue::Push] {
        let same = || Outgoing { route: Route::Queue(queue), ..article(7) };
        publish(&bus, vec![same(), same(), same()]).await;
        let mut consumer = consume(&bus, queue, 100).await;
        let wanted = if queue == Queue::Push { 5 } else { 3 };
        let received = receive(&mut consumer, wanted).await;
        let reason = DeadReason { reason: "no title".to_owned(), cause: None, position: String::new() };
        settle(&mut consumer, &received[wanted - 3..], Settlement::Dead(reason)).await;
        consumer.close().await.unwrap();
    }
    let letters = bus.dead_letters(FEED, &Chosen::All, 100).await.unwrap();
    let keys: BTreeSet<_> = letters.iter().map(|letter| letter.key.clone()).collect();
    assert_eq!((letters.len(), keys.len()), (5, 5), "each has a key of its own: {keys:?}");
    let plain = |key: &str| key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    assert!(keys.iter().all(|key| plain(key) && !key.is_empty()), "{keys:?}");

    // meant are the second of the three alike, and the first of all; between look and deed, others come and go
    bury_more(&bus).await;
    assert_eq!(redriven(&bus, FEED, Chosen::key(&letters[0].key), None).await, 1);
    let gone = discarded(&bus, FEED, &Chosen::key(&letters[3].key)).await;
    assert_eq!(gone.iter().map(|letter| &letter.key).collect::<Vec<_>>(), [&letters[3].key]);
    let left: Vec<_> =
        bus.dead_letters(FEED, &Chosen::All, 100).await.unwrap().into_iter().map(|letter| letter.key).collect();
    assert_eq!(left[..3], [&letters[1].key, &letters[2].key, &letters[4].key].map(Clone::clone));
    assert_eq!(left.len(), 4, "the one that came meanwhile");
    assert!(discarded(&bus, FEED, &Chosen::key(&letters[3].key)).await.is_empty(), "a key is never given again");
    assert_eq!(
        bus.dead_letters(Queue::Push.into(), &Chosen::All, 100).await.unwrap().len(),
        3,
        "another queue's letters stay"
    );
}

/// Sends one more to the feed's dead letters.
async fn bury_more(bus: &Arc<dyn Bus>) {
    publish(bus, vec![to_feed(99)]).await;
    let mut consumer = consume(bus, Queue::Feed, 100).await;
    let received = receive(&mut consumer, 1).await;
    let reason = DeadReason { reason: "no date".to_owned(), cause: None, position: String::new() };
    settle(&mut consumer, &received, Settlement::Dead(reason)).await;
    consumer.close().await.unwrap();
}

/// What no binding took is there to be looked at, as often as somebody likes, with the key that it came with.
pub async fn what_no_binding_took_is_listed_with_its_key_and_stays(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let keys = ["news.published", "Article.published.x", ""];
    let first = stray(&bus, &keys).await;
    assert_eq!(first.iter().map(|letter| letter.routing_key.as_str()).collect::<Vec<_>>(), keys);
    for (n, letter) in first.iter().enumerate() {
        assert_eq!((letter.place, &letter.message), (Place::Unrouted, &article(n).message));
        assert!(letter.reason.reason.contains(&format!("{:?}", keys[n])), "{:?}", letter.reason);
    }
    for _ in 0..5 {
        assert_eq!(bus.dead_letters(Place::Unrouted, &Chosen::All, 100).await.unwrap(), first);
    }
    assert_eq!(bus.unrouted().await.unwrap(), 3);
}

/// Under a corrected key every queue gets it that is bound for it, as if it had been published so.
pub async fn what_no_binding_took_reaches_every_queue_under_a_corrected_key(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let letters = stray(&bus, &["news.published", "Article.published.x", "", "news.published"]).await;
    let keys = Chosen::Keys(letters[..3].iter().map(|letter| letter.key.clone()).collect());
    assert_eq!(redriven(&bus, Place::Unrouted, keys, Some("article.published.tin-tuc")).await, 3);
    for queue in Queue::ALL {
        let mut consumer = consume(&bus, queue, 10).await;
        let received = receive(&mut consumer, 3).await;
        for (n, one) in received.iter().enumerate() {
            assert_eq!(
                (&one.message, one.routing_key.as_str()),
                (&article(n).message, "article.published.tin-tuc"),
                "{queue}"
            );
        }
        receive_nothing(&mut consumer).await;
    }
    let left = bus.dead_letters(Place::Unrouted, &Chosen::All, 100).await.unwrap();
    assert_eq!(left.iter().map(|letter| &letter.key).collect::<Vec<_>>(), [&letters[3].key]);
}

/// A key that leads nowhere is refused before anything moves; a letter that would only come back stays, and says so.
pub async fn a_redrive_that_leads_nowhere_moves_nothing(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let letters = stray(&bus, &["news.published"]).await;
    let wrong = bus.redrive(Place::Unrouted, &Chosen::All, Some("Article.published.x")).await.unwrap_err();
    assert_eq!(wrong.kind, BusErrorKind::Rejected, "{wrong:?}");
    let redriven = bus.redrive(Place::Unrouted, &Chosen::All, None).await.unwrap();
    assert_eq!((redriven.moved, redriven.stayed, redriven.reasons[0].0.as_str()), (0, 1, letters[0].key.as_str()));
    assert_eq!(redriven.reasons[0].1, stays_unrouted("news.published"));
    assert_eq!(bus.dead_letters(Place::Unrouted, &Chosen::All, 100).await.unwrap(), letters);
    let with_key = bus.redrive(FEED, &Chosen::All, Some("article.published.x")).await.unwrap_err();
    assert_eq!(with_key.kind, BusErrorKind::Rejected, "dead letters go to their own queue alone");
}

/// What nobody wants can be thrown away.
pub async fn what_no_binding_took_can_be_discarded(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    let letters = stray(&bus, &["weather.a", "weather.b", "weather.c"]).await;
    let gone = discarded(&bus, Place::Unrouted, &Chosen::key(&letters[1].key)).await;
    assert_eq!(gone.iter().map(|letter| letter.message_id.clone()).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(discarded(&bus, Place::Unrouted, &Chosen::All).await.len(), 2);
    assert_eq!(bus.unrouted().await.unwrap(), 0);
}

/// Readiness hears the truth.
pub async fn health_is_up_and_after_close_it_is_not(fixture: &impl Fixture) {
    let bus = fixture.bus().await;
    assert_eq!(bus.health(), Health::Up);
    bus.close().await;
    assert!(matches!(bus.health(), Health::Down(_)), "{:?}", bus.health());
    assert_eq!(bus.check().await.unwrap_err().kind, BusErrorKind::Unavailable);
}
