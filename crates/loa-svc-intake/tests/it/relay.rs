//! The outbox: no event leaves it before the bus has it, and a bus that is away only delays.

use crate::{House, article, titled};
use async_trait::async_trait;
use loa_bus::{BusError, BusErrorKind, Outgoing, Publish, Queue};
use loa_domain::{Dependency, TroubleKind};
use loa_svc_intake::RawContent;
use loa_worker::{DependencyState, Progress, Status};
use std::{sync::Mutex, time::Duration};

/// A bus that takes nothing but what its rule lets through, and remembers what it was offered.
struct Stubborn {
    takes: fn(usize) -> bool,
    /// Says beforehand that it takes nothing.
    blocked: bool,
    /// What it says of what it does not take.
    kind: BusErrorKind,
    offered: Mutex<Vec<String>>,
}

impl Stubborn {
    fn new(takes: fn(usize) -> bool) -> Self {
        Self { takes, blocked: false, kind: BusErrorKind::Unavailable, offered: Mutex::default() }
    }

    fn offered(&self) -> Vec<String> {
        std::mem::take(&mut *self.offered.lock().expect("a lock"))
    }
}

#[async_trait]
impl Publish for Stubborn {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), BusError>> {
        self.offered.lock().expect("a lock").extend(batch.iter().map(|outgoing| outgoing.message.id.clone()));
        let answer = |n| {
            if (self.takes)(n) { Ok(()) } else { Err(BusError::new(self.kind, "the broker does not take it")) }
        };
        (0..batch.len()).map(answer).collect()
    }

    fn takes(&self) -> Result<(), BusError> {
        if self.blocked { Err(BusError::new(BusErrorKind::Blocked, "low on memory")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn an_event_reaches_every_queue_in_structured_mode_under_its_own_id() {
    let house = House::new().await;
    let receipt = house.service.publish(RawContent::Article(article("bai-1"))).await.expect("taken");
    house.relay().await;
    assert_eq!(house.waiting().await, 0);
    for queue in Queue::ALL {
        let messages = house.drain(queue).await;
        assert_eq!(messages.len(), 1, "{queue}");
        assert_eq!(
            (&messages[0].id, messages[0].content_type.as_str()),
            (&receipt.event_id, "application/cloudevents+json")
        );
        let event = house.decode(&messages[0]);
        assert_eq!((event.key.id.as_str(), event.reach.is_empty()), (receipt.event_id.as_str(), false));
    }
}

#[tokio::test]
async fn a_bus_that_is_away_delays_and_loses_nothing() {
    let house = House::new().await;
    for n in 0..3 {
        house.service.publish(RawContent::Article(article(&format!("bai-{n}")))).await.expect("taken");
    }
    let away = Stubborn::new(|_| false);
    assert_eq!(house.service.step(&away).await.expect("a step"), Progress::Idle);
    assert_eq!((away.offered().len(), house.waiting().await), (3, 3));
    assert_eq!(house.service.step(&away).await.expect("a step"), Progress::Idle);
    assert_eq!(away.offered().len(), 0, "not due yet");
    house.clock.advance(Duration::from_secs(10));
    house.relay().await;
    assert_eq!((house.waiting().await, house.drain(Queue::Feed).await.len()), (0, 3));
}

#[tokio::test]
async fn while_the_bus_takes_nothing_nothing_is_claimed() {
    let house = House::new().await;
    house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    let blocked = Stubborn { blocked: true, ..Stubborn::new(|_| true) };
    for _ in 0..100 {
        assert_eq!(house.service.step(&blocked).await.expect("a step"), Progress::Idle);
    }
    assert!(blocked.offered().is_empty());
    let lease = loa_store::Lease { holder: "looking".into(), now: house.clock.now(), until: house.clock.now() };
    let rows =
        loa_store::Outbox::claim_outbox(&*house.ledger, &lease, &loa_store::ClaimRoom::of(10)).await.expect("claimed");
    assert_eq!((rows.len(), rows[0].attempts), (1, 0), "due at once, and no try was counted");
}

#[tokio::test]
async fn nothing_is_published_past_a_queue_that_is_missing() {
    let (house, status) = (House::new().await, Status::default());
    house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    status.report(Dependency::Topology, DependencyState::Down(TroubleKind::TopologyMissing.into()));
    assert_eq!(house.service.relay(&*house.bus, &status).await.expect("a step"), Progress::Idle);
    assert_eq!(house.waiting().await, 1);
    status.report(Dependency::Topology, DependencyState::Up);
    assert_eq!(house.service.relay(&*house.bus, &status).await.expect("a step"), Progress::Worked);
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn of_a_window_only_what_was_confirmed_leaves_the_outbox() {
    let house = House::new().await;
    for n in 0..4 {
        house.service.publish(RawContent::Article(article(&format!("bai-{n}")))).await.expect("taken");
    }
    let half = Stubborn::new(|n| n % 2 == 0);
    assert_eq!(house.service.step(&half).await.expect("a step"), Progress::Worked);
    assert_eq!(house.waiting().await, 2);
    let first = half.offered();
    house.clock.advance(Duration::from_secs(10));
    let rest = Stubborn::new(|_| true);
    house.service.step(&rest).await.expect("a step");
    assert_eq!(rest.offered(), [first[1].clone(), first[3].clone()]);
    assert_eq!(house.waiting().await, 0);
}

#[tokio::test]
async fn what_the_bus_never_takes_is_set_aside_and_all_behind_it_goes_on() {
    let (house, status) = (House::new().await, Status::default());
    house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    house.service.publish(titled("bai-1", "Một, đã rút gọn")).await.expect("taken");
    house.service.publish(titled("bai-2", "Hai")).await.expect("taken");
    let strict = Stubborn { kind: BusErrorKind::Rejected, ..Stubborn::new(|n| n > 0) };
    assert_eq!(house.service.step(&strict).await.expect("a step"), Progress::Worked);
    let first = strict.offered().remove(0);
    let state = house.service.outbox().await.expect("a state");
    let set_aside = state.set_aside.expect("one is set aside");
    assert_eq!((state.waiting, set_aside.count, set_aside.article.as_str()), (0, 1, "bai-1"));
    assert_eq!(set_aside.fault().kind(), "set_aside");

    // nothing waits behind it, and it is tried again from time to time
    house.service.publish(titled("bai-1", "Một, lần nữa")).await.expect("taken");
    assert_eq!(house.service.relay(&strict, &status).await.expect("a step"), Progress::Worked);
    assert_eq!(strict.offered().len(), 1);
    assert_eq!(house.service.outbox().await.expect("a state").set_aside.map(|set_aside| set_aside.count), Some(2));
    house.clock.advance(Duration::from_secs(301));
    let generous = Stubborn::new(|_| true);
    house.service.step(&generous).await.expect("a step");
    assert_eq!(generous.offered()[0], first);
    assert_eq!(house.service.outbox().await.expect("a state").set_aside, None);
}

#[tokio::test]
async fn a_relay_that_died_with_a_claim_is_followed_by_another_under_the_same_ids() {
    let house = House::new().await;
    house.service.publish(titled("bai-1", "Một")).await.expect("taken");
    let lease = loa_store::Lease {
        holder: "the dead".into(),
        now: house.clock.now(),
        until: house.clock.now() + Duration::from_secs(60),
    };
    let claimed =
        loa_store::Outbox::claim_outbox(&*house.ledger, &lease, &loa_store::ClaimRoom::of(10)).await.expect("claimed");
    assert_eq!(house.service.step(&*house.bus).await.expect("a step"), Progress::Idle, "the lease holds");
    house.clock.advance(Duration::from_secs(61));
    house.relay().await;
    assert_eq!(house.drain(Queue::Feed).await[0].id, claimed[0].key.id);
}
